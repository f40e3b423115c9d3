"""The rate that delivers everything in time, and no higher than it must be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution_center.content.rate import DELAY_US, AccessUnit, required_rate_bps


def late_by_us(loads: list[AccessUnit], rate_bps: float) -> float:
    """How much too late the latest load is, without any overhead."""
    sent_us, latest_us = float("-inf"), float("-inf")
    for due_us, length_bytes in loads:
        sent_us = max(sent_us, due_us - DELAY_US) + length_bytes * 8e6 / rate_bps
        latest_us = max(latest_us, sent_us - due_us)
    return latest_us


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 200_000)), min_size=1, max_size=50).map(
        lambda steps: [
            AccessUnit(sum(step for step, _ in steps[: n + 1]), length_bytes)
            for n, (_, length_bytes) in enumerate(steps)
        ]
    )
)
def test_everything_is_there_when_it_is_due(loads: list[AccessUnit]) -> None:
    rate_bps = required_rate_bps(loads)
    assert late_by_us(loads, rate_bps) <= 0
    assert rate_bps % 10_000 == 0


@pytest.mark.parametrize("bps", [200_000, 2_000_000, 20_000_000])
def test_an_even_stream_needs_about_its_own_rate(bps: int) -> None:
    loads = [AccessUnit(n * 40_000, bps // 200) for n in range(500)]
    assert bps * 0.95 < required_rate_bps(loads) < bps * 1.1 + 180_000


def test_one_large_picture_is_spread_over_the_delay() -> None:
    assert required_rate_bps([AccessUnit(0, 70_000)]) == pytest.approx(70_000 * 8 / 0.7, rel=0.25)
