"""What a director makes of a sender's last report: never short of what was sent, and hardly past it."""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.director.sessions.given_turn import GivenTurn
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.reach import past_turn
from blade_agent.main_board.engine.sending.pacing import Pacing
from media_network.packets import PACKETS_PER_DATAGRAM, TS_PACKET_BYTES
from media_network.schedule import TICK_S
from tests.blade_agent.main_board.director.stage import engine_address, program_of

PACKETS = 1_000_000
RATES_BPS = st.integers(100_000, 100_000_000)
INSTANTS_S = st.floats(0.0, 1.0)


def tick(pacing, number):
    """What the engine's clockwork does in the tick of this number, early in it or late."""
    pacing.sent(pacing.due_packets((number + 1) * TICK_S))


def mark_of(pacing, reported_s, on_the_way_s=0.0):
    """The mark that a report leaves; it came so long after the answer from which it is dated."""
    next_tick = int(reported_s / TICK_S) + 1
    left_s = next_tick * TICK_S - reported_s
    until = reported_s - on_the_way_s + left_s
    return Mark(turn=1, segment=0, packet=pacing.reach(next_tick * TICK_S), until=until)


@settings(max_examples=300)
@given(RATES_BPS, INSTANTS_S, INSTANTS_S, st.floats(0.0, 0.2), st.sets(st.integers(0, 60)), st.floats(0.0, 0.03))
def test_a_sender_is_never_further_than_its_mark_whatever_ticks_it_missed(
    rate_bps, reported_s, later_s, due_s, missed, on_the_way_s
):
    pacing, mark, looked_s = Pacing(rate_bps, PACKETS, 0, due_s), None, reported_s + later_s
    for number in range(int(looked_s / TICK_S) + 1):
        if number not in missed:
            tick(pacing, number)
        if number == int(reported_s / TICK_S):
            mark = mark_of(pacing, reported_s, on_the_way_s)
    assert pacing.packet <= mark.packet + mark.further(1, looked_s, rate_bps)


@settings(max_examples=300)
@given(RATES_BPS, INSTANTS_S, INSTANTS_S)
def test_of_a_sender_that_keeps_its_schedule_no_more_is_lost_than_a_batch_and_two_datagrams(
    rate_bps, reported_s, later_s
):
    pacing, mark, died_s = Pacing(rate_bps, PACKETS, 0, 0.0), None, reported_s + later_s
    for number in range(int(died_s / TICK_S) + 1):
        tick(pacing, number)
        if number == int(reported_s / TICK_S):
            mark = mark_of(pacing, reported_s)
    batch = PACKETS_PER_DATAGRAM * ceil(TICK_S * rate_bps / (8 * TS_PACKET_BYTES * PACKETS_PER_DATAGRAM))
    lost = mark.packet + mark.further(1, died_s, rate_bps) - pacing.packet
    assert lost <= batch + 2 * PACKETS_PER_DATAGRAM


@settings(max_examples=300)
@given(RATES_BPS, INSTANTS_S, INSTANTS_S, st.floats(0.0, TICK_S), st.integers(1, 60_000))
def test_the_engine_that_a_sender_hands_over_to_is_never_further_than_the_senders_mark(
    rate_bps, reported_s, later_s, other_ticks_s, cut_at
):
    first, mark, looked_s = Pacing(rate_bps, cut_at, 0, 0.0), None, reported_s + later_s
    for number in range(int(reported_s / TICK_S) + 1):
        tick(first, number)
    mark = mark_of(first, reported_s)
    second = Pacing(rate_bps, PACKETS, cut_at, first.end_s)
    for number in range(int(looked_s / TICK_S) + 1):
        # The last tick of it that has come: it has a clockwork of its own.
        begun_s = number * TICK_S + other_ticks_s
        if begun_s <= looked_s:
            second.sent(second.due_packets(begun_s + TICK_S))
    if second.packet > cut_at:
        assert second.packet <= mark.packet + mark.further(2, looked_s, rate_bps)


def test_a_sender_that_was_lost_before_its_first_report_is_measured_by_the_one_before():
    program = program_of(segments=3, packets=60_000)
    mark, offered_s = Mark(turn=1, segment=0, packet=59_000, until=10.0), 9.0
    second = GivenTurn(number=2, engine=engine_address(3), boot="boot", segment=1, packet=0, given_at=offered_s)
    segment, packet = past_turn(program, second, mark, 10.0)
    in_a_tick = TICK_S * program.rate_bps / (8 * TS_PACKET_BYTES)
    assert segment * 60_000 + packet - 59_000 < 2 * in_a_tick + 3 * PACKETS_PER_DATAGRAM
    # Without the mark of the turn before, a second would be lost that the offer was old.
    assert past_turn(program, second, None, 10.0) > (1, program.rate_bps // (8 * TS_PACKET_BYTES))
