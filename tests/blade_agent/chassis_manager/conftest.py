import heapq
from itertools import count
from random import Random

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.line import MessageLine
from blade_agent.backplane.message import Request
from blade_agent.backplane.role import MainBoardState, MainBoardStatus, Role, RoleAssignment
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.clock import LoopClock
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity
from blade_agent.chassis_manager.keeping.journal import read_journal
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort
from media_network.address import Address

CENTER = Address("127.1.0.1", 9000)


class DeskBoard:
    """A main board that takes every role at once and remembers them."""

    def __init__(self, slot):
        self.state = MainBoardState.READY
        self.address = Address(f"127.1.1.{slot}", 8080)
        self.assignment = RoleAssignment()
        self.draining = False
        self.streams = 0

    def assign(self, assignment):
        self.assignment = assignment

    def drain(self, draining):
        self.draining = draining
        return self.streams if draining else 0

    def know_blades(self, blades):
        self.blades = blades

    def status(self):
        return MainBoardStatus(state=self.state, address=self.address)


class LoopsClockIfAny(LoopClock):
    """The running loop's time; where a test asks a controller without one, no time goes by."""

    def now_s(self):
        try:
            return super().now_s()
        except RuntimeError:
            return 0.0


def start_agent(slot, boot_id, clock=None, hardware=None):
    """Start a blade's agent: a CBC in M2, handle closed, with no memory of an earlier start."""
    board = DeskBoard(slot)
    controller = Controller(
        identity=Identity(
            device_id=1, device_revision=0, manufacturer=8072, product=1, guid=bytes(16), firmware_version="0.1"
        ),
        address=SlotAddress(slot),
        main_board=board,
        boot_id=boot_id,
        clock=LoopsClockIfAny() if clock is None else clock,
        hardware=hardware,
    )
    controller.board = board
    return controller


class MemoryLine:
    """One end of a wire on the bench."""

    usable = True

    def __init__(self, carry):
        self._carry = carry
        self.receive = None

    def attach(self, receive):
        self.receive = receive

    def write(self, data):
        self._carry(data)

    def close(self):
        self.receive = None


class Alarm:
    """A call in virtual time that may be cancelled."""

    def __init__(self, call):
        self.call = call

    def __call__(self):
        self.call()

    def cancel(self):
        self.call = lambda: None


