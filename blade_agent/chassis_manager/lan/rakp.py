"""The login's messages and digests: Open Session, RAKP 1 to 4 (IPMI 2.0, 13.17 to 13.24, 13.31).

Of the two session ids each side chooses the one by which it is called: the console's comes first everywhere.
"""

import struct
from enum import IntEnum

from msgspec import Struct

from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES, CipherSuite
from blade_agent.chassis_manager.lan.packet import LanFault, PacketDropped
from blade_agent.chassis_manager.lan.users import MAX_NAME_BYTES

RANDOM_BYTES = 16
_OPEN_SESSION = struct.Struct("<BB2xI8s8s8s")
_ALGORITHM = struct.Struct("<B2xBB3x")
_ALGORITHM_BYTES = 8
_RAKP_1 = struct.Struct("<B3xI16sB2xB")
_RAKP_3 = struct.Struct("<BB2xI")
_REPLY = struct.Struct("<BBBxI")
_SESSION = struct.Struct("<I")


class Status(IntEnum):
    """How a step of the login went (IPMI 2.0, table 13-15)."""

    OK = 0x00
    NO_ROOM = 0x01
    UNKNOWN_SESSION = 0x02
    UNAUTHORIZED_ROLE = 0x0A
    WRONG_INTEGRITY_CODE = 0x0F
    NO_SUCH_SUITE = 0x11


class OpenSession(Struct, frozen=True):
    """The console's wish: its own id for the session, and the algorithms."""

    tag: int
    privilege: int
    """Highest privilege wanted; 0 for as much as the user has."""
    console_id: int
    suite: CipherSuite | None
    """None if the algorithms are no suite that is known here."""


class Rakp1(Struct, frozen=True):
    """Who the console says it is, and its random number."""

    tag: int
    managed_id: int
    console_random: bytes
    role: int
    """Privilege wanted in bits 3 to 0; the octet goes into every digest as it is."""
    name: bytes

    @property
    def privilege(self) -> int:
        """Privilege that is wanted."""
        return self.role & 0x0F


class Rakp3(Struct, frozen=True):
    """The console's proof, or why it gives up."""

    tag: int
    status: int
    managed_id: int
    code: bytes


class Exchange(Struct, frozen=True, kw_only=True):
    """Everything that the digests of one login are made of."""

    suite: CipherSuite
    key: bytes
    """The user's password."""
    console_id: int
    managed_id: int
    console_random: bytes
    managed_random: bytes
    guid: bytes
    role: int
    name: bytes

    def rakp_2_code(self) -> bytes:
        """Give the manager's proof that it knows the password."""
        octets = self._ids + self.console_random + self.managed_random + self.guid + self._user
        return self.suite.keyed_digest(self.key, octets)

    def rakp_3_code(self) -> bytes:
        """Give the console's proof that it knows the password."""
        return self.suite.keyed_digest(self.key, self.managed_random + _SESSION.pack(self.console_id) + self._user)

    def session_integrity_key(self) -> bytes:
        """Give the key from which the session's keys are made."""
        return self.suite.keyed_digest(self.key, self.console_random + self.managed_random + self._user)

    def rakp_4_code(self) -> bytes:
        """Give the manager's proof that it has made the same keys."""
        octets = self.console_random + _SESSION.pack(self.managed_id) + self.guid
        return self.suite.keyed_digest(self.session_integrity_key(), octets)[: self.suite.code_bytes]

    @property
    def _ids(self) -> bytes:
        return _SESSION.pack(self.console_id) + _SESSION.pack(self.managed_id)

    @property
    def _user(self) -> bytes:
        return bytes((self.role, len(self.name))) + self.name


def read_open_session(payload: bytes) -> OpenSession:
    """Read an Open Session Request. Raises PacketDropped."""
    if len(payload) != _OPEN_SESSION.size:
        raise PacketDropped(LanFault.BAD_LOGIN)
    tag, privilege, console_id, *algorithms = _OPEN_SESSION.unpack(payload)
    return OpenSession(tag, privilege & 0x0F, console_id, _suite(algorithms))


def read_rakp_1(payload: bytes) -> Rakp1:
    """Read RAKP message 1. Raises PacketDropped."""
    if len(payload) < _RAKP_1.size:
        raise PacketDropped(LanFault.BAD_LOGIN)
    tag, managed_id, console_random, role, name_bytes = _RAKP_1.unpack_from(payload)
    name = payload[_RAKP_1.size :]
    if len(name) < name_bytes or len(name) > MAX_NAME_BYTES:
        raise PacketDropped(LanFault.BAD_LOGIN)
    return Rakp1(tag, managed_id, console_random, role, name[:name_bytes])


def read_rakp_3(payload: bytes) -> Rakp3:
    """Read RAKP message 3. Raises PacketDropped."""
    if len(payload) < _RAKP_3.size:
        raise PacketDropped(LanFault.BAD_LOGIN)
    tag, status, managed_id = _RAKP_3.unpack_from(payload)
    return Rakp3(tag, status, managed_id, payload[_RAKP_3.size :])


def open_session_response(request: OpenSession, privilege: int, managed_id: int, suite: CipherSuite) -> bytes:
    """Give the answer to an Open Session Request that is granted."""
    numbers = (suite.authentication, suite.integrity, suite.confidentiality)
    algorithms = b"".join(_ALGORITHM.pack(kind, _ALGORITHM_BYTES, number) for kind, number in enumerate(numbers))
    header = _REPLY.pack(request.tag, Status.OK, privilege, request.console_id)
    return header + _SESSION.pack(managed_id) + algorithms


def reply(tag: int, status: Status, console_id: int, rest: bytes = b"") -> bytes:
    """Give RAKP message 2 or 4, or a refusal of any step."""
    return _REPLY.pack(tag, status, 0, console_id) + rest


def _suite(algorithms: list[bytes]) -> CipherSuite | None:
    numbers = []
    for kind, octets in enumerate(algorithms):
        said_kind, length_bytes, number = _ALGORITHM.unpack(octets)
        if (said_kind, length_bytes) != (kind, _ALGORITHM_BYTES):
            return None
        numbers.append(number & 0x3F)
    for suite in CIPHER_SUITES:
        if numbers == [suite.authentication, suite.integrity, suite.confidentiality]:
            return suite
    return None
