"""Serial over LAN: the console of slot n is payload instance n (IPMI 2.0, chapters 15, 24 and 26)."""

import struct
from collections.abc import Callable, Iterable
from enum import unique
from typing import Final

from blade_agent.backplane.command import NET_FN_APPLICATION, NET_FN_TRANSPORT, CommandCode
from blade_agent.backplane.message import Completion, CompletionCode, ParameterCompletion
from blade_agent.chassis_manager.lan.command_table import Asked, CommandRefused, Entry, channel_of
from blade_agent.chassis_manager.lan.packet import PayloadType
from blade_agent.chassis_manager.lan.session import LanSession, SessionTable
from blade_agent.chassis_manager.lan.sol_stream import LONGEST_TEXT_BYTES, Console, SolStream
from blade_agent.chassis_manager.lan.users import Privilege

MOST_CONSOLES: Final = 15
"""Instances of a payload: their number has four bits."""

_PAYLOAD_BYTES: Final = LONGEST_TEXT_BYTES + 4
_TYPE: Final = 0x3F
_INSTANCE: Final = 0x0F
_NO_VLAN: Final = 0xFFFF
_ACTIVATED: Final = struct.Struct("<IHHHH")
_SESSION: Final = struct.Struct("<I8x")
_IPMI_AND_SOL: Final = 0x03
_LOGIN_STEPS: Final = 0x3F
_SUPPORT: Final = struct.Struct("<HHHH")
_VERSION_1_0: Final = 0x10
_MAY_USE_SOL: Final = bytes((0x02, 0, 0, 0))
_REVISION: Final = 0x11
_REVISION_ALONE: Final = 0x80
_SET_IN_PROGRESS, _ENABLED, _AUTHENTICATION, _ACCUMULATION, _RETRIES, _CHANNEL, _PORT = 0, 1, 2, 3, 4, 7, 8
_ENCRYPTED_AND_AUTHENTICATED: Final = 0xC0
_LOOK_UNITS: Final = bytes((40, 1))
"""How often the console is looked at, in 5 ms, and from how many characters on something is sent."""
_REPEATS: Final = bytes((7, 30))
"""How often a packet is repeated, and after how many 10 ms."""


@unique
class ActivateCompletion(Completion):
    """Why a payload is not activated, or not deactivated (IPMI 2.0, 24.1 and 24.2)."""

    ALREADY = 0x80
    DISABLED = 0x81


