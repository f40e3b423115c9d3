"""Whatever comes in: an answer that is right, or silence and a counter; nothing set, nothing logged, nothing kept."""

import gc
import logging
import random
import time
import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_network.snmp import ber
from media_network.snmp.access import Level
from media_network.snmp.budget import Allowance, Buckets
from media_network.snmp.counters import Counters
from media_network.snmp.engine import Limits
from media_network.snmp.pdu import PduType, write_pdu
from media_network.snmp.value import DISPLAY_STRING, ErrorStatus
from media_network.snmp.visible import binding
from tests.media_network.snmp.specimen import (
    BROKEN,
    ENTRY,
    LEVEL,
    NAME,
    SCALARS,
    USERS,
    Broken,
    Manager,
    Specimen,
    community_message,
    request,
    set_request,
)

WRITER = "read-write-SHA-256-AES"
FREE = Limits(answered=Allowance(1e12, 1e12), reports=Allowance(1e9, 1e9))
SET_NAME = set_request(((*NAME, 0), DISPLAY_STRING.encode("there")))
PDUS = (
    request(PduType.GET, (*NAME, 0), (*LEVEL, 0)),
    request(PduType.GET_NEXT, NAME, ENTRY),
    request(PduType.GET_BULK, SCALARS, ENTRY, first=1, second=10),
    SET_NAME,
)


def counted(counters):
    return sum(getattr(counters, name) for name in Counters.__slots__)


def mutated(octets, rng):
    """Spoil a message: octets changed, put in, taken out, or a part of it said twice."""
    spoiled = bytearray(octets)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(spoiled))
        kind = rng.randrange(5)
        if kind <= 1:
            spoiled[at] = rng.choice((rng.randrange(256), 0, 0x7F, 0x80, 0x84, 0xFF, 0x30))
        elif kind == 2:
            spoiled[at:at] = rng.randbytes(rng.randrange(1, 6))
        elif kind == 3:
            del spoiled[at : at + rng.randrange(1, 6)]
        else:
            spoiled[at:at] = spoiled[at : at + rng.randrange(1, 40)]
        if not spoiled:
            return b""
    return bytes(spoiled)


@pytest.mark.parametrize("version", ["v2c", "v3 authNoPriv", "v3 authPriv"])
def test_ten_thousand_mutated_packets(version, caplog):
    caplog.set_level(logging.INFO)
    rng = random.Random(20261122)
    specimen = Specimen()
    manager = Manager(specimen, limits=FREE)
    level = Level.AUTH_PRIV if version.endswith("authPriv") else Level.AUTH_NO_PRIV
    messages = [
        community_message("reader", pdu) if version == "v2c" else manager.message(WRITER, pdu, level) for pdu in PDUS
    ]
    for _ in range(10_000 if version == "v2c" else 5_000):
        message = rng.choice(messages)
        spoiled = mutated(message, rng)
        if spoiled == message:
            continue
        before = counted(manager.counters)
        answer = manager.send(spoiled)
        # One counter says that it came, another that it was answered, or why not.
        assert counted(manager.counters) >= before + 2
        assert answer is None or len(answer) <= max(1_400, len(spoiled))
    assert specimen.written == []
    assert caplog.records == []


def test_memory_stays_flat_under_mutated_packets():
    rng = random.Random(7)
    manager = Manager(limits=FREE)
    messages = [community_message("reader", pdu) for pdu in PDUS] + [manager.message(WRITER, pdu) for pdu in PDUS]

    def storm(count):
        for number in range(count):
            manager.send(mutated(rng.choice(messages), rng), source=f"198.51.{number % 256}.{rng.randrange(256)}")

    storm(2_000)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    storm(3_000)
    gc.collect()
    after, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The buckets of 1,024 sources are kept, no more; a message costs a multiple of itself while it is answered.
    assert after - before < 300_000
    assert peak - before < 1_000_000


def test_little_is_kept_of_good_requests_of_many_lengths_from_many_hosts():
    manager = Manager(limits=FREE)
    messages = [with_bindings(binding(bytes((43, *[1] * number)), b"\5\0") * 120) for number in range(120)]
    assert 15_000 < len(messages[-1]) < 16_384
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number, message in enumerate(messages):
        # A copy, as a socket gives it: it lasts for as long as the engine keeps it.
        assert manager.send(bytes(bytearray(message)), source=f"198.51.100.{number}") is not None
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200_000


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\x30", b"\x30\x81\x80\x02\x01\x01", b"\x30\x82\x01\x00\x02\x01\x03"]),
)
def test_noise_is_silence_and_one_counter(noise, prefix):
    manager = Manager()
    assert manager.send(prefix + noise) is None
    assert counted(manager.counters) == 2


GIBIBYTES = b"\x84\xff\xff\xff\xff"
NAME_VALUE = binding(ber.write_oid((*NAME, 0)), b"\5\0")


def with_bindings(octets):
    return community_message("reader", write_pdu(PduType.GET, ber.integer(1), octets))


