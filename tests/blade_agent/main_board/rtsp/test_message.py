"""RTSP as octets: whatever comes in whatever pieces, what is a message is read, and nothing else is kept."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.main_board.rtsp.message import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    Interleaved,
    RtspReader,
    RtspRequest,
    RtspResponse,
    RtspStatus,
    Unreadable,
    interleaved,
)

PLAY = b"PLAY rtsp://host/programs/film RTSP/1.0\r\nCSeq: 7\r\nRange: npt=1-\r\nX-More:  two\r\nx-more: three\r\n\r\n"
ASKING = b"GET_PARAMETER rtsp://host/ RTSP/1.0\r\nCSeq: 8\r\nContent-Length: 5\r\n\r\nabcde"
REPORT = interleaved(1, bytes(range(20)))
ROUNDS = 3000


def read(octets, by=10**6):
    reader = RtspReader()
    return [heard for at in range(0, len(octets), by) for heard in reader.feed(octets[at : at + by])]


@pytest.mark.parametrize("by", [1, 2, 3, 7, 50, 10**6])
def test_messages_are_read_in_whatever_pieces_they_come(by):
    play, report, asking, again = read(PLAY + REPORT + b"\r\n" + ASKING + PLAY, by)
    assert (play.method, play.uri, play.number) == ("PLAY", "rtsp://host/programs/film", 7)
    assert play.headers == {"cseq": "7", "range": "npt=1-", "x-more": "two, three"}
    assert report == Interleaved(1, bytes(range(20)))
    assert (asking.body, asking.number) == (b"abcde", 8)
    assert again == play


def test_an_answer_that_nobody_asked_for_is_passed_over():
    (heard,) = read(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n" + PLAY)
    assert heard.number == 7


def test_any_number_of_them_is():
    (heard,) = read(b"RTSP/1.0 \r\n\r\n" * 10_000 + PLAY)
    assert heard.number == 7


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        (b"PLAY rtsp://host/ RTSP/2.0\r\n\r\n", RtspStatus.RTSP_VERSION_NOT_SUPPORTED),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", RtspStatus.BAD_REQUEST),
        (b"PLAY rtsp://host/" + b"a" * 5000 + b" RTSP/1.0\r\n\r\n", RtspStatus.REQUEST_URI_TOO_LONG),
        (b"PLAY rtsp://host/ RTSP/1.0\r\nno header\r\n\r\n", RtspStatus.BAD_REQUEST),
        (b"PLAY rtsp://host/ RTSP/1.0\r\nCSeq: \xff\r\n\r\n", RtspStatus.BAD_REQUEST),
        (b"PLAY rtsp://host/ RTSP/1.0\r\nContent-Length: -1\r\n\r\n", RtspStatus.BAD_REQUEST),
        (b"PLAY rtsp://host/ RTSP/1.0\r\nContent-Length: 4097\r\n\r\n", RtspStatus.BAD_REQUEST),
        (b"PLAY rtsp://host/ RTSP/1.0\r\n" + b"A: b\r\n" * 65 + b"\r\n", RtspStatus.BAD_REQUEST),
        (b"A" * HEAD_BYTES_MAX, RtspStatus.BAD_REQUEST),
        (b"\x16\x03\x01" + bytes(HEAD_BYTES_MAX), RtspStatus.BAD_REQUEST),
    ],
)
def test_what_is_no_request_is_the_last_that_is_read(octets, status):
    reader = RtspReader()
    assert list(reader.feed(octets)) == [Unreadable(status)]
    assert list(reader.feed(PLAY)) == []
    assert reader.kept_bytes == 0


def test_whatever_comes_is_read_or_refused_and_little_of_it_is_kept():
    """Messages that are changed here and there, from a seed: the same each time."""
    rng, seen = random.Random(11), set()
    for _ in range(ROUNDS):
        octets = bytearray(rng.choice((PLAY, ASKING, REPORT)) + rng.choice((PLAY, ASKING, REPORT, b"")))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(octets))
            match rng.randrange(4):
                case 0:
                    octets[at] = rng.randrange(256)
                case 1:
                    del octets[at : at + rng.randrange(1, 9)]
                case 2:
                    octets[at:at] = rng.randbytes(rng.randrange(1, 9))
                case 3:
                    octets[at:at] = octets[:at] * rng.randrange(3)
            octets = octets or bytearray(b"$")
        reader = RtspReader()
        while octets:
            piece = octets[: rng.randrange(1, 200)]
            del octets[: len(piece)]
            for heard in reader.feed(bytes(piece)):
                seen.add(type(heard))
                assert isinstance(heard, RtspRequest | Interleaved | Unreadable)
            assert reader.kept_bytes <= max(HEAD_BYTES_MAX, BODY_BYTES_MAX, 65_539) + 200
    assert seen == {RtspRequest, Interleaved, Unreadable}


@given(st.binary(max_size=400))
def test_noise_is_refused_or_waited_for(octets):
    assert sum(isinstance(heard, Unreadable) for heard in read(octets)) <= 1


def test_an_answer_says_which_request_it_answers_and_how_long_it_is():
    response = RtspResponse(status=RtspStatus.OK, headers={"Session": "1"}, body=b"v=0")
    assert response.octets(3) == b"RTSP/1.0 200 OK\r\nCSeq: 3\r\nSession: 1\r\nContent-Length: 3\r\n\r\nv=0"
    assert RtspResponse(status=RtspStatus.SESSION_NOT_FOUND).octets(None) == b"RTSP/1.0 454 Session not found\r\n\r\n"
