"""Why a message was not taken: in words for whoever sent it, in bounded time, and never a library's."""

import json
import time

import msgspec
import pytest

from media_network.messages.content import Distribute, Ingest
from media_network.unread_message import why_unread
from tests.wrong_values.library_wording import assert_one_sentence


def refusal_of(message, kind):
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError, RecursionError)) as refused:
        msgspec.json.decode(message, type=kind)
    return refused.value


def said_of(message, kind):
    return why_unread(message, kind, refusal_of(message, kind))


@pytest.mark.parametrize(
    ("kind", "message", "why"),
    [
        (Ingest, b"", "it is not JSON"),
        (Ingest, b'{"source": "\xff"}', "it is not JSON"),
        (Ingest, b"[" * 1000, "it is not JSON"),
        (Ingest, b"[]", "must be a mapping with the keys source, title, segment_ms, longest_segment_ms"),
        (Ingest, b"{}", "source is missing; it must be text"),
        (Ingest, b'{"source": 3}', "source is 3; it must be text"),
        (Ingest, b'{"source": "a", "segment_ms": 0}', "segment_ms is 0; it must be a whole number from 200 to 60000"),
        (Ingest, b'{"source": "a", "newer": 1, "title": 2}', "title is 2; it must be text"),
        (Distribute, b'{"program": "A_B"}', "program is 'A_B'; it must be at most 64 lower case letters, digits and"),
        (Distribute, b'{"program": "a", "stations": "north"}', "stations must be a list"),
    ],
)
def test_the_key_and_what_it_may_be(kind, message, why):
    said = said_of(message, kind)
    assert_one_sentence(said)
    assert why in said


def test_a_long_message_costs_a_stranger_more_than_us():
    """What persons write is short; what is long is not read again."""
    stations = [f"s{number}" for number in range(100_000)]
    long = json.dumps({"program": "a", "stations": [*stations, 3]}).encode()
    refused = refusal_of(long, Distribute)
    before = time.process_time()
    assert why_unread(long, Distribute, refused) == "stations[100000] is not what it may be"
    assert time.process_time() - before < 0.05


def test_the_costliest_that_is_read_again():
    short = json.dumps({"program": "a", "stations": ["s"] * 190 + [3]}).encode()
    assert len(short) < 1024
    refused = refusal_of(short, Distribute)
    before = time.process_time()
    why_unread(short, Distribute, refused)
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"program": "a", "stations": ["n"], "copies": "x" * 2000}, "copies is not what it may be"),
        ({"stations": ["n"] * 500}, "program is missing"),
        ({"program": "a", "stations": ["n"] * 500 + [{"\x1b[31m": 1}]}, "stations[500] is not what it may be"),
        (["n" * 2000], "it is not what this is asked with"),
    ],
)
def test_of_a_long_message_the_field_is_said(message, why):
    said = said_of(json.dumps(message).encode(), Distribute)
    assert_one_sentence(said)
    assert said == why


def test_a_long_message_that_is_no_json_says_so():
    assert said_of(b'{"program": "' + b"a" * 2000, Distribute) == "it is not JSON"
