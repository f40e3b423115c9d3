"""The user-based security model of an authoritative engine (RFC 3414), without I/O."""

import struct
from collections.abc import Iterable
from random import Random

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.access import USM, Level
from media_network.snmp.ber import Oid
from media_network.snmp.cipher import Aes
from media_network.snmp.counters import Counters
from media_network.snmp.keys import AuthProtocol, Signer, localized
from media_network.snmp.message import AUTH_FLAG, PRIV_FLAG, USER_SECURITY, Header, Parameters

MAX_BOOTS = 2**31 - 1
"""An engine that has come so far is in nobody's time window any more (RFC 3414, 2.2.2)."""
TIME_WINDOW_S = 150
_SALT_OCTETS = 8
_USM_STATS: Oid = (1, 3, 6, 1, 6, 3, 15, 1, 1)
_USM_COUNTERS = {
    "unsupported_security_levels": 1,
    "not_in_time_windows": 2,
    "unknown_user_names": 3,
    "unknown_engine_ids": 4,
    "wrong_digests": 5,
    "decryption_errors": 6,
}
_SALT = bytes((ber.OCTET_STRING, _SALT_OCTETS))
_NO_SALT = bytes((ber.OCTET_STRING, 0))
_VECTOR = struct.Struct(">II")
_NO_AUTH_NO_PRIV, _AUTH_PRIV = Level.NO_AUTH_NO_PRIV, Level.AUTH_PRIV


class EngineIdentity(Struct, frozen=True):
    """What an engine is known by, and how often it has been started."""

    engine_id: bytes
    boots: int


class UsmReport(Exception):
    """A message that is answered by a report: the counter that says why, and how the report is secured."""

    def __init__(self, oid: Oid, count: int, level: Level, user: "UsmUser | None", request_id: bytes = b"") -> None:
        super().__init__(oid, count)
        self.oid = oid
        self.count = count
        self.level = level
        self.user = user
        self.request_id = request_id
        """As it is written; empty if it is not known."""


class UsmUser:
    """A user at this engine, with localized keys."""

    def __init__(self, name: str, engine_id: bytes, auth: tuple[AuthProtocol, str], priv_password: str = "") -> None:
        """Take the authentication protocol and password, and the privacy password, which may be empty: no privacy."""
        protocol, password = auth
        self.name = name
        self.octets = name.encode()
        self.who = (USM, name)
        """Security model and name."""
        self.name_value = ber.tagged(ber.OCTET_STRING, self.octets)
        self.protocol = protocol
        self.signer = Signer(protocol, localized(protocol.digest, password.encode(), engine_id))
        self.cipher: Aes | None = None
        if priv_password:
            self.cipher = Aes(localized(protocol.digest, priv_password.encode(), engine_id))


