"""What noise does to our messages: frames that pass IPMI's 8-bit sum and are wrong change nothing."""

from random import Random

import pytest

from blade_agent.backplane import seal
from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import InvalidField, Nothing, WrongLength
from blade_agent.backplane.message import CompletionCode, Request, Response, checksum, decode
from blade_agent.backplane.messages.blade_facts import GET_READINGS, ReadingsFrom
from blade_agent.backplane.messages.heartbeat import GET_HEARTBEAT
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    DRAIN,
    STAGE_ADDRESS,
    STAGE_STATION,
    CommitRole,
    Drain,
    Party,
    StageAddress,
    StageStation,
    assignment_digest,
)
from blade_agent.backplane.messages.station_blades import NOTE_BLADES, NoteBlades, SlotBlade
from blade_agent.backplane.role import Role, RoleAssignment
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots import requester
from blade_agent.chassis_manager.slots.epoch_word import EpochWord
from blade_agent.chassis_manager.slots.requester import Relay
from blade_agent.chassis_manager.slots.slot import Slot
from chassis_emulator.faults.kinds import Noise
from chassis_emulator.lines.impairment import Impairment
from media_network.address import Address

TRIALS = 4000
MINUTES = 15
"""Of virtual time."""
DIRECTOR = Address("127.1.1.1", 8080)
WANTED = RoleAssignment(role=Role.DIRECTOR, epoch=7, station="north", director=DIRECTOR)
ORDERS = [
    (STAGE_STATION, StageStation("south")),
    (STAGE_ADDRESS, StageAddress(Party.DIRECTOR, Address("10.0.0.9", 99))),
    (STAGE_ADDRESS, StageAddress(Party.CENTER, Address("10.0.0.9", 99))),
    (COMMIT_ROLE, CommitRole(epoch=7, role=Role.DIRECTOR, assignment_digest=assignment_digest(WANTED))),
    (DRAIN, Drain(draining=True)),
    (NOTE_BLADES, NoteBlades((SlotBlade(2, Address("127.1.1.2", 8080)),))),
]


def wrong_and_passing(octets, rng):
    """A message in which bits have flipped, and both its sums with them, so that they fit."""
    spoiled = bytearray(octets)
    for bit in rng.sample(range(8 * len(octets)), rng.randint(1, 12)):
        spoiled[bit // 8] ^= 1 << bit % 8
    spoiled[2] = checksum(spoiled[:2])
    spoiled[-1] = checksum(spoiled[3:-1])
    return bytes(spoiled)


def asked(command, body, slot=1, sequence=5):
    code = command.code
    return Request(
        responder=0x80 + 2 * slot,
        requester=0x20,
        net_fn=code.net_fn,
        command=code.number,
        sequence=sequence,
        data=command.request_data(body),
    )


class Ordered:
    """A blade that a manager is about to tell something."""

    def __init__(self, make_blade):
        self.controller = make_blade(1, boot_id=1)
        self.answer(SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))
        self.controller.settle()
        self.answer(STAGE_STATION, StageStation("north"))
        self.answer(STAGE_ADDRESS, StageAddress(Party.DIRECTOR, DIRECTOR))

    def answer(self, command, body):
        return self.controller.answer(asked(command, body))

    def take(self, octets):
        """Take a message as the line does: only what is for this blade."""
        message = decode(octets)
        if isinstance(message, Request) and message.responder == self.controller.blade.address.ipmb_address:
            self.controller.answer(message)

    def state(self):
        """What orders change, staged parts by what a commit would make of them."""
        blade, board = self.controller.blade, self.controller.board
        post = blade.post
        return (
            *(post.held, post._station, tuple(post._addresses.items()), tuple(post._blades.items())),
            *(board.assignment, board.draining, blade.hot_swap.state),
        )


@pytest.mark.parametrize(("command", "body"), ORDERS, ids=[f"{command.name} {body}" for command, body in ORDERS])
def test_an_order_that_noise_has_changed_is_never_carried_out(make_blade, command, body):
    rng = Random(f"{command.name} {body}")
    true = asked(command, body).encode()
    blade = Ordered(make_blade)
    before, broken_seals = blade.state(), 0
    for _ in range(TRIALS):
        seen = blade.controller.blade.broken_seals
        blade.take(wrong_and_passing(true, rng))
        broken_seals += blade.controller.blade.broken_seals - seen
        # What is not under the seal is who asked, and under which number: then it is the order that was given.
        if blade.state() != before:
            obeyed = Ordered(make_blade)
            obeyed.take(true)
            assert blade.state() == obeyed.state()
            blade = Ordered(make_blade)
    assert broken_seals > TRIALS / 10


def test_without_the_seal_an_order_that_noise_has_changed_would_be_carried_out(make_blade, monkeypatch):
    monkeypatch.setattr(seal, "holds", lambda _head, _octets: True)
    with pytest.raises(AssertionError):
        test_an_order_that_noise_has_changed_is_never_carried_out(make_blade, *ORDERS[0])


