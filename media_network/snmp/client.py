"""A manager's side of SNMPv3 with one agent (RFC 3412, 3414): what is sent to it, and what of it is believed. No I/O.

What we know of the agent, and what comes of what it tells us:

| | its engine id | its clock | an answer | a refusal |
|---|---|---|---|---|
| nothing | engine, ask again | ignored | ignored | given up |
| engine | engine, ask again | clock, ask again | clock, done | given up |
| clock | engine, ask again | clock, ask again | clock, done | given up |

The engine id is told by nobody in particular; whoever does not have the user's keys under this id is not believed
anything else. The clock (boots and time) and answers are believed if they are authentic, from the time window, and bear
the number of what was asked, which nobody can guess.
"""

from enum import Enum
from random import Random

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.message import (
    AUTH_FLAG,
    PRIV_FLAG,
    REPORTABLE_FLAG,
    USER_SECURITY,
    VERSION_3,
    ScopedPdu,
    read_scoped_pdu,
    write_scoped_pdu,
)
from media_network.snmp.pdu import Pdu, PduType, read_pdu
from media_network.snmp.question import Question, QuestionRefused, Variable, read_answer, read_variables, written
from media_network.snmp.remote_engine import SALT_OCTETS, VECTOR, Incoming, NotBelieved, RemoteEngine
from media_network.snmp.settings import UserSettings

MAX_NUMBER = 2**31 - 1
"""Of a message, and of a request."""
MAX_MESSAGE_OCTETS = 16_384
"""What we tell agents that we take."""
_MIN_ENGINE_ID_OCTETS = 5
_DISCOVERY = Question(names=())
_EMPTY = ber.tagged(ber.OCTET_STRING, b"")
_NOBODY = _EMPTY + 2 * ber.integer(0) + 2 * _EMPTY
"""No engine, no clock, no user, no code."""

_USM_STATS = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_UNKNOWN_ENGINE_ID = written((*_USM_STATS, 4, 0))
_NOT_IN_TIME_WINDOW = written((*_USM_STATS, 2, 0))
_REFUSALS = {
    written((*_USM_STATS, 1, 0)): "the user has no such security level there",
    written((*_USM_STATS, 3, 0)): "it does not know the user",
    written((*_USM_STATS, 5, 0)): "another authentication password or protocol",
    written((*_USM_STATS, 6, 0)): "another privacy password or protocol",
    written((1, 3, 6, 1, 6, 3, 12, 1, 5, 0)): "it does not know the context",
}


class Knowledge(Enum):
    """What we know of an agent."""

    NOTHING = "nothing"
    ENGINE = "engine"
    """Its engine id."""
    CLOCK = "clock"
    """And its boots and time."""


class Told(Enum):
    """What an agent tells."""

    ENGINE_ID = "its engine id"
    CLOCK = "its clock"
    ANSWER = "an answer"
    REFUSAL = "a refusal"


class Then(Enum):
    """What is to be done."""

    ASK_AGAIN = "ask again"
    DONE = "done"
    GIVE_UP = "give up"
    IGNORE = "ignore"


TRANSITIONS: dict[tuple[Knowledge, Told], tuple[Knowledge, Then]] = {
    (Knowledge.NOTHING, Told.ENGINE_ID): (Knowledge.ENGINE, Then.ASK_AGAIN),
    (Knowledge.NOTHING, Told.CLOCK): (Knowledge.NOTHING, Then.IGNORE),
    (Knowledge.NOTHING, Told.ANSWER): (Knowledge.NOTHING, Then.IGNORE),
    (Knowledge.NOTHING, Told.REFUSAL): (Knowledge.NOTHING, Then.GIVE_UP),
    (Knowledge.ENGINE, Told.ENGINE_ID): (Knowledge.ENGINE, Then.ASK_AGAIN),
    (Knowledge.ENGINE, Told.CLOCK): (Knowledge.CLOCK, Then.ASK_AGAIN),
    (Knowledge.ENGINE, Told.ANSWER): (Knowledge.CLOCK, Then.DONE),
    (Knowledge.ENGINE, Told.REFUSAL): (Knowledge.ENGINE, Then.GIVE_UP),
    (Knowledge.CLOCK, Told.ENGINE_ID): (Knowledge.ENGINE, Then.ASK_AGAIN),
    (Knowledge.CLOCK, Told.CLOCK): (Knowledge.CLOCK, Then.ASK_AGAIN),
    (Knowledge.CLOCK, Told.ANSWER): (Knowledge.CLOCK, Then.DONE),
    (Knowledge.CLOCK, Told.REFUSAL): (Knowledge.CLOCK, Then.GIVE_UP),
}


class Reply(Struct, frozen=True):
    """What came of a message."""

    then: Then
    variables: list[Variable] = []
    reason: str = ""
    """Why nothing more is to be had."""