class UserSecurity:
    """Opens the messages that come in, and seals those that go out."""

    def __init__(
        self,
        identity: EngineIdentity,
        users: Iterable[UsmUser],
        *,
        counters: Counters,
        max_size: int,
        started: float,
        rng: Random,
    ) -> None:
        """Take who the engine is and whom it knows; `max_size` is what it tells others that it takes."""
        self.identity = identity
        self._boots = identity.boots
        self._engine_id = identity.engine_id
        self.users = {user.octets: user for user in users}
        self._counters = counters
        self._max_size = ber.integer(max_size)
        self._started = started
        self._salt = rng.getrandbits(64)
        self._stamp = -1
        """The second for which these were made: what is in front of codes, and the beginning of vectors."""
        self._openings: dict[tuple[UsmUser, Level], bytes] = {}
        self._vector = b""
        self._own = ber.tagged(ber.OCTET_STRING, identity.engine_id) + ber.integer(identity.boots)

    def engine_time(self, now: float) -> int:
        """Give snmpEngineTime: seconds since the engine started."""
        return min(int(now - self._started), MAX_BOOTS)

    def open(self, octets: bytes, header: Header, parameters: Parameters, now: float) -> tuple[UsmUser, Level, bytes]:
        """Give who sent a message, how it was secured, and the encoded scoped PDU (RFC 3414, 3.2).

        Raises Report, and BerError.
        """
        if parameters.engine_id != self._engine_id:
            raise self.fault("unknown_engine_ids")
        user = self.users.get(parameters.user)
        if user is None:
            raise self.fault("unknown_user_names")
        flags = header.flags
        if not flags & AUTH_FLAG:
            return user, _NO_AUTH_NO_PRIV, octets[header.data : header.end]
        if flags & PRIV_FLAG and user.cipher is None:
            raise self.fault("unsupported_security_levels")
        if not user.signer.verifies(octets, parameters.code, parameters.code_stop):
            raise self.fault("wrong_digests")
        if not self._timely(parameters, now):
            raise self.fault("not_in_time_windows", user)
        if not flags & PRIV_FLAG:
            return user, Level.AUTH_NO_PRIV, octets[header.data : header.end]
        return user, _AUTH_PRIV, self._decrypted(octets, header, parameters, user)

    def seal(
        self,
        message_id: bytes,
        scoped: bytes,
        user: UsmUser | None,
        level: Level,
        now: float,
        *,
        name: bytes = b"",
    ) -> bytes:
        """Write a whole message around a scoped PDU, signed and encrypted with the keys of `user`.

        `message_id` is as it came: tag, length and content. `name` stands in it if `user` is nobody we know.
        """
        time_s = self.engine_time(now)
        if self._stamp != time_s:
            self._stamp = time_s
            self._openings.clear()
            self._vector = _VECTOR.pack(self._boots, time_s)
        opening = self._openings.get((user, level)) if user is not None else None
        opening = opening or self._open_with(user, level, name)
        if level is _AUTH_PRIV and user is not None and user.cipher is not None:
            self._salt = (self._salt + 1) & 0xFFFFFFFFFFFFFFFF
            salt = self._salt.to_bytes(_SALT_OCTETS, "big")
            data = user.cipher.encrypt(scoped, self._vector + salt)
            behind = _SALT + salt + ber.header(ber.OCTET_STRING, len(data)) + data
        else:
            behind = _NO_SALT + scoped
        # The message as it is but for its code, in front of the code and behind it.
        before = self._global_data(message_id, level) + opening
        signer = user.signer if user is not None and level is not _NO_AUTH_NO_PRIV else None
        if signer is None:
            return ber.header(ber.SEQUENCE, len(before) + len(behind)) + before + behind
        before = ber.header(ber.SEQUENCE, len(before) + signer.code_octets + len(behind)) + before
        return before + signer.code(before, behind) + behind

    def _open_with(self, user: UsmUser | None, level: Level, stranger: bytes) -> bytes:
        """Write what is between global data and authentication code, the same for one user during a second."""
        code_octets = user.signer.code_octets if user is not None and level is not _NO_AUTH_NO_PRIV else 0
        salt_octets = _SALT_OCTETS if user is not None and user.cipher is not None and level is _AUTH_PRIV else 0
        name = ber.tagged(ber.OCTET_STRING, stranger) if user is None else user.name_value
        before = self._own + ber.integer(self._stamp) + name + ber.header(ber.OCTET_STRING, code_octets)
        inside = len(before) + code_octets + 2 + salt_octets
        opening = ber.header(ber.SEQUENCE, inside)
        opening = ber.header(ber.OCTET_STRING, len(opening) + inside) + opening + before
        if user is not None:
            self._openings[user, level] = opening
        return opening

    def _timely(self, parameters: Parameters, now: float) -> bool:
        if parameters.boots != self._boots or self._boots >= MAX_BOOTS:
            return False
        return -TIME_WINDOW_S <= parameters.time - self.engine_time(now) <= TIME_WINDOW_S

    def _decrypted(self, octets: bytes, header: Header, parameters: Parameters, user: UsmUser) -> bytes:
        start, stop = ber.read_expected(octets, header.data, header.end, ber.OCTET_STRING)
        if user.cipher is None or len(parameters.salt) != _SALT_OCTETS or stop != header.end:
            raise self.fault("decryption_errors")
        vector = _VECTOR.pack(parameters.boots, parameters.time) + parameters.salt
        return user.cipher.decrypt(octets[start:stop], vector)

    def fault(self, counter: str, user: UsmUser | None = None) -> UsmReport:
        """Count a message that is not taken, and give its report, signed for `user` if he is authentic."""
        count = getattr(self._counters, counter) + 1
        setattr(self._counters, counter, count)
        level = Level.NO_AUTH_NO_PRIV if user is None else Level.AUTH_NO_PRIV
        return UsmReport((*_USM_STATS, _USM_COUNTERS[counter], 0), count, level, user)

    def _global_data(self, message_id: bytes, level: Level) -> bytes:
        """Write version and global data; a response is not reportable."""
        body = message_id + self._max_size + _FLAGS_AND_MODEL[level]
        return b"\x02\x01\x03" + ber.header(ber.SEQUENCE, len(body)) + body


_FLAGS_AND_MODEL = {
    level: bytes((ber.OCTET_STRING, 1, flags, ber.INTEGER, 1, USER_SECURITY))
    for level, flags in (
        (Level.NO_AUTH_NO_PRIV, 0),
        (Level.AUTH_NO_PRIV, AUTH_FLAG),
        (Level.AUTH_PRIV, AUTH_FLAG | PRIV_FLAG),
    )
}
