"""The rate that delivers everything in time, and no higher than it must be."""

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution_center.content.decoder_buffers import PICTURE_LEAD_US, BufferSizes, sound_buffers
from distribution_center.content.rate import required_rate_bps
from distribution_center.content.track import TrackTable

ROOMY = BufferSizes(main_bytes=1 << 30, leak_bps=1 << 30, lead_us=PICTURE_LEAD_US)


def table(loads: list[tuple[int, int]]) -> TrackTable:
    return TrackTable(array("q", (due for due, _ in loads)), array("l", (length for _, length in loads)))


def rate_of(loads: list[tuple[int, int]], sizes: BufferSizes = ROOMY) -> int:
    return required_rate_bps(table(loads), sizes, table([]), sound_buffers(2))


def late_by_us(loads: list[tuple[int, int]], rate_bps: float) -> float:
    """How much too late the latest load is, without any overhead."""
    sent_us, latest_us = float("-inf"), float("-inf")
    for due_us, length_bytes in loads:
        sent_us = max(sent_us, due_us - PICTURE_LEAD_US) + length_bytes * 8e6 / rate_bps
        latest_us = max(latest_us, sent_us - due_us)
    return latest_us


@given(
    st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 200_000)), min_size=1, max_size=50).map(
        lambda steps: [
            (sum(step for step, _ in steps[: n + 1]), length_bytes) for n, (_, length_bytes) in enumerate(steps)
        ]
    )
)
def test_everything_is_there_when_it_is_due(loads: list[tuple[int, int]]) -> None:
    rate_bps = rate_of(loads)
    assert late_by_us(loads, rate_bps) <= 0
    assert rate_bps % 10_000 == 0


@pytest.mark.parametrize("bps", [200_000, 2_000_000, 20_000_000])
def test_an_even_stream_needs_about_its_own_rate(bps: int) -> None:
    loads = [(n * 40_000, bps // 200) for n in range(500)]
    assert bps * 0.95 < rate_of(loads) < bps * 1.12 + 180_000


def test_one_large_picture_is_spread_over_the_delay() -> None:
    assert rate_of([(0, 70_000)]) == pytest.approx(70_000 * 8 / 0.7, rel=0.25)


def test_a_small_buffer_asks_for_a_higher_rate() -> None:
    """What may not be sent early must be sent fast."""
    loads = [(n * 40_000, 50_000 if n % 10 == 0 else 2_000) for n in range(100)]
    tight = BufferSizes(main_bytes=55_000, leak_bps=1 << 30, lead_us=PICTURE_LEAD_US)
    assert rate_of(loads, tight) > 1.5 * rate_of(loads)


def test_sound_takes_its_part() -> None:
    pictures, sounds = [(n * 40_000, 5_000) for n in range(100)], [(n * 21_333, 700) for n in range(190)]
    both = required_rate_bps(table(pictures), ROOMY, table(sounds), sound_buffers(2))
    assert both - rate_of(pictures) > 700 * 8 * 45
