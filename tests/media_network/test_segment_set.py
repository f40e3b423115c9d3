import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from media_network.segment_set import SEGMENTS_PER_PROGRAM_MAX, format_segments, parse_segments

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
