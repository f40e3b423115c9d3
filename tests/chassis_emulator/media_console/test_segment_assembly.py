from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_emulator.media_console.errors import ForeignBytes
from chassis_emulator.media_console.segment_assembly import SegmentAssembly
from tests.chassis_emulator.media_console.scripted_station import film

PROGRAM, BODIES = film(9)
SEGMENT, BODY = PROGRAM.segments[0], BODIES[0]


@given(st.lists(st.tuples(st.integers(0, len(BODY)), st.booleans(), st.integers(1, 700)), max_size=5), st.booleans())
def test_every_byte_once_wherever_answers_break_off(breaks, is_known):
    assembly, written = SegmentAssembly(0, SEGMENT if is_known else None), b""
    for place, (sent, ranged, chunk) in enumerate([*breaks, (len(BODY), True, 500)]):
        if assembly.is_complete:
            break
        first = assembly.received if ranged else 0
        part = f"bytes {first}-{len(BODY) - 1}/{len(BODY)}" if first else None
        assembly.begin(f"engine {place}", content_range=part, length=len(BODY) - first)
        for begin in range(first, max(first, sent), chunk):
            written += assembly.feed(BODY[begin : min(begin + chunk, sent)])
        if sent == len(BODY):
            assembly.end()
    assert written == BODY
    assert assembly.is_complete
    received = assembly.result()
    assert (received.bytes, received.sha256) == (len(BODY), sha256(BODY).hexdigest())
    assert received.intact is (True if is_known else None)


@pytest.mark.parametrize("content_range", ["", "bytes */1692", "bytes 50-99/1692", "bytes 101-1691/1692", "bytes 100-1691/9", "pages 1-2/3", "bytes ٣-1691/1692"])  # fmt: skip # noqa: E501
def test_parts_that_do_not_fit(content_range):
    assembly = SegmentAssembly(0, SEGMENT)
    assembly.begin("one", content_range=None, length=len(BODY))
    assembly.feed(BODY[:100])
    with pytest.raises(ForeignBytes):
        assembly.begin("two", content_range=content_range, length=len(BODY) - 100)


def test_another_length_and_too_many_bytes():
    with pytest.raises(ForeignBytes, match="What one gives as segment 0"):
        SegmentAssembly(0, SEGMENT).begin("one", content_range=None, length=100)
    assembly = SegmentAssembly(0, SEGMENT)
    assembly.begin("one", content_range=None, length=None)
    with pytest.raises(ForeignBytes):
        assembly.feed(BODY + b"x")


def test_without_a_length_the_end_of_the_answer_is_the_end():
    assembly = SegmentAssembly(0)
    assembly.begin("one", content_range=None, length=None)
    assembly.feed(BODY)
    assert not assembly.is_complete
    assembly.end()
    assert assembly.is_complete


def test_other_bytes_the_second_time():
    assembly = SegmentAssembly(0, SEGMENT)
    assembly.begin("one", content_range=None, length=len(BODY))
    assembly.feed(BODY[:100])
    assembly.begin("two", content_range=None, length=len(BODY))
    with pytest.raises(ForeignBytes):
        assembly.feed(b"x" + BODY[1:])
    assert assembly.result().earlier == ("one",)
