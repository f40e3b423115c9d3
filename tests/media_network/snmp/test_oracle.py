"""The same requests to pysnmp's agent and ours, about the same objects: the same answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pysnmp.carrier.base import AbstractTransport, AbstractTransportAddress, AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1902

from media_network.snmp import ber
from media_network.snmp.pdu import PduType
from tests.media_network.snmp.specimen import (
    BASE,
    COLUMNS,
    ENTRY,
    SCALARS,
    Manager,
    Specimen,
    community_message,
    outcome,
    request,
)

DOMAIN = (1, 3, 6, 1, 6, 1, 1, 99)
SYNTAXES = {
    "Integer32": rfc1902.Integer32,
    "Enumeration": rfc1902.Integer32,
    "DisplayString": rfc1902.OctetString,
    "OctetString": rfc1902.OctetString,
    "Counter32": rfc1902.Counter32,
    "Gauge32": rfc1902.Gauge32,
    "TimeTicks": rfc1902.TimeTicks,
    "Counter64": rfc1902.Counter64,
    "ObjectIdentifier": rfc1902.ObjectIdentifier,
    "IpAddress": rfc1902.IpAddress,
}


class Dispatcher(AbstractTransportDispatcher):
    """No transport at all: what the agent sends is kept."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def send_message(self, outgoing, domain, address):
        self.sent.append(bytes(outgoing))


class Transport(AbstractTransport):
    PROTO_TRANSPORT_DISPATCHER = Dispatcher


class Address(tuple, AbstractTransportAddress):
    """Where requests come from."""

    __slots__ = ()


class PysnmpAgent:
    """An agent of pysnmp's with the objects of a specimen."""

    def __init__(self, specimen):
        self.engine = SnmpEngine()
        self.dispatcher = Dispatcher()
        self.engine.register_transport_dispatcher(self.dispatcher)
        self.dispatcher.register_transport(DOMAIN, Transport())
        config.add_v1_system(self.engine, "reader", "reader")
        config.add_vacm_user(self.engine, 2, "reader", "noAuthNoPriv", BASE, ())
        self._add_objects(specimen)
        where = context.SnmpContext(self.engine)
        for responder in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
            responder(self.engine, where)

    def _add_objects(self, specimen):
        builder = self.engine.get_mib_builder()
        scalar, instance = builder.import_symbols("SNMPv2-SMI", "MibScalar", "MibScalarInstance")
        symbols = []
        for known in specimen.objects():
            syntax = SYNTAXES[known.syntax.name]
            symbols.append(scalar(known.oid, syntax()).setMaxAccess("read-only"))
            for index, row in known.rows:
                symbols.append(instance(known.oid, index, syntax(known.read(row))))
        builder.export_symbols("SPECIMEN", **{f"s{number}": symbol for number, symbol in enumerate(symbols)})

    def send(self, message):
        """Give the answer to a message."""
        self.dispatcher.sent.clear()
        self.engine.message_dispatcher.receive_message(self.engine, DOMAIN, Address(("192.0.2.1", 1)), message)
        (answer,) = self.dispatcher.sent
        return answer


@pytest.fixture(scope="module")
def agents():
    return Manager(Specimen()), PysnmpAgent(Specimen())


known_names = [(*known.oid, *index) for known in Specimen().objects() for index, _ in known.rows]
types = {known.oid for known in Specimen().objects()}
near = st.sampled_from(known_names) | st.sampled_from([BASE, SCALARS, ENTRY, (*ENTRY, 3), (*BASE, 3)])
numbers = st.integers(0, 8) | st.sampled_from([127, 128, 129, 300, 16384, 2**32 - 1])
names = st.builds(
    lambda name, cut, tail: (*name[: len(name) - cut], *tail), near, st.integers(0, 2), st.lists(numbers, max_size=2)
).filter(lambda name: name >= BASE)


def both(agents, pdu):
    """Ask both; what comes back is compared octet by octet, but for how lengths are written."""
    ours, theirs = agents
    message = community_message("reader", pdu)
    return read(ours.send(message)), read(theirs.send(message))


def read(answer):
    _, at, end = ber.read_header(answer, 0, len(answer))
    _, at = ber.read_integer(answer, at, end)
    _, at = ber.read_expected(answer, at, end, ber.OCTET_STRING)
    status, index, bindings = outcome(answer, at)
    return status, index, [(name, tag, plain(tag, content)) for name, tag, content in bindings]


def plain(tag, content):
    """Give the number of a content that is one: pyasn1 writes some with an octet more than it takes."""
    return int.from_bytes(content, "big", signed=True) if tag in {2, 0x41, 0x42, 0x43, 0x46} else content


def fair(name):
    return name not in types and not any(name[: len(known)] == known != name for known in known_names)


@settings(max_examples=120, deadline=None)
@given(st.lists(names, min_size=1, max_size=4))
def test_get(agents, asked):
    # Where there is no instance, but an object type above, or an instance, pysnmp says noAccess or genErr, although
    # RFC 3416, 4.2.1 has noSuchInstance for both.
    ours, theirs = both(agents, request(PduType.GET, *[name for name in asked if fair(name)]))
    assert ours == theirs


@settings(max_examples=120, deadline=None)
@given(st.lists(names, min_size=1, max_size=4))
def test_get_next(agents, asked):
    ours, theirs = both(agents, request(PduType.GET_NEXT, *asked))
    assert ours == theirs


@settings(max_examples=80, deadline=None)
@given(st.lists(names, min_size=1, max_size=4), st.integers(0, 4), st.integers(1, 6))
def test_get_bulk(agents, asked, once, repetitions):
    ours, theirs = both(agents, request(PduType.GET_BULK, *asked, first=once, second=repetitions))
    # We stop when nothing is left (RFC 3416, 4.2.3); pysnmp says endOfMibView until all repetitions are used up.
    assert ours[:2] == theirs[:2]
    assert ours[2] == theirs[2][: len(ours[2])]
    assert {tag for _, tag, _ in theirs[2][len(ours[2]) :]} <= {0x82}


def test_the_whole_walk(agents):
    name = BASE
    walked = []
    while True:
        (_, _, ((name, tag, value),)), theirs = both(agents, request(PduType.GET_NEXT, name))
        assert theirs[2] == [(name, tag, value)]
        if tag == 0x82:
            break
        walked.append(name)
    assert walked == sorted(known_names)
    assert len(walked) > 8 * len(COLUMNS)
