import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media_network.segment_set import SEGMENTS_PER_PROGRAM_MAX, TEXT_LENGTH_MAX, format_segments, parse_segments

numbers = st.integers(0, 300) | st.integers(0, SEGMENTS_PER_PROGRAM_MAX - 1)


@given(st.frozensets(numbers, max_size=60))
def test_what_is_written_is_read(segments):
    assert parse_segments(format_segments(segments)) == segments


@pytest.mark.parametrize(
    ("segments", "text"),
    [((), ""), ((7,), "7"), ((0, 1, 2, 5), "0-2,5"), ((5, 3, 4, 3), "3-5"), (range(10_000), "0-9999")],
)
def test_form(segments, text):
    assert format_segments(segments) == text


@given(st.text(alphabet="0123456789-, ٣\n", max_size=20) | st.text(max_size=20))
@example("٣")
@example("0-٣")
@example("1\n")
def test_hostile_text_is_a_set_or_a_value_error(text):
    try:
        segments = parse_segments(text)
    except ValueError:
        return
    assert set(text) <= set("0123456789-,")
    assert parse_segments(format_segments(segments)) == segments


@pytest.mark.parametrize(
    "text",
    [
        "-",
        ",",
        "1,",
        ",1",
        "1--2",
        "-1",
        "2-1",
        "1,1",
        "3,2",
        "0-5,5",
        "0-1000000",
        "1000000",
        "9" * 5000,
        "0 - 1",
        "a",
    ],
)
def test_not_ascending_ranges(text):
    with pytest.raises(ValueError, match="range"):
        parse_segments(text)


@given(st.sets(st.integers(0, 9_999), max_size=600))
def test_no_set_is_longer_than_a_letter_for_six_numbers(numbers):
    text = format_segments(numbers)
    assert parse_segments(text) == numbers
    assert len(text) <= max(40, 5 + max(numbers, default=0) / 6)


@pytest.mark.parametrize("share", [2, 7])
def test_what_is_spread_over_engines_is_short(share):
    numbers = range(0, 3600, share)
    assert len(format_segments(numbers)) <= 601
    assert parse_segments(format_segments(numbers)) == set(numbers)


@pytest.mark.parametrize("text", ["*A", "*AAA", "*AA==AA==", "*_-8=", "*AQ==\n", "* AQ==", "**", "*" + "/" * 200_000])
def test_what_is_no_set_of_bits_is_refused(text):
    with pytest.raises(ValueError, match="bits"):
        parse_segments(text)


def test_the_largest_set_of_bits_is_within_its_bound():
    every_other = range(1, SEGMENTS_PER_PROGRAM_MAX, 2)
    text = format_segments(every_other)
    assert len(text) <= TEXT_LENGTH_MAX
    assert parse_segments(text) == set(every_other)
    beyond = format_segments([*every_other, SEGMENTS_PER_PROGRAM_MAX])
    with pytest.raises(ValueError, match="more bits"):
        parse_segments(beyond)
