"""Where a console's milliseconds lead to, and what it is told of a place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.director.sessions.position import end_of, place_of, random_access
from media_network.messages.steering import SeekStyle
from media_network.messages.watching import ProgramPoint
from tests.blade_agent.main_board.director.stage import program_of

PROGRAM = program_of(segments=4, packets=10_000)
"""Of ten seconds each, a packet a millisecond."""


@pytest.mark.parametrize(
    ("to_ms", "prior", "following"),
    [(0, 0, 0), (1, 0, 1), (9_999, 0, 1), (10_000, 1, 1), (10_001, 1, 2), (30_000, 3, 3), (39_999, 3, 3)],
)
def test_a_moment_is_where_a_segment_begins_before_it_or_after_it(to_ms, prior, following):
    assert random_access(PROGRAM, to_ms, SeekStyle.PRIOR) == (prior, 0)
    assert random_access(PROGRAM, to_ms, SeekStyle.UNKNOWN) == (prior, 0)
    assert random_access(PROGRAM, to_ms, SeekStyle.NEXT) == (following, 0)


@pytest.mark.parametrize("to_ms", [40_000, 2**63 - 1])
def test_there_is_nothing_past_the_end(to_ms):
    assert random_access(PROGRAM, to_ms, SeekStyle.PRIOR) is None
    assert random_access(PROGRAM, to_ms, SeekStyle.NEXT) is None


@given(st.integers(0, 3), st.integers(0, 9_999))
def test_a_place_is_told_in_packets_and_in_time(segment, packet):
    so_far = 10_000 * segment + packet
    assert place_of(PROGRAM, (segment, packet)) == ProgramPoint(
        segment=segment, packet=packet, packets=so_far, at_ms=so_far
    )


def test_the_end_is_a_place():
    assert place_of(PROGRAM, end_of(PROGRAM)) == ProgramPoint(segment=4, packet=0, packets=40_000, at_ms=40_000)
