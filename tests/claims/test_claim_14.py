"""Claim 14: what a console asks for and its station does not hold, word for word as the parties said it."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import IncompleteRead
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from media_network.segment_index import BLOCK_BYTES
from media_network.segment_set import parse_segments
from tests.claims.conftest import sha256
from tests.claims.west import west_of
from tests.claims.wire import capture
from tests.clips import render
from tests.end_to_end.viewing import segments_of
from tests.patience import PATIENCE_S

VIEWERS = 50
STEADY = {"x264-params": "nal-hrd=cbr", "b": "6M", "maxrate": "6M", "minrate": "6M", "bufsize": "6M"}
"""So that a segment of a second has three blocks, however little moves."""


@pytest.fixture
def large(network, tmp_path):
    """A program of two segments, of several blocks each, that only `home` holds."""
    return network.publish(render(tmp_path / f"{tmp_path.name}.mp4", 2, 320, 180, options=STEADY), segment_ms=1000)


@contextmanager
def viewer(door, program, number=0):
    """What a player gets of a segment that it asks a director for, by a playlist of its own, redirected."""
    segment = segments_of(f"http://{door}/programs/{program}/playlist.m3u8")[number]
    with urlopen(segment, timeout=PATIENCE_S) as response:
        yield response


def fetched(door, program, number=0):
    with viewer(door, program, number) as response:
        return response.read()


def comes_again(network, door, program, number, content):
    """Ask for a segment as players do: until it comes. It may be refused, or end short, and is never another."""

    def ask():
        try:
            body = fetched(door, program, number)
        except IncompleteRead as broken:
            body = broken.partial
        except (HTTPError, URLError, ConnectionError):
            body = b""
        assert content.startswith(body)
        return len(body) == len(content)

    network.wait_until(ask, f"segment {number}")


def at_home(network, program):
    """The segments of a program, in order."""
    held = {number: data for row in network.engines("home") for number, data in network.stored(row, program).items()}
    return [held[number] for number in range(len(held))]


@pytest.mark.peer("tshark")
def test_a_stream_of_what_another_station_holds_comes_by_the_conversation_of_the_claim(network, film, tmp_path):
    program = network.publish(film(3), "north", segment_ms=1000, copies=1)
    with capture(network, tmp_path) as wire:
        report = network.play(program["program"], "south", "push", tmp_path / "film.ts")
    assert sha256((tmp_path / "film.ts").read_bytes()) == report["sha256"] == program["sha256"]
    assert_conversation(network, wire, program["program"])


@pytest.mark.peer("tshark")
def test_fifty_consoles_that_ask_at_once_cause_one_request_at_the_source(network, large, tmp_path):
    program, contents, door = large["program"], at_home(network, large["program"]), network.service("south")
    with capture(network, tmp_path) as wire, ThreadPoolExecutor(VIEWERS) as viewers:
        bodies = viewers.map(lambda _: fetched(door, program), range(VIEWERS))
        assert {sha256(body) for body in bodies} == {sha256(contents[0])}
        report = network.play(program, "south", "hls", tmp_path / "film.ts")
    assert sha256((tmp_path / "film.ts").read_bytes()) == report["sha256"] == large["sha256"]
    consoles = [one for one in wire.messages if one.path.startswith(f"programs/{program}/0.ts") and one.status == 302]
    assert len(consoles) >= VIEWERS
    south, home = ({row["address"] for row in network.engines(name)} for name in ("south", "home"))
    requests = [
        one.path.partition("?")[0].rpartition("/")[2]
        for one in wire.messages
        if one.path.startswith(f"segments/{program}/") and one.destination in home and one.source in south
    ]
    assert sorted(requests) == ["0.index", "0.ts", "1.index", "1.ts"]


def test_the_console_gets_what_has_arrived_while_the_rest_is_on_its_way(network, large):
    program, contents, door = large["program"], at_home(network, large["program"]), network.service("south")
    with west_of(network, program, "slow") as west:
        west.gives_bytes = 2 * BLOCK_BYTES - 1
        with viewer(door, program) as response:
            begun = response.read(BLOCK_BYTES)
            assert begun == contents[0][:BLOCK_BYTES]
            assert "south" not in network.program(program)["stations"], "it is no location before it is durable"
            west.let_all()
            assert sha256(begun + response.read()) == sha256(contents[0])
        comes_again(network, door, program, 1, contents[1])
        network.wait_until(lambda: network.program(program)["stations"].get("south") == 2, "the new locations")
        assert 0 in west.asked


def test_no_byte_of_a_damaged_block_reaches_a_console_and_another_source_is_asked(network, large):
    program, contents, door = large["program"], at_home(network, large["program"]), network.service("south")

    def spoil(content):
        return content[: BLOCK_BYTES + 7] + bytes([content[BLOCK_BYTES + 7] ^ 1]) + content[BLOCK_BYTES + 8 :]

    with west_of(network, program, "wrong", spoil) as west:
        west.gives_bytes = BLOCK_BYTES
        with viewer(door, program) as response:
            begun = response.read(BLOCK_BYTES)
            assert begun == contents[0][:BLOCK_BYTES]
            west.let_all()
            with pytest.raises(IncompleteRead) as broken:
                response.read()
            assert broken.value.partial == b""
        for number, content in enumerate(contents):
            comes_again(network, door, program, number, content)
        network.wait_until(lambda: network.program(program)["stations"].get("south") == 2, "what home gives")
        assert 0 in west.asked


def test_the_last_known_locations_serve_while_the_registry_is_away(network, film):
    program = network.publish(film(9), "north", segment_ms=1000, copies=1)["program"]
    contents, door = at_home(network, program), network.service("south")
    assert fetched(door, program, 0) == contents[0]
    center = next(row for row in network.ps() if row["role"] == "center")
    os.kill(center["pid"], signal.SIGKILL)
    try:
        assert fetched(door, program, 7) == contents[7]
    finally:
        network.up()
    network.wait_until(
        lambda: network.program(program)["stations"].get("south", 0) >= 6, "that the registry hears of it"
    )


def assert_conversation(network, wire, program):
    """The steps of the claim, in its order, for the first segment of a program."""
    target_director = network.director("south")["address"]
    registry = f"127.{network.number}.0.1"

    # receiving a streaming request through the media director
    (play,) = wire.said("director/play", destination=target_director, program=program)

    # querying the media location registry for the location of the program or segment requested;
    # responding from the media location registry with source media station locations for the segment
    query = wire.said("registry/sources", source=target_director, destination=registry, program=program)[0]
    directors = {row["director"].partition(":")[0]: row["station"] for row in query.answer["sources"]}
    assert set(directors.values()) == {"home", "north"}

    # selecting a source media station by the media director;
    # requesting the location of the segment from a media director in the source media station
    (locate,) = wire.said("director/locate-segment", source=target_director, program=program, segment=0)
    source = directors[locate.destination]
    assert network.director(source)["address"] == locate.destination

    # responding with the address of a source media engine having the segment
    source_engines = {row["media"]: row for row in network.engines(source)}
    selected = source_engines[locate.answer["media"]]
    assert 0 in network.stored(selected, program)

    # directing a selected target media engine to fetch the segment
    (fetch,) = (
        one
        for one in wire.said("engine/fetch", source=target_director, program=program)
        if one.body["segment"]["number"] == 0
    )
    target_engines = {row["address"]: row for row in network.engines("south")}
    assert fetch.body["source"] == locate.answer["media"]
    target = target_engines[fetch.destination]
    assert play.answer["engine"] == target["media"], "the console is redirected to it"

    # requesting by the target media engine a copy of the segment from source media engine;
    # sending the segment to the target media engine
    (copy,) = (
        one
        for one in wire.messages
        if (one.source, one.destination) == (target["address"], selected["address"])
        and one.path.startswith(f"segments/{program}/{fetch.body['table']}/0.ts?ticket=")
    )
    assert copy.status == 200

    # notifying the media director of completion of the copy
    (done,) = wire.said("director/copy-done", source=target["address"], program=program, segment=0)
    assert (done.destination, done.body["result"]) == (target_director, "stored")

    # and notifying the media location register of the new location of the segment
    located = next(
        notice
        for notice in wire.said("registry/add-locations", source=target_director, program=program)
        if 0 in parse_segments(notice.body["segments"])
    )
    assert (located.destination, located.body["station"], located.status) == (registry, "south", 200)
    in_order = [play.number, query.number, query.answered, locate.number, locate.answered, fetch.number]
    in_order += [copy.number, copy.answered, done.number, located.number]
    assert in_order == sorted(in_order)
    assert 0 in network.stored(target, program)
