"""RTP and RTCP as others read them, and what is made of what others say."""

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_network.packets import DATAGRAM_BYTES
from media_network.rtp import (
    RTP_DATAGRAM_BYTES,
    BadRtp,
    Reception,
    RtpPlace,
    framed,
    goodbye,
    parse_rtcp,
    parse_rtp,
    sender_report,
)

RATE_BPS = 8_000_000
PLACE = RtpPlace(ssrc=0xCAFEBABE, sequence=65_530, timestamp=2**32 - 1000, datagrams=4, packets=25)


def test_a_batch_is_cut_where_datagrams_end_and_each_has_the_number_of_its_place():
    data = bytes(range(188)) * 24
    octets = framed(PLACE, memoryview(data), 7, RATE_BPS)
    cut = [octets[at : at + RTP_DATAGRAM_BYTES] for at in range(0, len(octets), RTP_DATAGRAM_BYTES)]
    packets = [parse_rtp(one) for one in cut]
    assert b"".join(packet.payload for packet in packets) == data
    assert [len(packet.payload) for packet in packets] == [DATAGRAM_BYTES] * 3 + [3 * 188]
    assert [packet.sequence for packet in packets] == [65_535, 0, 1, 2]
    assert [packet.timestamp for packet in packets] == [PLACE.timestamp_of(at, RATE_BPS) for at in (7, 14, 21, 28)]
    assert {packet.ssrc for packet in packets} == {PLACE.ssrc}


@given(packet=st.integers(0, 10**9), rate_bps=st.integers(1000, 10**9), moved=st.integers(0, 10**6))
def test_a_place_that_is_counted_from_elsewhere_is_the_same(packet, rate_bps, moved):
    onwards = PLACE.onwards(moved * 7)
    assert onwards.sequence_of(packet) == PLACE.sequence_of(packet + moved * 7)
    assert onwards.timestamp_of(packet, rate_bps) == PLACE.timestamp_of(packet + moved * 7, rate_bps)
    assert onwards.sent(packet) == PLACE.sent(packet + moved * 7)


def test_a_sender_report_says_what_has_been_sent_and_when():
    octets = sender_report(PLACE, 14, RATE_BPS, 1_700_000_000.5, "station@127.0.0.1")
    first, kind, words, ssrc, seconds, fraction, timestamp, datagrams, sent = struct.unpack_from(">BBHIIIIII", octets)
    assert (first, kind, words, ssrc) == (0x80, 200, 6, PLACE.ssrc)
    assert (seconds - 2_208_988_800, fraction) == (1_700_000_000, 2**31)
    assert timestamp == PLACE.timestamp_of(14, RATE_BPS)
    assert (datagrams, sent) == (4 + 2, (25 + 14) * 188)
    assert octets[28:30] == bytes((0x81, 202))
    assert b"station@127.0.0.1" in octets
    assert len(octets) % 4 == 0
    assert parse_rtcp(octets, "127.0.0.1") == []
    assert goodbye(PLACE, 14, RATE_BPS, 0.0, "x")[-8:] == struct.pack(">BBHI", 0x81, 203, 1, PLACE.ssrc)


def test_what_receivers_say_is_understood_whatever_else_they_say_with_it():
    block = struct.pack(">IIIIII", PLACE.ssrc, (3 << 24) | 0xFFFFFE, 70_000, 90, 1, 2)
    report = struct.pack(">BBHI", 0x81, 201, 7, 99) + block
    other = struct.pack(">BBHI", 0x80, 209, 1, 0)
    heard = Reception(ssrc=PLACE.ssrc, host="127.0.0.9", lost=-2, highest=70_000, jitter=90)
    assert parse_rtcp(report + other, "127.0.0.9") == [heard]


@given(st.binary(max_size=200))
def test_noise_is_no_report(octets):
    for reader in (lambda: parse_rtcp(octets, "127.0.0.1"), lambda: parse_rtp(octets)):
        with contextlib.suppress(BadRtp):
            reader()


@pytest.mark.parametrize("octets", [bytes(1501), b"\x81\xc9\x00\x00", b"\x81\xc9\x00\xff" + bytes(20), b"\x81"])
def test_what_is_cut_short_or_too_long_is_refused(octets):
    with pytest.raises(BadRtp):
        parse_rtcp(octets, "127.0.0.1")
