"""A manager's side of SNMPv3: what it learns of an agent, what it believes, and what it does not."""

import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_network.snmp import ber
from media_network.snmp.budget import Allowance
from media_network.snmp.client import (
    MAX_NUMBER,
    TRANSITIONS,
    Knowledge,
    RemoteAgent,
    Then,
    Told,
)
from media_network.snmp.engine import Limits
from media_network.snmp.pdu import read_pdu, write_pdu
from media_network.snmp.question import Question, QuestionRefused, index_of, read_answer, read_variables, written
from media_network.snmp.remote_engine import NotBelieved, open_message
from media_network.snmp.usm import MAX_BOOTS, EngineIdentity
from media_network.snmp.value import COUNTER64, INTEGER32, NO_SUCH_INSTANCE
from media_network.snmp.visible import binding
from tests.media_network.snmp.specimen import COLUMNS, ENTRY, IDENTITY, INDEXES, LEVEL, NAME, USERS, Manager
from tests.media_network.snmp.test_hostile import mutated

USER = next(user for user in USERS if user.user == "read-only-SHA-256-AES")
FREE = Limits(answered=Allowance(1e12, 1e12), reports=Allowance(1e9, 1e9))
QUESTION = Question(names=[written((*NAME, 0)), written((*LEVEL, 0))])
TURNS = 6


class Talk:
    """A manager and an agent, without a network between them."""

    def __init__(self, user=USER, identity=IDENTITY):
        self.agent = Manager(limits=FREE, identity=identity)
        self.remote = RemoteAgent(user, random.Random(3))
        self.now = 1000.0
        self.number = 0
        self.messages = []

    def answer(self, question=QUESTION):
        """Send, and give what comes."""
        self.number += 1
        self.messages.append(self.remote.write(question, self.number, self.now))
        return self.agent.send(self.messages[-1])

    def ask(self, question=QUESTION):
        """Until something comes of it."""
        for _ in range(TURNS):
            reply = self.remote.read(open_message(self.answer(question)), question, self.now)
            if reply.then is not Then.ASK_AGAIN:
                return reply
        raise AssertionError("it goes on and on")

    def restart(self, *, boots=None, engine_id=IDENTITY.engine_id, later_s=0.0):
        """The agent's engine starts anew, and counts its time from 0."""
        self.now += later_s
        fresh = Manager(limits=FREE, identity=EngineIdentity(engine_id, boots or IDENTITY.boots + 1))
        self.agent, fresh.now = fresh, fresh.now


def test_the_table_is_total_and_every_state_is_reached():
    assert set(TRANSITIONS) == {(known, told) for known in Knowledge for told in Told}
    assert {after for after, _ in TRANSITIONS.values()} == set(Knowledge)
    assert {then for _, then in TRANSITIONS.values()} == set(Then)


@pytest.mark.parametrize("user", USERS, ids=lambda user: user.user)
def test_every_kind_of_user_asks_after_discovery_and_clock(user):
    talk = Talk(user)
    assert talk.ask().variables == [(QUESTION.names[0], b"here"), (QUESTION.names[1], 5)]
    assert len(talk.messages) == 3
    assert (talk.remote.known, talk.remote.engine_id) == (Knowledge.CLOCK, IDENTITY.engine_id)
    assert talk.ask().then is Then.DONE
    assert len(talk.messages) == 4
    assert all(QUESTION.names[0] not in message for message in talk.messages) or user.priv_protocol == "none"
    assert QUESTION.names[0] not in talk.messages[0]


def test_every_syntax_comes_as_python_has_it():
    talk = Talk()
    columns = [written((*ENTRY, number)) for number, *_ in COLUMNS]
    reply = talk.ask(Question(names=columns, repetitions=len(INDEXES)))
    seen = {}
    for place, (name, value) in enumerate(reply.variables):
        prefix = columns[place % len(columns)]
        assert name.startswith(prefix)
        seen[COLUMNS[place % len(columns)][0], index_of(name[len(prefix) :])] = value
    expected = {(number, index): read(index) for number, _, read in COLUMNS for index in INDEXES}
    for key, value in seen.items():
        wanted = expected[key]
        assert value == (wanted.encode() if isinstance(wanted, str) else wanted)
    assert len(seen) == len(expected)


