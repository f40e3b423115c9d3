"""Commands about channels and sessions (IPMI 2.0, chapter 22). Channel 1 is the LAN, channel 0 the backplane."""

import ipaddress
import struct
from enum import unique

from blade_agent.backplane.command import NET_FN_APPLICATION, CommandCode
from blade_agent.backplane.message import Completion, CompletionCode
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES
from blade_agent.chassis_manager.lan.command_table import LAN_CHANNEL, Answer, Asked, CommandRefused, Entry, channel_of
from blade_agent.chassis_manager.lan.session import MAX_SESSIONS, LanSession, SessionTable
from blade_agent.chassis_manager.lan.users import Privilege, Users

BACKPLANE_CHANNEL = 0

_LEVEL_MASK = 0x0F
_EXTENDED = 0x80
_HAS_IPMI_2_0 = 0x02
_NAMED_USERS = 0x04
_BY_SUITE = 0x80
_LIST_INDEX_MASK = 0x3F
_RECORDS_BYTES = 16

_MEDIUM = {BACKPLANE_CHANNEL: 0x01, LAN_CHANNEL: 0x04}  # IPMB, 802.3 LAN
_MESSAGE_PROTOCOL_IPMB = 0x01
_MULTI_SESSION = 0x80
_IPMI_FORUM = (7154).to_bytes(3, "little")
_ALWAYS_AVAILABLE_NO_ALERTS = 0x22
_ACCESS_MASK = 0x3F

_THIS_SESSION = 0x00
_BY_HANDLE = 0xFE
_BY_ID = 0xFF
_IPMI_2_0_SESSION = 0x10
_PEER = struct.Struct("<4s6xH")
_ID = struct.Struct("<I")


@unique
class SetPrivilegeCompletion(Completion):
    """Why a session does not get the privilege (IPMI 2.0, 22.18)."""

    BEYOND_USER = 0x80
    BEYOND_SESSION = 0x81


@unique
class CloseSessionCompletion(Completion):
    """Why no session is closed (IPMI 2.0, 22.19)."""

    NO_SUCH_SESSION = 0x87


@unique
class SetAccessCompletion(Completion):
    """Why the access to a channel is not set (IPMI 2.0, 22.22)."""

    NO_SESSIONS = 0x82
    NOT_SUPPORTED = 0x83


