"""The schedule of a segment."""

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.engine.sending.pacing import Pacing
from media_network.packets import PACKETS_PER_DATAGRAM, TS_PACKET_BYTES
from media_network.schedule import CATCH_UP_MAX_S


def test_packets_are_due_at_their_rate_as_whole_datagrams():
    pacing = Pacing(188 * 8 * 100, packets=1000, first_packet=0, due_s=10.0)  # 100 packets a second
    assert pacing.due_packets(9.99) == 0
    assert pacing.due_packets(10.01) == 7
    assert pacing.due_packets(10.08) == 14
    pacing.sent(14)
    assert pacing.due_packets(10.1) == 0
    assert pacing.end_s == 20.0


def test_a_stream_that_was_held_up_catches_up_a_little_and_then_stays_late():
    pacing = Pacing(188 * 8 * 100, packets=1000, first_packet=0, due_s=0.0)
    assert pacing.due_packets(5.0) == 14
    pacing.sent(14)
    assert pacing.end_s == 10.0 + 5.0 - CATCH_UP_MAX_S


@settings(max_examples=200)
@given(
    rate_bps=st.integers(100_000, 200_000_000),
    packets=st.integers(1, 3000),
    first=st.integers(0, 3000),
    steps=st.lists(st.floats(0.001, 0.5), min_size=1, max_size=60),
)
def test_whatever_the_ticks_every_packet_is_sent_once_and_never_early(rate_bps, packets, first, steps):
    first = min(first, packets)
    pacing = Pacing(rate_bps, packets, first, due_s=0.0)
    now_s, sent = 0.0, 0
    for step in steps:
        now_s += step
        due = pacing.due_packets(now_s)
        # Datagrams are cut from the beginning of the segment on, wherever a sender begins.
        assert not due or (pacing.packet + due) % PACKETS_PER_DATAGRAM == 0 or pacing.packet + due == packets
        pacing.sent(due)
        sent += due
        datagram_s = PACKETS_PER_DATAGRAM * TS_PACKET_BYTES * 8 / rate_bps
        assert sent * TS_PACKET_BYTES * 8 / rate_bps <= now_s + datagram_s + 1e-6
    assert first + sent == pacing.packet <= packets
    for _ in range(10_000):
        if pacing.all_sent:
            break
        now_s += 0.2
        pacing.sent(pacing.due_packets(now_s))
    assert pacing.all_sent == (pacing.packet == packets)
