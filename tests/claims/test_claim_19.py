"""Claim 19: a further engine gets a segment whose engine has reached its capacity, as the wire saw it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.request import urlopen

import pytest

from tests.claims.conftest import sha256
from tests.claims.full import addresses, copies_of, fill
from tests.claims.wire import capture
from tests.patience import PATIENCE_S

CONSOLES = 50


@pytest.mark.peer("tshark")
def test_the_second_console_is_redirected_to_a_third_engine_that_copies_from_a_fourth(full, overflow):
    wire, program, first = overflow.wire, overflow.program["program"], overflow.first
    director = full.director("north")["address"]

    # the first media engine has reached a predetermined maximum capacity when a second media console requests streaming
    # of the same segment
    (play,) = wire.said("director/play", destination=director, program=program)

    # directing a third media engine to fetch the segment, specifying a fourth media engine from which the segment is to
    # be replicated
    (fetch,) = (
        order
        for order in wire.said("engine/fetch", source=director, program=program)
        if order.body["segment"]["number"] == 0
    )
    engines = {row["address"]: row for row in full.ps() if row["role"] == "engine"}
    third = engines[fetch.destination]
    (fourth,) = (row for row in engines.values() if row["media"] == fetch.body["source"])
    assert len({first["address"], third["address"], fourth["address"]}) == 3, "the full engine gives nothing"

    # requesting a copy by the third media engine of the segment from the fourth media engine;
    # sending the segment from the fourth media engine
    (copy,) = (
        one
        for one in wire.messages
        if (one.source, one.destination) == (third["address"], fourth["address"])
        and one.path.startswith(f"segments/{program}/{fetch.body['table']}/0.ts?ticket=")
    )
    assert copy.status == 200

    # replying to the second media console redirecting to the IP address of the third media engine
    assert play.answer["engine"] == third["media"]

    # requesting by the second media console of playing of the stream
    (stream,) = wire.said("engine/stream", destination=third["address"], session=play.answer["session"])

    # and, responding by the third media engine forwarding data for the segment to the second media console
    data = [frame for frame in wire.datagrams if frame.source == third["address"]]
    in_order = [play.number, fetch.number, fetch.answered, copy.number, play.answered, stream.number, data[0].number]
    assert in_order == sorted(in_order)
    length = overflow.report["segments"][0]["bytes"]
    sent = b"".join(frame.data for frame in wire.datagrams)
    assert {frame.source for frame in wire.datagrams[: len(data)]} == {third["address"]}
    assert sent[:length] == full.stored(first, program)[0]
    assert sha256(overflow.received) == sha256(sent) == overflow.program["sha256"]


@pytest.mark.peer("tshark")
def test_fifty_consoles_that_ask_for_a_full_program_at_once_cause_one_copy_and_all_get_it_exact(full, film, tmp_path):
    program = full.publish(film(2), "north", segment_ms=1000, copies=1)
    full_engines = {number: fill(full, program, number)["media"] for number in range(program["segments"])}
    door = full.service("north")

    def watch(_):
        """A player: all segments one after the other, by a playlist of its own."""
        received = b""
        for address in addresses(door, program):
            with urlopen(address, timeout=PATIENCE_S) as response:
                received += response.read()
        return sha256(received)

    with capture(full, tmp_path) as wire, ThreadPoolExecutor(CONSOLES) as consoles:
        assert set(consoles.map(watch, range(CONSOLES))) == {program["sha256"]}
        full.wait_until(
            lambda: all(len(copies_of(full, program, number)) == 2 for number in full_engines), "the copies"
        )
    orders = wire.said("engine/fetch", source=full.director("north")["address"], program=program["program"])
    assert Counter(order.body["segment"]["number"] for order in orders) == Counter(list(full_engines))
    assert all(order.body["source"] != full_engines[order.body["segment"]["number"]] for order in orders)
