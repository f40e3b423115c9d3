"""Objects of every syntax, ours and pysnmp's, and a network of users; what the tests of this folder ask about."""

import asyncio
import contextlib
import os
import random
from dataclasses import dataclass, field

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.counters import Counters
from media_network.snmp.engine import Limits
from media_network.snmp.index import Assignment, Index, ObjectType, Rows, scalar
from media_network.snmp.keys import AUTH_PROTOCOLS
from media_network.snmp.message import read_header, read_parameters, read_scoped_pdu, write_scoped_pdu
from media_network.snmp.pdu import PduType, read_bindings, read_pdu, write_pdu
from media_network.snmp.service import open_engine, serve_snmp
from media_network.snmp.settings import CommunitySettings, SnmpSettings, UserSettings
from media_network.snmp.usm import EngineIdentity, UserSecurity, UsmUser
from media_network.snmp.value import (
    COUNTER32,
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    IP_ADDRESS,
    OBJECT_ID,
    OCTET_STRING,
    TIME_TICKS,
    ErrorStatus,
    ValueRefused,
    enumerated,
)
from media_network.snmp.visible import binding

BASE = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7)
SCALARS = (*BASE, 1)
ENTRY = (*BASE, 2, 1)
NAME = (*SCALARS, 1)
LEVEL = (*SCALARS, 2)
STATE = (*SCALARS, 3)
UPTIME = (*SCALARS, 4)
FRAGILE = (*SCALARS, 5)
KEY = (*SCALARS, 6)
BROKEN = (*SCALARS, 300)

USERS = tuple(
    UserSettings(
        user=f"{access}-{protocol}-{privacy}",
        auth_protocol=protocol,
        auth_password="authentication-1",
        priv_protocol=privacy,
        priv_password="" if privacy == "none" else "encryption-1",
        group=access,
    )
    for access in ("read-only", "read-write")
    for protocol in ("SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512")
    for privacy in ("AES", "none")
)
SETTINGS = SnmpSettings(
    port=0,
    users=USERS,
    communities=(
        CommunitySettings(community="reader"),
        CommunitySettings(community="writer", group="read-write"),
        CommunitySettings(community="of-blade-3", context="blade3"),
        CommunitySettings(community="of-nothing", context="nowhere"),
    ),
)
MESSAGE_ID = ber.integer(4711)
IDENTITY = EngineIdentity(bytes.fromhex("80001f8805") + bytes(range(12)), 7)


@dataclass
class Specimen:
    """A provider; `written` lists what was committed and undone."""

    name: str = "here"
    level: int = 5
    state: int = 1
    key: bytes = b"\0\x01\x02"
    rows: Rows = field(default_factory=lambda: Rows((index, index) for index in INDEXES))
    written: list = field(default_factory=list)
    failures: list = field(default_factory=list)
    """What each commit to `FRAGILE` raises, None for nothing."""

    def objects(self):
        yield scalar(NAME, DISPLAY_STRING.sized((1, 32)), lambda: self.name, lambda new: self.change("name", new))
        yield scalar(LEVEL, INTEGER32.within((0, 10)), lambda: self.level, lambda new: self.change("level", new))
        yield scalar(STATE, enumerated(up=1, down=2), lambda: self.state, lambda new: self.change("state", new))
        yield scalar(UPTIME, TIME_TICKS, lambda: 4_000_000_000)
        yield scalar(FRAGILE, GAUGE32, lambda: 1, self.fragile)
        yield scalar(KEY, OCTET_STRING.sized((3, 3)), lambda: self.key, lambda new: self.change("key", new))
        for number, syntax, read in COLUMNS:
            yield ObjectType((*ENTRY, number), syntax, self.rows, read)

    def change(self, attribute, new):
        if new == "refused":
            raise ValueRefused(ErrorStatus.INCONSISTENT_VALUE)
        old = getattr(self, attribute)

        def assign(value, verb):
            setattr(self, attribute, value)
            self.written.append((verb, attribute, value))

        return Assignment(lambda: assign(new, "commit"), lambda: assign(old, "undo"))

    def fragile(self, new):
        def commit():
            failure = self.failures.pop(0) if self.failures else None
            if failure is not None:
                raise failure

        def undo():
            raise ValueRefused(ErrorStatus.UNDO_FAILED)

        return Assignment(commit, undo)


class Broken:
    """A provider with mistakes in it."""

    def objects(self):
        yield scalar(BROKEN, GAUGE32, lambda: -1)