def nested(depth):
    octets = b"\5\0"
    for _ in range(depth):
        octets = ber.tagged(ber.SEQUENCE, octets)
    return octets


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x30",
        b"\x30\x00",
        b"\x30\x80\x02\x01\x01\x04\x06reader\x00\x00",
        b"\x30" + GIBIBYTES,
        b"\x30\x0a\x02\x01\x01\x04" + GIBIBYTES,
        b"\x30\x0d\x02\x01\x01\x04\x06reader\xa0" + GIBIBYTES[:1],
        community_message("reader", b"\xa0" + GIBIBYTES),
        community_message("reader", b"\xa0\x80\x00\x00"),
        community_message("reader", b""),
        community_message("reader", request(PduType.GET, NAME)) + b"\0",
        with_bindings(b"\x30" + GIBIBYTES),
        with_bindings(b"\x30\x80\x06\x01\x2b\x05\x00\x00\x00"),
        with_bindings(nested(4_000)),
        with_bindings(ber.tagged(ber.SEQUENCE, nested(2_000))),
        with_bindings(NAME_VALUE + b"\x30"),
        with_bindings(binding(b"\x2b" + b"\x81" * 15_000 + b"\x01", b"\5\0")),
        with_bindings(binding(b"\x2b" + b"\x01" * 15_000, b"\5\0")),
        with_bindings(binding(b"\x2b\x80\x01", b"\5\0")),
        with_bindings(binding(b"\x2b\x90\x80\x80\x80\x00", b"\5\0")),
        with_bindings(binding(b"\x2b\x81", b"\5\0")),
        with_bindings(binding(ber.write_oid((*NAME, 0)), b"\5\0\5\0")),
        with_bindings(NAME_VALUE * 1_025)[:16_000],
    ],
)
def test_what_is_no_message_is_one_parse_error(message):
    manager = Manager()
    started = time.process_time()
    assert manager.send(message) is None
    assert time.process_time() - started < 0.05
    assert manager.counters.in_asn_parse_errors == 1
    assert manager.counters.out_packets == 0


def test_an_object_identifier_of_60_kilobytes_is_dropped_by_the_length_of_its_datagram():
    manager = Manager()
    message = with_bindings(binding(b"\x2b" + b"\x81" * 60_000 + b"\x01", b"\5\0"))
    assert manager.send(message) is None
    assert (manager.counters.oversized, manager.counters.in_asn_parse_errors) == (1, 0)
    wide = Manager(limits=Limits(request_octets=65_507))
    assert wide.send(message) is None
    assert wide.counters.in_asn_parse_errors == 1


@pytest.mark.parametrize("version", [0, 2, 4, 127, -1])
def test_other_versions_are_counted_and_silent(version):
    manager = Manager()
    message = ber.tagged(ber.SEQUENCE, ber.integer(version) + b"\x04\x06reader" + request(PduType.GET, (*NAME, 0)))
    assert manager.send(message) is None
    assert manager.counters.in_bad_versions == 1


@pytest.mark.parametrize(
    "kind", [PduType.RESPONSE, PduType.REPORT, PduType.TRAP, PduType.INFORM, 0xA4, 0xA9, 0x30, 0x02]
)
def test_pdus_that_nobody_waits_for_are_silent(kind):
    manager = Manager()
    assert manager.community("writer", request(kind, (*NAME, 0))) is None
    assert manager.secure(WRITER, request(kind, (*NAME, 0))) is None
    assert manager.counters.unknown_pdu_types == 2


def cost_s(run, times=200):
    """The least that a call costs, of several attempts: others use this machine too."""
    best = 1.0
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            run()
        best = min(best, (time.process_time() - started) / times)
    return best