def test_contexts_and_what_is_not_there():
    talk = Talk()
    assert talk.ask(Question(names=[QUESTION.names[0]], context=b"blade3")).variables[0][1] == b"blade 3"
    assert talk.ask(Question(names=[written((*NAME, 7))])).variables == [(written((*NAME, 7)), None)]
    refused = talk.ask(Question(names=[QUESTION.names[0]], context=b"blade99"))
    assert (refused.then, refused.reason) == (Then.GIVE_UP, "it does not know the context")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"user": "nobody"}, "it does not know the user"),
        ({"auth_password": "another-password"}, "another authentication password or protocol"),
        ({"auth_protocol": "SHA-512"}, "another authentication password or protocol"),
        ({"priv_password": "another-password"}, "another privacy password or protocol"),
        ({"priv_protocol": "none"}, "it refused: authorization error"),
    ],
    ids=lambda change: str(change) if isinstance(change, dict) else "",
)
def test_an_agent_that_refuses_says_why(change, reason):
    reply = Talk(msgspec.structs.replace(USER, **change)).ask()
    assert (reply.then, reply.reason) == (Then.GIVE_UP, reason)


@pytest.mark.parametrize("later_s", [0.0, 10.0, 100_000.0])
def test_an_agent_that_restarts_is_asked_again_with_its_new_clock(later_s):
    talk = Talk()
    talk.agent.now = talk.now = 90_000.0
    talk.ask()
    talk.restart(later_s=later_s)
    assert talk.ask().then is Then.DONE
    assert len(talk.messages) == 3 + 2


def test_an_agent_whose_engine_id_is_another_is_met_anew():
    talk = Talk()
    talk.ask()
    talk.restart(engine_id=bytes.fromhex("80001f8805") + bytes(12), boots=1)
    assert talk.ask().then is Then.DONE
    assert talk.remote.engine_id.endswith(bytes(12))


def test_clocks_that_run_apart_within_the_window_are_no_matter():
    talk = Talk()
    talk.ask()
    for manager_s, agent_s in ((100.0, 0.0), (0.0, 240.0), (3600.0, 3600.0)):
        talk.now += manager_s
        talk.agent.now += agent_s
        sent = len(talk.messages)
        assert talk.ask().then is Then.DONE
        assert len(talk.messages) == sent + 1


def test_an_agent_whose_clock_stood_still_is_heard_again_once_it_is_forgotten():
    talk = Talk()
    talk.ask()
    talk.now += 1000
    with pytest.raises(NotBelieved):
        talk.ask()
    talk.remote.forget()
    assert talk.ask().then is Then.DONE


def test_an_engine_that_came_to_its_last_boot_is_not_believed():
    with pytest.raises(NotBelieved):
        Talk(identity=EngineIdentity(IDENTITY.engine_id, MAX_BOOTS)).ask()


def test_answers_of_another_time_number_engine_or_user_are_not_believed():
    talk = Talk()
    talk.ask()
    answer = open_message(talk.answer())
    early = open_message(talk.answer(Question(names=[QUESTION.names[1]])))
    with pytest.raises(ber.BerError):
        talk.remote.read(early, QUESTION, talk.now)  # to another question
    stranger = Talk()
    stranger.agent = Manager(limits=FREE, identity=EngineIdentity(bytes.fromhex("80001f8805ff"), 1))
    stranger.ask()
    with pytest.raises(NotBelieved):
        talk.remote.read(open_message(stranger.answer()), QUESTION, talk.now)
    with pytest.raises(NotBelieved):
        talk.remote.read(answer, QUESTION, talk.now + 1000)
    talk.restart()
    talk.ask()
    with pytest.raises(NotBelieved):
        talk.remote.read(answer, QUESTION, talk.now)  # of the time before the restart
    assert talk.ask().then is Then.DONE


