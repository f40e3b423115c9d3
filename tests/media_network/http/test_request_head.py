"""Heads of requests: what is read here is what everybody else reads, and what may be read in two ways is not read."""

import asyncio
import time
from unittest.mock import Mock

import pytest
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media_network.http.request_head import HEAD_MAX, read_head

PLAIN = b"GET /programs/film/3.ts?session=abc&ticket=abc.def HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: x\r\n\r\n"


def test_a_plain_get_is_read():
    head = read_head(PLAIN, "127.0.0.9")
    assert (head.path, dict(head.query)) == ("/programs/film/3.ts", {"session": "abc", "ticket": "abc.def"})
    assert head.field(b"host") == "127.0.0.1:8080"
    assert head.field(b"accept-encoding") == ""
    assert head.remote == "127.0.0.9"


def test_of_a_name_that_comes_twice_the_first_value_counts():
    assert read_head(PLAIN.replace(b"ticket=", b"session="), "").query["session"] == "abc"


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        PLAIN[:-1],
        PLAIN[:-2],
        PLAIN + b"G",
        PLAIN + PLAIN,
        PLAIN.replace(b"GET", b"HEAD"),
        PLAIN.replace(b"GET", b"get"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b" HTTP/1.1", b""),
        PLAIN.replace(b"/film", b"/%66ilm"),
        PLAIN.replace(b"/programs", b"http://a/programs"),
        PLAIN.replace(b"GET ", b"GET  "),
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"session=abc", b"session=a+c"),
        PLAIN.replace(b"session=abc", b"session=a%20c"),
        PLAIN.replace(b"Host: 127.0.0.1:8080\r\n", b""),
        PLAIN.replace(b"User-Agent: x", b"Host: other"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent : x"),
        PLAIN.replace(b"User-Agent: x", b" User-Agent: x"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent: x\r\n y"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent: \x00"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent: \xff"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent: x\rContent-Length: 5"),
        PLAIN.replace(b"User-Agent: x", b"Content-Length: 5"),
        PLAIN.replace(b"User-Agent: x", b"content-LENGTH:0"),
        PLAIN.replace(b"User-Agent: x", b"Transfer-Encoding: chunked"),
        PLAIN.replace(b"User-Agent: x", b"Expect: 100-continue"),
        PLAIN.replace(b"User-Agent: x", b"Upgrade: websocket"),
        PLAIN.replace(b"User-Agent: x", b"Connection: close"),
        PLAIN.replace(b"User-Agent: x", b"Connection: keep-alive, Upgrade"),
        PLAIN.replace(b"User-Agent: x", b"User-Agent: " + b"x" * HEAD_MAX),
    ],
)
def test_anything_else_is_left_to_others(octets):
    assert read_head(octets, "") is None


LINES = (b"Host: a\r\n", b"host:b\r\n", b"X: y\r\n", b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n")
MORE_LINES = (b"Connection: close\r\n", b"Cookie: a=b; c\r\n")
BEGINNINGS = (b"GET ", b"POST ", b"/programs/film/3.ts", b"/", b"?", b"session=a", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n")
LETTERS = (b"X", b":", b"&", b"=", b" ", b"\t", b"\r\n", b"\r", b"\n", b"\0", b"\x7f", b"%2f")
PIECES = st.sampled_from([*LINES, *MORE_LINES, *BEGINNINGS, *LETTERS])
REQUESTS = st.one_of(
    st.lists(PIECES, max_size=12).map(b"".join),
    st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 3), st.binary(max_size=4)).map(
        lambda cut: PLAIN[: cut[0]] + cut[2] + PLAIN[cut[0] + cut[1] :]
    ),
    st.lists(PIECES, max_size=6).map(lambda pieces: b"GET / HTTP/1.1\r\nHost: a\r\n" + b"".join(pieces) + b"\r\n\r\n"),
)


@given(REQUESTS)
@example(PLAIN)
@settings(max_examples=1500, deadline=None)
def test_whatever_is_read_here_the_framework_reads_alike(octets):
    head = read_head(octets, "")
    if head is None:
        return
    loop = asyncio.new_event_loop()
    try:
        parser = HttpRequestParser(Mock(_reading_paused=False), loop, 2**16)
        messages, upgraded, tail = parser.feed_data(octets)
    except HttpProcessingError as error:
        raise AssertionError(octets) from error
    finally:
        loop.close()
    [(message, body)] = messages
    assert (upgraded, tail, message.should_close, message.method) == (False, b"", False, "GET")
    assert body.is_eof()
    assert message.url.raw_path == head.path
    assert {name: message.url.query[name] for name in message.url.query} == {
        name: value for name, value in head.query.items() if name or value
    }
    assert {name.lower(): value for name, value in message.raw_headers} == dict(head.fields)


@pytest.mark.parametrize(
    "octets",
    [
        b"GET /" + b"a" * (HEAD_MAX - 5),
        b"GET /?" + b"=&" * (HEAD_MAX // 2 - 3),
        b"GET / HTTP/1.1\r\n" + b"a:\r\n" * ((HEAD_MAX - 20) // 4),
        b"GET / HTTP/1.1\r\nHost:" + b" \t" * ((HEAD_MAX - 30) // 2) + b"\0\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"a%d: \r\n" % number for number in range(400)) + b"\r\n",
    ],
)
def test_a_hostile_head_costs_what_it_is_long(octets):
    assert len(octets) <= HEAD_MAX
    best_s = min(_cost_s(octets) for _ in range(20))
    assert best_s < 50e-6 * len(octets) / 1000 + 20e-6, best_s


def _cost_s(octets):
    began_s = time.thread_time()
    read_head(octets, "")
    return time.thread_time() - began_s
