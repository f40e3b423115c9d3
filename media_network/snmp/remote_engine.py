"""An engine that is authoritative for what it says (RFC 3414, 3.2), as others hear it: keys and clock."""

import struct

from msgspec import Struct

from media_network.snmp import ber
from media_network.snmp.keys import AUTH_PROTOCOLS
from media_network.snmp.message import (
    AUTH_FLAG,
    PRIV_FLAG,
    USER_SECURITY,
    VERSION_3,
    Header,
    Parameters,
    ScopedPdu,
    read_header,
    read_parameters,
    read_scoped_pdu,
)
from media_network.snmp.pdu import Pdu, read_pdu
from media_network.snmp.settings import UserSettings
from media_network.snmp.usm import MAX_BOOTS, TIME_WINDOW_S, UsmUser

SALT_OCTETS = 8
VECTOR = struct.Struct(">II")


class NotBelieved(ValueError):
    """A message that is not the agent's, or not now."""


class Incoming(Struct, gc=False):
    """A message whose outside has been read."""

    number: int
    octets: bytes
    header: Header
    parameters: Parameters


def open_message(octets: bytes) -> Incoming:
    """Read the outside of a datagram. Raises BerError, NotBelieved."""
    at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
    version, at = ber.read_integer(octets, at, end)
    if version != VERSION_3 or end != len(octets):
        raise NotBelieved("no message of SNMPv3, or something behind it")
    header = read_header(octets, at, end)
    if header.security_model != USER_SECURITY or header.flags & (AUTH_FLAG | PRIV_FLAG) == PRIV_FLAG:
        raise NotBelieved("another security model, or encrypted and not authentic")
    number, _ = ber.read_integer(header.message_id, 0, len(header.message_id))
    return Incoming(number, octets, header, read_parameters(octets, header.parameters, header.data))


class RemoteEngine:
    """One such engine."""

    def __init__(self, settings: UserSettings, engine_id: bytes) -> None:
        """Take the user of that engine by whose keys it is believed."""
        private = settings.priv_protocol != "none"
        auth = (AUTH_PROTOCOLS[settings.auth_protocol], settings.auth_password)
        self.engine_id = engine_id
        self.user = UsmUser(settings.user, engine_id, auth, settings.priv_password if private else "")
        self.boots = self._time = 0
        """The latest that were heard (RFC 3414, 2.3), at `_heard_at`."""
        self._heard_at = 0.0

    def forget_clock(self) -> None:
        """Believe the next clock that is heard."""
        self.boots = self._time = 0

    def time(self, now: float) -> int:
        """Its snmpEngineTime."""
        return min(self._time + int(now - self._heard_at), MAX_BOOTS)

    def open(self, incoming: Incoming, now: float) -> tuple[ScopedPdu, Pdu]:
        """Read a message that says that it is authentic. Raises BerError, NotBelieved."""
        octets, header, parameters, user = incoming.octets, incoming.header, incoming.parameters, self.user
        if parameters.engine_id != self.engine_id or parameters.user != user.octets:
            raise NotBelieved("from another engine, or of another user")
        if not user.signer.verifies(octets, parameters.code, parameters.code_stop):
            raise NotBelieved("not authentic")
        self._hear(parameters.boots, parameters.time, now)
        plain = octets[header.data : header.end]
        if header.flags & PRIV_FLAG:
            start, stop = ber.read_expected(plain, 0, len(plain), ber.OCTET_STRING)
            if user.cipher is None or len(parameters.salt) != SALT_OCTETS or stop != len(plain):
                raise NotBelieved("encrypted in another way")
            vector = VECTOR.pack(parameters.boots, parameters.time) + parameters.salt
            plain = user.cipher.decrypt(plain[start:stop], vector)
        scoped = read_scoped_pdu(plain)
        return scoped, read_pdu(plain, scoped.start, scoped.stop)

    def _hear(self, boots: int, time: int, now: float) -> None:
        """Take the clock of an authentic message (RFC 3414, 3.2, 7 b)."""
        if (boots, time) > (self.boots, self._time):
            self.boots, self._time, self._heard_at = boots, time, now
        if self.boots >= MAX_BOOTS or boots < self.boots or time < self.time(now) - TIME_WINDOW_S:
            raise NotBelieved("not from the time window")