def test_a_report_that_nobody_signed_sets_no_clock():
    talk = Talk()
    talk.answer()
    told = talk.remote.read(open_message(talk.agent.send(talk.messages[-1])), QUESTION, talk.now)
    assert told.then is Then.ASK_AGAIN
    signed = talk.answer()
    incoming = open_message(signed)
    forged = signed.replace(bytes((4, 1, 1, 2, 1, 3)), bytes((4, 1, 0, 2, 1, 3)))
    with pytest.raises(NotBelieved, match="nobody answers for"):
        talk.remote.read(open_message(forged), QUESTION, talk.now)
    assert talk.remote.read(incoming, QUESTION, talk.now).then is Then.ASK_AGAIN


@given(st.integers(0, 2), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_no_spoiled_message_is_believed(turns, rng):
    """At every point of a conversation; the one thing that is taken of a spoiled message is an engine id."""
    talk = Talk()
    for _ in range(turns):
        talk.remote.read(open_message(talk.answer()), QUESTION, talk.now)
    answer = talk.answer()
    spoiled = mutated(answer, rng)
    if spoiled == answer:
        return
    try:
        reply = talk.remote.read(open_message(spoiled), QUESTION, talk.now)
    except (NotBelieved, ber.BerError):
        pass
    else:
        assert turns == 0
        assert reply.then in {Then.ASK_AGAIN, Then.GIVE_UP}
    if turns:
        assert talk.ask().then is Then.DONE


@given(st.binary(max_size=300))
def test_noise_is_not_believed(noise):
    with pytest.raises((NotBelieved, ber.BerError)):
        open_message(noise)


def response(*bindings, status=0):
    octets = write_pdu(0xA2, ber.integer(MAX_NUMBER), b"".join(bindings), status)
    return read_pdu(octets, 0, len(octets))


def test_answers_are_held_against_their_question():
    names = [written((1, 3, 6, 1, 1)), written((1, 3, 6, 1, 2))]
    one, two = (binding(name, INTEGER32.encode(-5)) for name in names)
    assert read_answer(response(one, two), Question(names=names)) == [(names[0], -5), (names[1], -5)]
    assert len(read_answer(response(one), Question(names=names, repetitions=1))) == 1
    for wrong in ((one,), (two, one), (one, two, two), ()):
        with pytest.raises(ber.BerError):
            read_answer(response(*wrong), Question(names=names))
    with pytest.raises(ber.BerError):
        read_answer(response(one, two, one, two, one), Question(names=names, repetitions=2))
    for status, text in ((5, "gen err"), (16, "authorization error"), (99, "error status 99")):
        with pytest.raises(QuestionRefused, match=text):
            read_answer(response(one, two, status=status), Question(names=names))


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        (COUNTER64.encode(2**64 - 1), 2**64 - 1),
        (NO_SUCH_INSTANCE, None),
        (b"\x05\x00", None),
        (b"\x44\x02ab", b"ab"),
        (b"\x02\x00", ber.BerError),
        (b"\x02\x05\1\0\0\0\0", ber.BerError),
        (b"\x41\x01\xff", ber.BerError),
        (b"\x41\x05\1\0\0\0\0", ber.BerError),
        (b"\x40\x03abc", ber.BerError),
        (b"\x81\x01a", ber.BerError),
        (b"\x06\x01\x80", ber.BerError),
        (b"\x30\x00", ber.BerError),
        (b"\x47\x00", ber.BerError),
    ],
    ids=repr,
)
def test_values_have_a_known_type_and_its_size(encoded, value):
    pdu = response(binding(written((1, 3, 6, 1)), encoded))
    if value is ber.BerError:
        with pytest.raises(ber.BerError):
            read_variables(pdu, 1)
    else:
        assert read_variables(pdu, 1)[0][1] == value
