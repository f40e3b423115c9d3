"""A manager for benchmarks: writes requests beforehand, and then only sends and waits."""

import random
import socket
from collections.abc import Iterable, Sequence
from itertools import cycle, islice

from media_network.address import Address
from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.ber import Oid
from media_network.snmp.counters import Counters
from media_network.snmp.keys import AUTH_PROTOCOLS
from media_network.snmp.message import read_header, read_parameters, write_scoped_pdu
from media_network.snmp.pdu import PduType, read_bindings, read_pdu, write_pdu
from media_network.snmp.settings import UserSettings
from media_network.snmp.usm import EngineIdentity, UserSecurity, UsmUser
from media_network.snmp.value import NULL_VALUE
from media_network.snmp.visible import binding

_TIMEOUT_S = 5
_MESSAGE_ID = ber.integer(1)
_FIRST_NUMBER = 0x1234_5678
"""Of requests and messages: managers begin somewhere, and count."""
_DATAGRAM_OCTETS = 65_507


class SnmpManager:
    """Asks one agent."""

    def __init__(self, agent: Address, community: str, user: UserSettings) -> None:
        self._sock = socket.socket(type=socket.SOCK_DGRAM)
        self._sock.settimeout(_TIMEOUT_S)
        self._sock.connect(agent)
        self._community = ber.tagged(ber.OCTET_STRING, community.encode())
        self._user_settings = user

    def ask(self, message: bytes) -> bytes:
        """Send a message and wait for the answer. Raises TimeoutError, ConnectionRefusedError."""
        self._sock.send(message)
        return self._sock.recv(_DATAGRAM_OCTETS)

    def ask_all(self, messages: Sequence[bytes], times: int) -> None:
        """Send messages one after the other, again from the first after the last."""
        for message in islice(cycle(messages), times):
            self.ask(message)

    def walk(self, roots: Iterable[Oid]) -> list[Oid]:
        """Give the names of all instances below some names."""
        found = []
        for root in roots:
            name = root
            while (behind := self._next(name)) > name and behind[: len(root)] == root:
                name = behind
                found.append(name)
        return found

    def plain(self, pdu: bytes) -> bytes:
        """Write an SNMPv2c message."""
        return ber.tagged(ber.SEQUENCE, ber.integer(1) + self._community + pdu)

    def secure(self, pdus: Iterable[bytes], user: UserSettings | None = None) -> list[bytes]:
        """Write SNMPv3 messages, authenticated and encrypted, that are good for the next two minutes."""
        identity, time_s = self._discovered()
        known = user or self._user_settings
        auth = (AUTH_PROTOCOLS[known.auth_protocol], known.auth_password)
        sender = UsmUser(known.user, identity.engine_id, auth, known.priv_password)
        security = _security(identity)
        scoped = (write_scoped_pdu(identity.engine_id, b"", pdu) for pdu in pdus)
        return [
            security.seal(ber.integer(_FIRST_NUMBER + number), one, sender, Level.AUTH_PRIV, time_s)
            for number, one in enumerate(scoped)
        ]

    def _next(self, name: Oid) -> Oid:
        answer = self.ask(self.plain(question(PduType.GET_NEXT, name)))
        _, at, end = ber.read_header(answer, 0, len(answer))
        _, at = ber.read_integer(answer, at, end)
        _, at = ber.read_expected(answer, at, end, ber.OCTET_STRING)
        return read_bindings(read_pdu(answer, at, end), 1)[0].oid

    def _discovered(self) -> tuple[EngineIdentity, int]:
        nobody = _security(EngineIdentity(b"", 0))
        probe = nobody.seal(
            _MESSAGE_ID, write_scoped_pdu(b"", b"", question(PduType.GET)), None, Level.NO_AUTH_NO_PRIV, 0
        )
        # The one octet of flags: reports are asked for.
        answer = self.ask(probe.replace(b"\x04\x01\x00\x02\x01\x03", b"\x04\x01\x04\x02\x01\x03"))
        _, at, end = ber.read_header(answer, 0, len(answer))
        _, at = ber.read_integer(answer, at, end)
        header = read_header(answer, at, end)
        told = read_parameters(answer, header.parameters, header.data)
        return EngineIdentity(told.engine_id, told.boots), told.time


def questions(kind: PduType, names: Iterable[Oid], repetitions: int = 0) -> list[bytes]:
    """Write the PDUs of requests for one name each, with numbers that follow one another."""
    return [question(kind, name, repetitions=repetitions, number=_FIRST_NUMBER + n) for n, name in enumerate(names)]


def question(kind: PduType, *names: Oid, repetitions: int = 0, number: int = 1) -> bytes:
    """Write a request's PDU."""
    bindings = b"".join(binding(ber.write_oid(name), NULL_VALUE) for name in names)
    return write_pdu(kind, ber.integer(number), bindings, 0, repetitions)


def _security(identity: EngineIdentity) -> UserSecurity:
    return UserSecurity(identity, (), counters=Counters(), max_size=_DATAGRAM_OCTETS, started=0, rng=random.Random(1))