@pytest.mark.parametrize("octets", [40, 1_400, 12_000, 60_000])
def test_strangers_cost_little_whatever_they_send(octets):
    manager = Manager(limits=FREE)
    count = max(octets // 16, 1)
    pdu = request(PduType.GET, *[(*NAME, 0)] * min(count, 4_000))
    wrong = community_message("stranger", pdu)
    long = community_message(b"s" * octets, pdu)
    stranger = manager.user(msgspec.structs.replace(USERS[0], user="nobody"))
    unknown = manager.message(stranger, request(PduType.GET, *[(*NAME, 0)] * min(count, 900)))
    answered = community_message("reader", request(PduType.GET, *[(*NAME, 0)] * 8))
    # Eight variables take some 15 us; what has to be below 50 us is held against that, on whatever machine this is.
    answered_s = cost_s(lambda: manager.send(answered))
    assert cost_s(lambda: manager.send(wrong)) < answered_s
    assert cost_s(lambda: manager.send(long)) < answered_s
    # One who does not exist is told so, by a report as RFC 3414 has it; most of what it costs is writing that.
    assert cost_s(lambda: manager.send(unknown)) < 3 * answered_s
    reported = manager.counters.unknown_user_names
    assert (reported > 0) is (len(unknown) <= manager.engine.limits.request_octets)
    assert manager.counters.in_asn_parse_errors == 0


@pytest.mark.parametrize("octets", [100, 12_000])
def test_nothing_is_read_of_what_strangers_ask(octets):
    manager = Manager(limits=FREE)
    nonsense = b"\xff" * octets
    assert manager.send(community_message("stranger", nonsense)) is None
    assert (manager.counters.in_bad_community_names, manager.counters.in_asn_parse_errors) == (1, 0)
    stranger = manager.user(msgspec.structs.replace(USERS[0], user="nobody"))
    impostor = manager.user(USERS[0], auth_password="guessed-wrong")
    for number, user in enumerate((stranger, impostor), 1):
        assert manager.send(manager.message(user, nonsense)) is not None
        assert manager.counters.unknown_user_names + manager.counters.wrong_digests == number
    assert (manager.counters.in_asn_parse_errors, manager.counters.decryption_errors) == (0, 0)


def test_a_getbulk_of_a_thousand_bindings_is_answered_with_what_fits():
    manager = Manager()
    pdu = request(PduType.GET_BULK, *[(1, 3)] * 1_000, second=1_000)
    message = community_message("reader", pdu)
    assert len(message) < 16_384
    status, _, bindings = manager.community("reader", pdu)
    assert status == ErrorStatus.NO_ERROR
    assert {name for name, _, _ in bindings} == {(*NAME, 0)}
    assert len(manager.send(message)) <= len(message)
    status, _, bindings = manager.secure("read-only-SHA-256-AES", pdu)
    assert status == ErrorStatus.NO_ERROR
    assert 100 < len(bindings) < 1_000


@pytest.mark.parametrize("repetitions", [0, -1, 1, 2**31 - 1])
@pytest.mark.parametrize("once", [0, -5, 1, 2, 2**31 - 1])
def test_a_getbulk_of_any_counts(once, repetitions):
    manager = Manager()
    status, _, bindings = manager.community(
        "reader", request(PduType.GET_BULK, SCALARS, ENTRY, first=once, second=repetitions)
    )
    assert status == ErrorStatus.NO_ERROR
    singles = min(max(once, 0), 2)
    assert len(bindings) >= singles
    if repetitions <= 0 or singles == 2:
        assert len(bindings) == singles


@pytest.mark.parametrize("pdu", [request(PduType.GET, *[(*NAME, 0)] * 700), request(PduType.GET_NEXT, *[NAME] * 700)])
def test_an_answer_that_would_be_too_big_says_so(pdu):
    manager = Manager(Specimen(name="n" * 32))
    assert manager.community("reader", pdu)[:2] == (ErrorStatus.TOO_BIG, 0)
    manager.max_size = 484
    assert manager.secure(WRITER, pdu)[:2] == (ErrorStatus.TOO_BIG, 0)


def test_a_provider_that_fails_costs_its_variable_only():
    manager = Manager(Broken(), Specimen())
    assert manager.community("reader", request(PduType.GET, (*NAME, 0), (*BROKEN, 0)))[:2] == (ErrorStatus.GEN_ERR, 2)
    assert manager.community("reader", request(PduType.GET_NEXT, BROKEN))[:2] == (ErrorStatus.GEN_ERR, 1)
    bulk = request(PduType.GET_BULK, NAME, LEVEL, SCALARS, first=1, second=50)
    assert manager.community("reader", bulk)[:2] == (ErrorStatus.GEN_ERR, 2)
    assert manager.community("reader", request(PduType.GET, (*NAME, 0)))[0] == ErrorStatus.NO_ERROR


def test_one_source_gets_its_share_of_octets_and_others_theirs():
    manager = Manager(limits=Limits(answered=Allowance(burst=3_000, rate=1_000)))
    message = community_message("reader", request(PduType.GET_BULK, (1, 3), second=100))
    extra = len(manager.send(message)) - 2 * len(message)
    assert extra > 1_000
    answered = 1 + sum(manager.send(message) is not None for _ in range(10))
    assert answered == 3_000 // extra
    assert manager.counters.over_budget == 11 - answered
    assert manager.send(message, source="192.0.2.2") is not None
    # What is not much longer than its question is nobody's harm.
    assert manager.send(community_message("reader", SET_NAME)) is not None
    manager.now += 2
    assert manager.send(message) is not None


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.floats(0, 50), st.floats(0, 2)),
        max_size=60,
    )
)
def test_a_bucket_never_gives_more_than_its_burst_and_what_flowed_in(takes):
    buckets, now, given_out = Buckets(Allowance(burst=100, rate=10)), 0.0, {}
    for source, amount, later in takes:
        now += later
        if buckets.take(source, amount, now):
            given_out[source] = given_out.get(source, 0) + amount
    assert all(total <= 100 + 10 * now + 1e-6 for total in given_out.values())


def test_buckets_are_kept_for_so_many_sources_and_no_more():
    buckets = Buckets(Allowance(burst=1, rate=0), most=10)
    for number in range(100):
        assert buckets.take(str(number), 1, 0.0)
    assert len(buckets) == 10
    assert not buckets.take("99", 1, 0.0)
