"""Claim 27: the same where a console asks for what its station lacks: the token comes with the order to fetch."""

import pytest

from tests.claims.trust import claims_of
from tests.claims.wire import capture


@pytest.mark.peer("tshark")
def test_a_copy_on_demand_is_requested_with_the_second_token(trust, tmp_path):
    name = trust.published["program"]
    with capture(trust, tmp_path) as wire:
        played = trust.json(
            *("media-console", "play", name, "--station", "south", "--by", "push", "--output", tmp_path / "film.ts")
        )
    assert played["sha256"] == trust.published["sha256"]
    seeking = trust.director("south")["address"]
    blades = {row["address"]: f"{row['station']}/{row['slot']}" for row in trust.ps() if row["slot"]}
    orders = [order for order in wire.said("engine/fetch", source=seeking, program=name) if order.body["on_demand"]]
    assert {order.body["segment"]["number"] for order in orders} == set(range(4))
    for order in orders:
        number, token = order.body["segment"]["number"], order.body["token"]
        target, source = order.destination, order.body["control"].partition(":")[0]

        # supplying a second security token to each authenticated media engine
        assert claims_of(token)["cnf"] == {"x5t#S256": trust.certificate(blades[target])}

        # requesting a copy: receiving the second security token from the target media engine
        copies = [
            request
            for request in wire.messages
            if (request.source, request.destination) == (target, source)
            and request.path.startswith(f"segments/{name}/{order.body['table']}/{number}.ts")
        ]
        assert copies
        for request in copies:
            assert (request.secured, request.authorization) == (True, f"Bearer {token}")
