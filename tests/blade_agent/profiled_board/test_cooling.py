"""The fan's own control: never slower for a hotter board, and all there is for one that is not known."""

from hypothesis import given
from hypothesis import strategies as st

from blade_agent.profiled_board.cooling import FULL_LEVEL, LEAST_LEVEL, level_for

DEGREES = st.floats(-50, 200, allow_nan=False)


@given(DEGREES, DEGREES)
def test_a_hotter_board_never_gets_less_air(one, other):
    cooler, hotter = sorted((one, other))
    assert LEAST_LEVEL <= level_for(cooler, 70.0) <= level_for(hotter, 70.0) <= FULL_LEVEL


def test_all_there_is_before_the_threshold_and_when_nothing_is_known():
    assert [level_for(at, 70.0) for at in (20.0, 40.0, 52.5, 65.0, 70.0, None)] == [20, 20, 60, 100, 100, 100]