class RemoteAgent:
    """An agent as a user sees it."""

    def __init__(self, user: UserSettings, rng: Random) -> None:
        self._settings = user
        self._private = user.priv_protocol != "none"
        self._salt = rng.getrandbits(64)
        self.known = Knowledge.NOTHING
        self._engine: RemoteEngine | None = None

    @property
    def engine_id(self) -> bytes:
        """The agent's engine id; empty while none was told."""
        return b"" if self._engine is None else self._engine.engine_id

    def forget(self) -> None:
        """It is silent: whoever answers next may be another, or its clock may stand where it should not."""
        self.known = Knowledge.NOTHING

    def write(self, question: Question, number: int, now: float) -> bytes:
        """Write what is to be sent next to get an answer: the question, if we know the agent."""
        if self.known is Knowledge.NOTHING or self._engine is None:
            scoped = write_scoped_pdu(b"", b"", _DISCOVERY.pdu(number))
            return _message(number, REPORTABLE_FLAG, (_NOBODY, _EMPTY), scoped)
        scoped = write_scoped_pdu(self.engine_id, question.context, question.pdu(number))
        return self._sealed(number, scoped, self._engine, now)

    def read(self, incoming: Incoming, question: Question, now: float) -> Reply:
        """Take what came for a question, sent with the number that `incoming` has. Raises BerError, NotBelieved."""
        told, variables, reason = self._told(incoming, question, now)
        before = self.known
        self.known, then = TRANSITIONS[before, told]
        if then is Then.ASK_AGAIN and told is Told.ENGINE_ID:
            self._meet(incoming.parameters.engine_id)
        return Reply(then, variables, reason)

    def _told(self, incoming: Incoming, question: Question, now: float) -> tuple[Told, list[Variable], str]:
        authentic = bool(incoming.header.flags & AUTH_FLAG)
        scoped, pdu = self._opened(incoming, now) if authentic else _plain(incoming)
        if pdu.kind == PduType.REPORT:
            told, reason = _reported(read_variables(pdu, 1), incoming, authentic=authentic)
            return told, [], reason
        wanted = AUTH_FLAG | PRIV_FLAG if self._private else AUTH_FLAG
        if pdu.kind != PduType.RESPONSE or incoming.header.flags & (AUTH_FLAG | PRIV_FLAG) != wanted:
            raise NotBelieved("no response, or one that is less secure than the request")
        if (scoped.context_engine_id, scoped.context) != (self.engine_id, question.context):
            raise NotBelieved("from another context")
        if ber.read_integer(pdu.request_id, 0, len(pdu.request_id))[0] != incoming.number:
            raise NotBelieved("another request id")
        try:
            return Told.ANSWER, read_answer(pdu, question), ""
        except QuestionRefused as refusal:
            return Told.REFUSAL, [], f"it refused: {refusal}"

    def _opened(self, incoming: Incoming, now: float) -> tuple[ScopedPdu, Pdu]:
        """Read a message that says that it is authentic. Raises BerError, NotBelieved."""
        if self._engine is None:
            raise NotBelieved("of an engine that is not known")
        return self._engine.open(incoming, now)

    def _meet(self, engine_id: bytes) -> None:
        """Make the keys of an engine, of which we know no clock."""
        if self._engine is None or engine_id != self._engine.engine_id:
            self._engine = RemoteEngine(self._settings, engine_id)
        self._engine.forget_clock()

    def _sealed(self, number: int, scoped: bytes, engine: RemoteEngine, now: float) -> bytes:
        """Sign, and encrypt. Without a clock it is 0 and 0: the agent tells the right one (RFC 3414, 4)."""
        user, clock_known = engine.user, self.known is Knowledge.CLOCK
        boots, time = (engine.boots, engine.time(now)) if clock_known else (0, 0)
        flags, salt = AUTH_FLAG | REPORTABLE_FLAG, b""
        if user.cipher is not None:
            flags |= PRIV_FLAG
            self._salt = (self._salt + 1) & 0xFFFFFFFFFFFFFFFF
            salt = self._salt.to_bytes(SALT_OCTETS, "big")
            scoped = ber.tagged(ber.OCTET_STRING, user.cipher.encrypt(scoped, VECTOR.pack(boots, time) + salt))
        own = ber.tagged(ber.OCTET_STRING, engine.engine_id)
        before = own + ber.integer(boots) + ber.integer(time) + user.name_value
        blank, salt = ber.tagged(ber.OCTET_STRING, user.signer.blank), ber.tagged(ber.OCTET_STRING, salt)
        message = _message(number, flags, (before + blank, salt), scoped)
        code = len(message) - len(scoped) - len(salt)
        before, behind = message[: code - user.signer.code_octets], message[code:]
        return before + user.signer.code(before, behind) + behind


def _message(number: int, flags: int, parameters: tuple[bytes, bytes], scoped: bytes) -> bytes:
    """Write a message around a scoped PDU; the parameters up to the code, and behind it."""
    data = ber.integer(number) + _MAX_SIZE + bytes((ber.OCTET_STRING, 1, flags, ber.INTEGER, 1, USER_SECURITY))
    security = ber.tagged(ber.OCTET_STRING, ber.tagged(ber.SEQUENCE, parameters[0] + parameters[1]))
    return ber.tagged(ber.SEQUENCE, _VERSION + ber.tagged(ber.SEQUENCE, data) + security + scoped)


_VERSION = ber.integer(VERSION_3)
_MAX_SIZE = ber.integer(MAX_MESSAGE_OCTETS)


def _plain(incoming: Incoming) -> tuple[ScopedPdu, Pdu]:
    """Read a message that nobody signed: nothing but a report can be one."""
    plain = incoming.octets[incoming.header.data : incoming.header.end]
    scoped = read_scoped_pdu(plain)
    pdu = read_pdu(plain, scoped.start, scoped.stop)
    if pdu.kind != PduType.REPORT:
        raise NotBelieved("not authentic")
    return scoped, pdu


def _reported(variables: list[Variable], incoming: Incoming, *, authentic: bool) -> tuple[Told, str]:
    """What a report tells."""
    name = variables[0][0] if variables else b""
    if name == _UNKNOWN_ENGINE_ID:
        if len(incoming.parameters.engine_id) < _MIN_ENGINE_ID_OCTETS:
            raise NotBelieved("no engine id")
        return Told.ENGINE_ID, ""
    if name == _NOT_IN_TIME_WINDOW:
        if not authentic:
            raise NotBelieved("a clock that nobody answers for")
        return Told.CLOCK, ""
    return Told.REFUSAL, _REFUSALS.get(name, "it reports what nobody knows")