class SessionCommands:
    """What is asked about, and around, sessions."""

    def __init__(self, sessions: SessionTable, users: Users, guid: bytes) -> None:
        """Take the manager's GUID of 16 bytes, which tools ask for before they log in."""
        self._guid = guid
        self._sessions = sessions
        self._users = users

    def entries(self) -> tuple[Entry, ...]:
        """Give the commands."""
        free, user, operator = None, Privilege.USER, Privilege.OPERATOR
        return (
            _entry("Get System GUID", 0x37, (0,), free, lambda _asked: self._guid),
            _entry("Get Channel Authentication Capabilities", 0x38, (2,), free, self._authentication_capabilities),
            _entry("Get Channel Cipher Suites", 0x54, (3,), free, self._cipher_suites),
            _entry("Set Session Privilege Level", 0x3B, (1,), user, self._set_privilege),
            _entry("Close Session", 0x3C, (4, 5), user, self._close),
            _entry("Get Session Info", 0x3D, (1, 2, 5), user, self._session_info),
            _entry("Set Channel Access", 0x40, (3,), Privilege.ADMINISTRATOR, self._set_channel_access),
            _entry("Get Channel Access", 0x41, (2,), operator, self._channel_access),
            _entry("Get Channel Info", 0x42, (1,), user, self._channel_info),
        )

    @staticmethod
    def _authentication_capabilities(asked: Asked) -> bytes:
        """Without bit 7 it is a client that knows IPMI 1.5 only, and finds no way in."""
        channel = channel_of(asked.fields[0])
        if channel != LAN_CHANNEL:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        extended = asked.fields[0] & _EXTENDED
        return bytes((channel, extended, _NAMED_USERS, _HAS_IPMI_2_0 if extended else 0, 0, 0, 0, 0))

    @staticmethod
    def _cipher_suites(asked: Asked) -> bytes:
        channel = channel_of(asked.fields[0])
        if channel != LAN_CHANNEL:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        if asked.fields[2] & _BY_SUITE:
            records = b"".join(suite.record for suite in CIPHER_SUITES)
        else:
            records = bytes(sorted({octet for suite in CIPHER_SUITES for octet in suite.record[2:]}))
        start = (asked.fields[2] & _LIST_INDEX_MASK) * _RECORDS_BYTES
        return bytes((channel,)) + records[start : start + _RECORDS_BYTES]

    @staticmethod
    def _set_privilege(asked: Asked) -> bytes:
        session, level = asked.within, asked.fields[0] & _LEVEL_MASK
        if level:
            if level not in list(Privilege):
                raise CommandRefused(CompletionCode.INVALID_FIELD)
            if level > session.user.level:
                raise CommandRefused(SetPrivilegeCompletion.BEYOND_USER)
            if level > session.limit:
                raise CommandRefused(SetPrivilegeCompletion.BEYOND_SESSION)
            session.privilege = Privilege(level)
        return bytes((session.privilege,))

    def _close(self, asked: Asked) -> bytes:
        """One's own session may be closed by everybody."""
        (managed_id,) = _ID.unpack_from(asked.fields)
        if bool(managed_id) == (len(asked.fields) > _ID.size):
            raise CommandRefused(CompletionCode.WRONG_LENGTH)
        session = self._sessions.find(managed_id) if managed_id else self._by_handle(asked.fields[_ID.size])
        if session is None:
            raise CommandRefused(CloseSessionCompletion.NO_SUCH_SESSION)
        if session is not asked.within and asked.within.privilege < Privilege.ADMINISTRATOR:
            raise CommandRefused(CompletionCode.INSUFFICIENT_PRIVILEGE)
        self._sessions.close(session)
        return b""

    def _session_info(self, asked: Asked) -> bytes:
        self._sessions.expire(asked.now)
        session = self._asked_for(asked)
        counts = bytes((MAX_SESSIONS, len(self._sessions)))
        if session is None:
            return b"\0" + counts
        peer = _PEER.pack(ipaddress.IPv4Address(session.peer.host).packed, session.peer.port)
        user = bytes((self._users.number(session.user), session.privilege, _IPMI_2_0_SESSION | LAN_CHANNEL))
        return bytes((session.handle,)) + counts + user + peer

    def _asked_for(self, asked: Asked) -> LanSession | None:
        index, key = asked.fields[0], asked.fields[1:]
        if len(key) != {_BY_HANDLE: 1, _BY_ID: _ID.size}.get(index, 0):
            raise CommandRefused(CompletionCode.WRONG_LENGTH)
        if index == _THIS_SESSION:
            return asked.within
        if index == _BY_HANDLE:
            return self._by_handle(key[0])
        if index == _BY_ID:
            return self._sessions.find(*_ID.unpack(key))
        sessions = list(self._sessions)
        return sessions[index - 1] if index <= len(sessions) else None

    def _by_handle(self, handle: int) -> LanSession | None:
        return next((session for session in self._sessions if session.handle == handle), None)

    def _channel_info(self, asked: Asked) -> bytes:
        channel = channel_of(asked.fields[0])
        if channel not in _MEDIUM:
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        support = _MULTI_SESSION | len(self._sessions) if channel == LAN_CHANNEL else 0
        return bytes((channel, _MEDIUM[channel], _MESSAGE_PROTOCOL_IPMB, support)) + _IPMI_FORUM + bytes(2)

    @staticmethod
    def _set_channel_access(asked: Asked) -> bytes:
        """The channel is as the settings have it; who sets it to what it is has it."""
        channel, access, limit = asked.fields
        if channel_of(channel) != LAN_CHANNEL:
            raise CommandRefused(SetAccessCompletion.NO_SESSIONS)
        if access >> 6 and access & _ACCESS_MASK != _ALWAYS_AVAILABLE_NO_ALERTS:
            raise CommandRefused(SetAccessCompletion.NOT_SUPPORTED)
        if limit >> 6 and limit & _LEVEL_MASK != Privilege.ADMINISTRATOR:
            raise CommandRefused(SetAccessCompletion.NOT_SUPPORTED)
        return b""

    @staticmethod
    def _channel_access(asked: Asked) -> bytes:
        """What is kept and what holds now are the same: both come from the settings."""
        if channel_of(asked.fields[0]) != LAN_CHANNEL or asked.fields[1] >> 6 not in (1, 2):
            raise CommandRefused(CompletionCode.INVALID_FIELD)
        return bytes((_ALWAYS_AVAILABLE_NO_ALERTS, Privilege.ADMINISTRATOR))


def _entry(
    name: str, number: int, lengths_bytes: tuple[int, ...], privilege: Privilege | None, answer: Answer
) -> Entry:
    code = CommandCode(NET_FN_APPLICATION, b"", number)
    return Entry(name=name, code=code, lengths_bytes=lengths_bytes, privilege=privilege, answer=answer)
