"""Claim 20: the copy of claim 19 is done, and the director and the registry hear of it."""

import pytest

from media_network.segment_set import parse_segments


@pytest.mark.peer("tshark")
def test_the_director_and_the_registry_are_told_of_the_copy(full, overflow):
    wire, program = overflow.wire, overflow.program["program"]
    director, registry = full.director("north")["address"], f"127.{full.number}.0.1"
    (fetch,) = (
        order
        for order in wire.said("engine/fetch", source=director, program=program)
        if order.body["segment"]["number"] == 0
    )
    third = fetch.destination
    (row,) = (row for row in full.engines("north") if row["address"] == third)

    # sending a copy done from the third media engine to the MD when copying of the segment from the fourth media engine
    # to the third media engine is complete
    (copy,) = (
        one
        for one in wire.messages
        if one.source == third and one.path.startswith(f"segments/{program}/{fetch.body['table']}/0.ts?ticket=")
    )
    (done,) = wire.said("director/copy-done", source=third, destination=director, program=program, segment=0)
    assert done.body["result"] == "stored"
    assert full.stored(row, program)[0] == full.stored(overflow.first, program)[0]

    # and, notifying the MLR for the new location for the segment
    (located,) = (
        notice
        for notice in wire.said("registry/add-locations", source=director, program=program)
        if 0 in parse_segments(notice.body["segments"])
    )
    assert (located.destination, located.body["station"], located.status) == (registry, "north", 200)
    assert located.body["copies"] == 2, "it is at two engines now"
    in_order = [fetch.number, copy.number, copy.answered, done.number, located.number]
    assert in_order == sorted(in_order)
