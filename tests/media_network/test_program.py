import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_network.program import Program
from media_network.segment_table import Segment


def program(*packets):
    segments = tuple(
        Segment(number=number, length_bytes=count * 188, duration_ms=1000, sha256="0" * 64)
        for number, count in enumerate(packets)
    )
    return Program(program="film", title="Film", rate_bps=1_000_000, sha256="1" * 64, segments=segments)


def test_sums():
    film = program(3, 1, 7)
    assert film.length_bytes == 11 * 188
    assert film.duration_ms == 3000
    assert [segment.packets for segment in film.segments] == [3, 1, 7]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_advance_counts_packets_of_the_whole_program(packets, data):
    film = program(*packets)
    places = [(segment, packet) for segment, count in enumerate(packets) for packet in range(count)]
    begin = data.draw(st.integers(0, len(places) - 1))
    by = data.draw(st.integers(0, len(places) + 3))
    expected = places[begin + by] if begin + by < len(places) else None
    assert film.advance(*places[begin], by) == expected


@pytest.mark.parametrize(
    "wrong",
    [{"program": "../etc"}, {"program": "film\n"}, {"program": "Film"}, {"program": ""}, {"program": "a" * 65},
     {"sha256": "0"}, {"sha256": "0" * 64 + "\n"}, {"rate_bps": 0}, {"segments": []},
     {"segments": [{"number": 0, "length_bytes": 100, "duration_ms": 1, "sha256": "0" * 64}]}],
)  # fmt: skip
def test_what_is_not_a_program(wrong):
    good = msgspec.to_builtins(program(1, 2))
    assert msgspec.convert(good, Program) == program(1, 2)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(good | wrong, Program)