class Bench:
    """A chassis in virtual time: a manager, or none, and a wire with latency and noise to each of its slots."""

    LATENCY_S = 0.004

    def __init__(self, slots, seed=1, epoch_file="", make_hardware=None, **settings):
        self.now = 0.0
        self.make_hardware = make_hardware
        self.events = []
        self.rng = Random(seed)
        self.noise = 0.0  # probability that a write is hit
        self.blades = {}
        self.hung = set()
        self.disk_takes_epochs = True
        self.kept_epoch = 0
        self.kept_epochs = []
        self.kept_journal = b""
        self.notices = []
        self.requests = 0
        self.settings = ManagerSettings(
            station="north",
            slots={slot: SerialPort(path=f"/nowhere/{slot}") for slot in range(1, slots + 1)},
            epoch_file=epoch_file,
            center=str(CENTER),
            **settings,
        )
        self._queue = []
        self._order = count()
        self._blade_ends = {slot: MemoryLine(None) for slot in self.settings.slots}
        self.chassis = None
        self.start_manager()
        for slot in self.settings.slots:
            self.start_blade(slot)

    def start_manager(self):
        self._chassis_lines = {}
        self._line_faults = dict.fromkeys(self.settings.slots, 0)
        self.chassis = Chassis(
            self.settings,
            self.kept_epoch,
            self.rng,
            self.now,
            journal=read_journal(self.kept_journal),
            notice=self.notices.append,
        )
        self._manager_ends = {}
        for slot in self.settings.slots:
            end = MemoryLine(lambda data, slot=slot: self._carry(data, lambda slot=slot: self._blade_ends[slot]))
            self._manager_ends[slot] = end
            self._chassis_lines[slot] = MessageLine(
                end, BasicMode(), lambda message, slot=slot: self._received(slot, message)
            )

    def stop_manager(self):
        self.chassis = None
        self._manager_ends = {}

    def start_blade(self, slot):
        hardware = self.make_hardware(slot) if self.make_hardware else None
        self.blades[slot] = blade = start_agent(slot, self.rng.getrandbits(64), self, hardware)
        end = MemoryLine(lambda data: self._carry(data, lambda: self._manager_ends.get(slot)))
        self._blade_ends[slot] = end
        blade.serve_backplane(end, BasicMode())
        return blade

    def crash_blade(self, slot):
        del self.blades[slot]
        self._blade_ends[slot] = MemoryLine(None)

    def _carry(self, data, to):
        if self.rng.random() < self.noise:
            data = self._spoil(data)
        self._at(self.now + self.LATENCY_S, lambda: self._arrive(to, data))

    def _arrive(self, to, data):
        end = to()
        if end is not None and end.receive is not None and self._listens(end):
            end.receive(data)

    def _at(self, when, call):
        heapq.heappush(self._queue, (when, next(self._order), call))

    def now_s(self):
        return self.now

    def wall_s(self):
        return 1_700_000_000 + self.now

    def call_later(self, delay_s, call):
        alarm = Alarm(call)
        self._at(self.now + delay_s, alarm)
        return alarm

    def _spoil(self, data):
        spoiled = bytearray(data)
        for _ in range(self.rng.randint(1, 4)):
            at = self.rng.randrange(len(spoiled) + 1)
            spoiled[at : at + self.rng.randint(0, 3)] = self.rng.randbytes(self.rng.randint(0, 5))
        return bytes(spoiled)

    def _received(self, slot, message):
        if self.chassis is None:
            return
        self._look_at_lines()
        if isinstance(message, Request):
            self.events.append((slot, message.data))
            self._chassis_lines[slot].send(message.respond(0))
            return
        moves = self.chassis.moves
        if not self.chassis.receive(slot, message, self.now):
            send = self.chassis.go_on(slot, self.now)
            self._send([] if send is None else [send])
            if self.chassis.moves == moves:
                return
        self._send(self.chassis.tick(self.now))

    def _look_at_lines(self):
        """As `ChassisManager` does: what its lines brought and was no message is noise."""
        for slot, line in self._chassis_lines.items():
            faults = line.frame_faults.total() + line.faults.total()
            if faults != self._line_faults[slot]:
                self.chassis.slots[slot].noise(faults - self._line_faults[slot], self.now)
                self._line_faults[slot] = faults

    def _send(self, sends):
        self._look_at_lines()
        for slot, request in sends:
            self.requests += 1
            self._chassis_lines[slot].send(request)
        journal = self.chassis.journal_to_keep(self.now)
        if journal is not None:
            if self.disk_takes_epochs:
                self.kept_journal = journal
                self.chassis.journal_kept()
                self._send(self.chassis.tick(self.now))
            else:
                self.chassis.journal_not_kept(self.now)
        epoch = self.chassis.epoch_to_keep(self.now)
        if epoch is None:
            return
        if not self.disk_takes_epochs:
            self.chassis.epoch_not_kept(self.now)
            return
        self.kept_epoch = epoch
        self.kept_epochs.append(epoch)
        self.chassis.epoch_kept(epoch)
        self._send(self.chassis.tick(self.now))

    def run(self, duration_s):
        self.looked_after = True  # the manager looks when something was ordered, as it may have been between two runs
        until = self.now + duration_s
        while True:
            due = self._due() if self.chassis is not None else until
            carried = self._queue[0][0] if self._queue else until
            if min(due, carried) >= until:
                break
            self.now = max(self.now, min(due, carried))
            if carried <= due:
                heapq.heappop(self._queue)[2]()
            else:
                settled = self.chassis.settled(self.now) and not self.looked_after
                self.looked_after = False
                self._send((self.chassis.poll if settled else self.chassis.tick)(self.now))
        self.now = until

    def _due(self):
        keep_due = self.chassis.keep_due
        return self.chassis.due if keep_due is None else min(self.chassis.due, keep_due)

    def _listens(self, end):
        return all(self._blade_ends[slot] is not end for slot in self.hung)

    def run_until(self, condition, limit_s):
        """Run in short steps until the condition holds; give how long it took."""
        start = self.now
        while not condition():
            assert self.now - start < limit_s, "it never came about"
            self.run(0.01)
        return self.now - start

    def roles(self):
        return {slot: blade.board.assignment.role for slot, blade in self.blades.items()}

    def served_by(self, slot):
        """Whether all blades in service hold a role of one epoch under the director in that slot."""
        held = {number: blade.board.assignment for number, blade in self.blades.items() if number not in self.hung}
        return (
            slot in held
            and all(
                assignment.role is (Role.DIRECTOR if number == slot else Role.ENGINE)
                for number, assignment in held.items()
            )
            and {(a.epoch, a.director, a.center, a.station) for a in held.values()}
            == {(self.chassis.epoch, self.blades[slot].board.address, CENTER, "north")}
        )

    def served_by_others(self, out, director):
        """Whether all blades but one serve under the director in that slot."""
        return {slot: role for slot, role in self.roles().items() if slot != out} == {
            slot: Role.DIRECTOR if slot == director else Role.ENGINE for slot in self.blades if slot != out
        }


@pytest.fixture
def bench(tmp_path):
    return lambda slots=4, seed=1, **settings: Bench(slots, seed, str(tmp_path / "epoch"), **settings)


@pytest.fixture
def make_blade():
    return start_agent