class SolCommands:
    """The consoles that there are, and who reads them."""

    def __init__(
        self,
        sessions: SessionTable,
        slots: Iterable[int],
        open_console: Callable[[int], Console | None],
        port: Callable[[], int],
    ) -> None:
        """Take the slots whose consoles can be read, how to open one (None: it cannot be), and the UDP port."""
        self._sessions = sessions
        self._slots = frozenset(slot for slot in slots if 1 <= slot <= MOST_CONSOLES)
        self._open = open_console
        self._port = port
        self.streams: dict[int, SolStream] = {}
        """Those that are read, by slot."""

    def entries(self, channel: int) -> tuple[Entry, ...]:
        """Give the commands."""
        self._channel = channel
        user, operator, administrator = Privilege.USER, Privilege.OPERATOR, Privilege.ADMINISTRATOR
        of_application = (
            ("Activate Payload", 0x48, (6,), operator, self._activate),
            ("Deactivate Payload", 0x49, (6,), operator, self._deactivate),
            ("Get Payload Activation Status", 0x4A, (1,), user, self._status),
            ("Get Payload Instance Info", 0x4B, (2,), user, self._instance),
            ("Set User Payload Access", 0x4C, (6,), administrator, _set_access),
            ("Get User Payload Access", 0x4D, (2,), operator, self._access),
            ("Get Channel Payload Support", 0x4E, (1,), user, self._support),
            ("Get Channel Payload Version", 0x4F, (2,), user, self._version),
        )
        of_transport = (
            ("Set SOL Configuration Parameters", 0x21, tuple(range(2, 20)), administrator, self._set_parameter),
            ("Get SOL Configuration Parameters", 0x22, (4,), user, self._parameter),
        )
        return tuple(
            Entry(
                name=name, code=CommandCode(net_fn, b"", number), lengths_bytes=lengths, privilege=least, answer=answer
            )
            for net_fn, commands in ((NET_FN_APPLICATION, of_application), (NET_FN_TRANSPORT, of_transport))
            for name, number, lengths, least, answer in commands
        )

    @property
    def due(self) -> float | None:
        """When `tick` has something to do."""
        return min((stream.due for stream in self.streams.values()), default=None)

    def tick(self, now: float) -> list[tuple[LanSession, bytes]]:
        """Give what is to be said to whom. A stream ends with its session."""
        self._sessions.expire(now)
        said = []
        for slot, stream in list(self.streams.items()):
            session = self._sessions.find(stream.session)
            if session is None:
                self._end(slot)
            elif (payload := stream.tick(now)) is not None:
                said.append((session, payload))
        return said

    def receive(self, session: LanSession, payload: bytes, now: float) -> list[bytes]:
        """Take what a session says to its consoles. It has one, as a rule: nothing in a payload names another."""
        streams = [stream for stream in self.streams.values() if stream.session == session.managed_id]
        return [answer for stream in streams for answer in stream.receive(payload, now)]

    def close(self) -> None:
        """End all."""
        for slot in list(self.streams):
            self._end(slot)

    def _end(self, slot: int) -> None:
        self.streams.pop(slot).close()

    def _activate(self, asked: Asked) -> bytes:
        """A session reads one console at a time: its packets do not say of which they are."""
        session, slot = asked.within, self._console_of(asked.fields)
        before = self.streams.get(slot)
        if before is not None and self._sessions.find(before.session) is None:
            self._end(slot)
        if slot in self.streams or any(stream.session == session.managed_id for stream in self.streams.values()):
            raise CommandRefused(ActivateCompletion.ALREADY)
        console = self._open(slot)
        if console is None:
            raise CommandRefused(ActivateCompletion.DISABLED)
        self.streams[slot] = SolStream(session.managed_id, console, asked.now)
        return _ACTIVATED.pack(0, _PAYLOAD_BYTES, _PAYLOAD_BYTES, self._port(), _NO_VLAN)

    def _deactivate(self, asked: Asked) -> bytes:
        slot = self._console_of(asked.fields)
        if slot not in self.streams:
            raise CommandRefused(ActivateCompletion.ALREADY)
        self._end(slot)
        return b""

    def _console_of(self, fields: bytes) -> int:
        """Give the slot that a payload's type and instance name."""
        if fields[0] & _TYPE != PayloadType.SOL:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        slot = fields[1] & _INSTANCE
        if slot not in self._slots:
            raise CommandRefused(ActivateCompletion.DISABLED)
        return slot

    def _status(self, asked: Asked) -> bytes:
        if asked.fields[0] & _TYPE != PayloadType.SOL:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        active = sum(1 << slot - 1 for slot in self.streams)
        return bytes((max(self._slots, default=0),)) + active.to_bytes(2, "little")

    def _instance(self, asked: Asked) -> bytes:
        stream = self.streams.get(self._console_of(asked.fields))
        return _SESSION.pack(0 if stream is None else stream.session)

    def _access(self, asked: Asked) -> bytes:
        """Whoever may log in as an operator may read consoles."""
        self._of_lan(asked.fields[0])
        return _MAY_USE_SOL

    def _support(self, asked: Asked) -> bytes:
        self._of_lan(asked.fields[0])
        return _SUPPORT.pack(_IPMI_AND_SOL, _LOGIN_STEPS, 0, 0)

    def _version(self, asked: Asked) -> bytes:
        self._of_lan(asked.fields[0])
        if asked.fields[1] & _TYPE not in (PayloadType.IPMI, PayloadType.SOL):
            raise CommandRefused(ParameterCompletion.NOT_SUPPORTED)
        return bytes((_VERSION_1_0,))

    def _of_lan(self, octet: int) -> None:
        if channel_of(octet) != self._channel:
            raise CommandRefused(CompletionCode.INVALID_FIELD)

    def _parameters(self) -> dict[int, bytes]:
        return {
            _SET_IN_PROGRESS: b"\0",
            _ENABLED: bytes((bool(self._slots),)),
            _AUTHENTICATION: bytes((_ENCRYPTED_AND_AUTHENTICATED | Privilege.OPERATOR,)),
            _ACCUMULATION: _LOOK_UNITS,
            _RETRIES: _REPEATS,
            _CHANNEL: bytes((self._channel,)),
            _PORT: self._port().to_bytes(2, "little"),
        }

    def _parameter(self, asked: Asked) -> bytes:
        self._of_lan(asked.fields[0])
        value = self._parameters().get(asked.fields[1])
        if value is None:
            raise CommandRefused(ParameterCompletion.NOT_SUPPORTED)
        return bytes((_REVISION,)) + (b"" if asked.fields[0] & _REVISION_ALONE else value)

    def _set_parameter(self, asked: Asked) -> bytes:
        self._of_lan(asked.fields[0])
        known = asked.fields[1] in self._parameters()
        raise CommandRefused(ParameterCompletion.READ_ONLY if known else ParameterCompletion.NOT_SUPPORTED)


def _set_access(_asked: Asked) -> bytes:
    raise CommandRefused(CompletionCode.WRONG_STATE)