@pytest.mark.parametrize("completion", [CompletionCode.OK, CompletionCode.WRONG_STATE])
def test_a_heartbeat_that_noise_has_changed_is_never_believed(make_blade, completion):
    rng, blade = Random(3), make_blade(1, boot_id=1)
    slot = Slot(1, 0, Timing())
    request = slot.tick(0.0)
    response = blade.answer(request)
    if completion != CompletionCode.OK:
        response = request.respond(completion, GET_HEARTBEAT.refusal_data(completion))
    for _ in range(TRIALS):
        spoiled = decode(wrong_and_passing(response.encode(), rng))
        if isinstance(spoiled, Response) and spoiled.data == response.data and spoiled.completion == completion:
            continue  # only its addresses or its number are other than they were
        slot.receive(spoiled, 0.0)
        assert slot.status is None
        assert slot.hot_swap is HotSwapState.M0_NOT_INSTALLED
    slot.receive(response, 0.0)
    assert (slot.status is not None) is (completion == CompletionCode.OK)


def test_without_the_seal_a_heartbeat_that_noise_has_changed_would_be_believed(make_blade, monkeypatch):
    monkeypatch.setattr(seal, "holds", lambda _head, _octets: True)
    monkeypatch.setattr(requester, "holds", lambda _head, _octets: True)
    with pytest.raises(AssertionError):
        test_a_heartbeat_that_noise_has_changed_is_never_believed(make_blade, CompletionCode.OK)


def test_a_refusal_that_noise_has_made_is_no_refusal(make_blade):
    """A blade that answered how much it still carries must not be taken for one that has nothing to hand over."""
    blade = make_blade(1, boot_id=1)
    response = blade.answer(asked(GET_HEARTBEAT, Nothing()))
    slot = Slot(1, 4, Timing())
    request = slot.tick(0.0)
    for completion in range(1, 256):
        slot.receive(request.respond(completion, response.data), 0.0)
        if completion != CompletionCode.INVALID_COMMAND:
            slot.receive(request.respond(completion), 0.0)
    assert not slot.asked_once


def test_a_reading_that_noise_has_changed_is_never_taken(make_blade):
    rng, blade = Random(5), make_blade(1, boot_id=1)
    response = blade.answer(asked(GET_READINGS, ReadingsFrom(0)))
    true = response.data
    for _ in range(TRIALS):
        spoiled = decode(wrong_and_passing(response.encode(), rng))
        if spoiled.data != true:
            with pytest.raises((WrongLength, InvalidField)):
                GET_READINGS.read_reply(spoiled.data)


class DefaultNoise:
    """The noise that the emulator makes when nobody says how much, on all lines of a bench."""

    def __init__(self, bench):
        self._bench = bench
        self._line = Impairment()
        self._line.suffer((Noise(target="north"),), "all lines", 0.0)
        self.passed_wrong = 0
        """Frames that were changed and are messages by IPMI's sums."""
        bench.noise, bench._spoil = 1.0, self._spoil

    def _spoil(self, data):
        self._line.push(data, self._bench.now)
        spoiled = self._line.due(self._bench.now)
        if spoiled != data:
            self.passed_wrong += sum(map(_is_message, BasicMode().receive(spoiled)))
        return spoiled


def _is_message(octets):
    return len(octets) > 6 and not checksum(octets[:3]) and not checksum(octets[3:])


def storm(chassis, monkeypatch):
    """Default noise for so many minutes on a chassis that serves.

    Gives the epochs that any slot was believed to report, how often any was in another state, and the noise.
    """
    states = {number: slot.hot_swap for number, slot in chassis.chassis.slots.items()}
    noise, epochs, moves, hear = DefaultNoise(chassis), set(), 0, EpochWord.hear

    def note(word, heartbeat):
        epochs.add(heartbeat.epoch)
        hear(word, heartbeat)

    monkeypatch.setattr(EpochWord, "hear", note)
    for _ in range(60 * MINUTES):
        if epochs - {1}:
            break
        chassis.run(1)
        moves += states != {number: slot.hot_swap for number, slot in chassis.chassis.slots.items()}
    return epochs, moves, noise


def test_in_15_minutes_of_default_noise_no_epoch_is_kept_that_nobody_gave(bench, monkeypatch):
    chassis = bench(slots=6, seed=1)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(3)
    before = chassis.kept_journal
    epochs, moves, noise = storm(chassis, monkeypatch)
    assert noise.passed_wrong > 50, "the 8-bit sum let none through: this noise says nothing"
    assert chassis.kept_epochs == [1]
    assert epochs == {1}
    assert moves == 0
    assert chassis.kept_journal == before
    assert chassis.served_by(1)


def test_without_the_seal_epochs_would_be_believed_that_nobody_gave(bench, monkeypatch):
    monkeypatch.setattr(seal, "holds", lambda _head, _octets: True)
    monkeypatch.setattr(requester, "holds", lambda _head, _octets: True)
    chassis = bench(slots=6, seed=1)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.run(3)
    epochs, _, _ = storm(chassis, monkeypatch)
    assert len(epochs) > 1


def test_what_is_passed_on_over_noisy_lines_is_answered(bench, monkeypatch):
    """As `sdr elist` asks it, piece by piece: at the default noise every second message is hit on one of its ways."""
    chassis = bench(slots=6, seed=1)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    DefaultNoise(chassis)
    chassis.run(5)
    answers = []
    for piece in range(30):
        for slot in chassis.chassis.slots.values():
            data = bytes((0, 0, piece % 3, 0, 0, 16))
            slot.relay(Relay(net_fn=0x04, command=0x21, data=data, ended=answers.append), chassis.now)
        chassis.looked_after = True
        chassis.run(1.5)
    chassis.run(5)
    assert len(answers) == 30 * 6
    assert answers.count(None) == 0