INDEXES = ((1,), (2,), (127,), (128,), (300, 5), (16384,), (2**32 - 1,), (4, 97, 98, 99, 200))
COLUMNS = (
    (1, INTEGER32, lambda index: -(index[0] % 2**31)),
    (2, DISPLAY_STRING, lambda index: "x" * (index[0] % 130)),
    (3, COUNTER32, lambda index: index[0]),
    (4, GAUGE32, lambda index: index[-1] // 3),
    (5, COUNTER64, lambda index: index[0] ** 2),
    (6, OBJECT_ID, lambda index: (1, 3, 6, 1, *index)),
    (7, IP_ADDRESS, lambda index: (index[0] % 2**32).to_bytes(4, "big")),
    (129, OCTET_STRING, lambda index: index[0].to_bytes(4, "big")),
)


def make_index(*providers):
    index = Index()
    for provider in providers or (Specimen(),):
        index.add(provider)
    index.add(Specimen(name="blade 3"), b"blade3")
    return index


class Manager:
    """An engine without a socket, and a manager who knows all passwords; what he sends is answered at once."""

    def __init__(self, *providers, settings=SETTINGS, limits=None, identity=IDENTITY):
        self.now = 1000.0
        self.max_size = 65507
        self.engine = open_engine(
            settings,
            make_index(*providers),
            identity,
            limits=limits or Limits(),
            started=self.now,
            rng=random.Random(1),
        )
        self.counters = self.engine.counters
        self.identity = identity
        self.users = {known.user: self.user(known) for known in settings.users}

    def user(self, known, auth_password=None, priv_password=None, name=None):
        auth = (AUTH_PROTOCOLS[known.auth_protocol], auth_password or known.auth_password)
        return UsmUser(name or known.user, self.identity.engine_id, auth, priv_password or known.priv_password)

    def send(self, octets, source="192.0.2.1"):
        return self.engine.receive(octets, source, self.now)

    def community(self, community, pdu):
        """Send an SNMPv2c message and give (error status, error index, bindings), None if nothing comes."""
        answer = self.send(community_message(community, pdu))
        if answer is None:
            return None
        _, at, end = ber.read_header(answer, 0, len(answer))
        _, at = ber.read_integer(answer, at, end)
        return outcome(answer, ber.read_expected(answer, at, end, ber.OCTET_STRING)[1])

    def security(self, *users, identity=None, started=1000.0):
        """Give a manager's end of the user-based security model."""
        return Asking(
            identity or self.identity,
            users or self.users.values(),
            counters=Counters(),
            max_size=self.max_size,
            started=started,
            rng=random.Random(2),
        )

    def message(self, user, pdu, level=Level.AUTH_PRIV, context=b"", security=None):
        """Write a request; `user` is a name or a user with other keys."""
        known = self.users[user] if isinstance(user, str) else user
        scoped = write_scoped_pdu(self.identity.engine_id, context, pdu)
        return (security or self.security()).seal(MESSAGE_ID, scoped, known, level, self.now)

    def secure(self, user, pdu, level=Level.AUTH_PRIV, context=b""):
        """Send an SNMPv3 message and give (error status, error index, bindings), None if nothing comes."""
        answer = self.send(self.message(user, pdu, level, context))
        return None if answer is None else self.opened(answer)

    def opened(self, answer):
        """Read an answer, whose digest has to be right."""
        _, at, end = ber.read_header(answer, 0, len(answer))
        _, at = ber.read_integer(answer, at, end)
        header = read_header(answer, at, end)
        assert header.message_id == MESSAGE_ID
        parameters = read_parameters(answer, header.parameters, header.data)
        plain = answer[header.data : header.end]
        if header.flags:
            _, _, plain = self.security().open(answer, header, parameters, self.now)
        return outcome(plain, read_scoped_pdu(plain).start)


class Asking(UserSecurity):
    """Seals requests: reports are asked for."""

    def _global_data(self, message_id, level):
        flags = level - 1 if level < Level.AUTH_PRIV else 3
        octets = super()._global_data(message_id, level)
        return octets.replace(bytes((4, 1, flags, 2, 1, 3)), bytes((4, 1, flags | 4, 2, 1, 3)))


def community_message(community, pdu):
    """Write an SNMPv2c message."""
    octets = community if isinstance(community, bytes) else community.encode()
    return ber.tagged(ber.SEQUENCE, ber.integer(1) + ber.tagged(ber.OCTET_STRING, octets) + pdu)


def request(kind, *names, first=0, second=0, request_id=0x01020304):
    """Write a request for names; `first` and `second` are a GETBULK's non-repeaters and max-repetitions."""
    bindings = b"".join(binding(ber.write_oid(name), b"\5\0") for name in names)
    return write_pdu(kind, ber.integer(request_id), bindings, first, second)


def set_request(*bindings):
    """Write a SET of pairs of a name and an encoded value."""
    encoded = b"".join(binding(ber.write_oid(name), value) for name, value in bindings)
    return write_pdu(PduType.SET, ber.integer(0x01020304), encoded)


def outcome(octets, at):
    """Read a response or report that stops where `octets` do: (error status, error index, bindings)."""
    pdu = read_pdu(octets, at, len(octets))
    assert pdu.kind in {PduType.RESPONSE, PduType.REPORT}
    bindings = [(known.oid, known.tag, known.content) for known in read_bindings(pdu, 10_000)]
    return pdu.non_repeaters, pdu.max_repetitions, bindings


@contextlib.asynccontextmanager
async def served(state, *providers, settings=SETTINGS, limits=None):
    """Serve the specimen on loopback."""
    index = make_index(*providers)
    async with serve_snmp(settings, index, state, rng=random.Random(1), limits=limits or Limits()) as service:
        yield service


async def tool(*command):
    """Run a command of net-snmp's and give its exit code and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=TOOL_ENVIRONMENT
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode()


TOOL_ENVIRONMENT = {**os.environ, "MIBS": "", "SNMPCONFPATH": "/dev/null/no", "SNMP_PERSISTENT_DIR": "/dev/null/no"}
"""Tools that know no MIB and no configuration of this machine, and leave nothing on it: no folder can be made there."""


def secure_options(user, level=""):
    """Give the options by which net-snmp's tools are such a user."""
    options = ["-v3", "-u", user.user, "-a", user.auth_protocol, "-A", user.auth_password]
    if user.priv_protocol == "none":
        return [*options, "-l", level or "authNoPriv"]
    return [*options, "-x", "AES", "-X", user.priv_password, "-l", level or "authPriv"]
