"""Claim 26: media engines are authenticated, and show a second security token with each request for a copy."""

import json
from urllib.request import Request, urlopen

import pytest

from tests.claims.trust import claims_of
from tests.claims.wire import capture


@pytest.mark.peer("tshark")
def test_each_copy_is_requested_with_the_second_token(trust, film, tmp_path):
    with capture(trust, tmp_path) as wire:
        name = trust.publish(film(3), "north", segment_ms=1000, copies=1)["program"]
    director = trust.director("north")
    blades = {row["address"]: f"{row['station']}/{row['slot']}" for row in trust.ps() if row["slot"]}
    orders = [order for order in wire.said("engine/fetch", program=name) if order.source == director["address"]]
    assert len(orders) >= 3
    for order in orders:
        number, table = order.body["segment"]["number"], order.body["table"]
        # authenticating each media engine: over TLS, by certificates of the network's authority
        assert order.secured
        receiving, source = order.destination, order.body["control"].partition(":")[0]

        # supplying a second security token to each authenticated media engine
        token = order.body["token"]
        if source not in {row["address"] for row in trust.engines("north")}:
            supplied = wire.said("director/engine-token", source=director["address"], program=name, segment=number)
            assert token in {request.answer["token"] for request in supplied}
            assert all(request.number < order.number for request in supplied if request.answer["token"] == token)
        assert claims_of(token)["cnf"] == {"x5t#S256": trust.certificate(blades[receiving])}

        # requesting a copy of the segment: receiving the second security token from the receiving media engine
        copies = [
            request
            for request in wire.messages
            if (request.source, request.destination) == (receiving, source)
            and request.path.startswith(f"segments/{name}/{table}/{number}.")
        ]
        assert {request.path.partition("?")[0].rpartition(".")[2] for request in copies} == {"ts", "index"}
        for request in copies:
            assert request.secured
            assert request.authorization == f"Bearer {token}"
            assert request.status == 200
    assert not [request for request in wire.messages if request.path.startswith("segments/") and not request.secured]


class Thief:
    """Somebody who has the certificate of an engine of `south`, and asks for what is at `north`."""

    def __init__(self, trust):
        self.trust, self.name = trust, trust.published["program"]
        table = next(trust.state.glob(f"stations/north/*/channel-1/**/{self.name}.*")).name.partition(".")[2]
        self.cut = {"program": self.name, "table": table}
        self.path = f"segments/{self.name}/{table}/1.ts"
        self.director = trust.director("north")["control"]
        status, self.location = trust.say_as("south/2", self.director, "director/locate-segment", **self.cut, segment=1)
        assert status == 200
        self.source = next(row for row in trust.engines("north") if row["control"] == self.location["control"])

    def token(self, *, certificate="south/2", segment=1, director=None):
        wanted = {**self.cut, "segment": segment, "certificate": self.trust.certificate(certificate)}
        asked = director or self.director
        status, answer = self.trust.say_as("south/2", asked, "director/engine-token", **wanted)
        assert status == 200, answer
        return answer["token"]

    def ask(self, token, as_whom="south/2", at="control", path=None):
        target = f"{self.location[at]}/{path or self.path}?ticket={self.location['ticket']}"
        return self.trust.ask(as_whom, target, token)


@pytest.fixture(scope="module")
def thief(trust):
    return Thief(trust)


def changed(token):
    head, body, signature = token.split(".")
    return f"{head}.{body[:-2]}{'A' if body[-2] != 'A' else 'B'}{body[-1]}.{signature}"


ATTACKS = {
    "no token": (lambda thief: thief.ask(None), 401, "no_token"),
    "a word in place of one": (lambda thief: thief.ask("open-sesame"), 401, "malformed"),
    "for another segment": (lambda thief: thief.ask(thief.token(segment=2)), 403, "wrong_program"),
    "changed": (lambda thief: thief.ask(changed(thief.token())), 401, "wrong_key"),
    "of another source station": (
        lambda thief: thief.ask(thief.token(director=thief.trust.director("home")["control"])),
        401,
        "unknown_key",
    ),
    "bound to another certificate": (
        lambda thief: thief.ask(thief.token(certificate="south/3")),
        401,
        "wrong_holder",
    ),
    "stolen, and shown with another certificate": (
        lambda thief: thief.ask(thief.token(), as_whom="north/3"),
        401,
        "wrong_holder",
    ),
    "shown by a person": (lambda thief: thief.ask(thief.token(), as_whom="operator"), 403, "not_allowed"),
    "shown by a center": (lambda thief: thief.ask(thief.token(), as_whom="center"), 403, "not_allowed"),
    "at the media port": (lambda thief: thief.ask(thief.token(), as_whom=None, at="media"), 401, "no_token"),
    "for an index, without one": (
        lambda thief: thief.ask(None, path=thief.path.replace(".ts", ".index")),
        401,
        "no_token",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_without_the_right_one_no_byte_comes(thief, attack):
    do, status, reason = ATTACKS[attack]
    before = thief.trust.log_of(thief.source).count("is refused a copy of segment 1")
    answered, body = do(thief)
    assert (answered, json.loads(body)["reason"]) == (status, reason)
    assert len(body) < 300
    assert thief.trust.log_of(thief.source).count("is refused a copy of segment 1") == before + 1


def test_with_the_right_one_the_copy_comes(thief):
    token = thief.token()
    status, body = thief.ask(token)
    (held,) = (thief.trust.state / "stations" / "north" / str(thief.source["slot"])).glob(
        f"channel-1/**/{thief.name}.*/1.*.ts"
    )
    assert (status, body) == (200, held.read_bytes())
    assert claims_of(token)["exp"] - claims_of(token)["iat"] <= 300


def test_without_the_certificate_nothing_is_answered(thief):
    target = f"{thief.location['control']}/{thief.path}?ticket={thief.location['ticket']}"
    with pytest.raises(OSError, match=r"closed connection|reset by peer|alert|EOF"):
        thief.trust.ask(None, target, thief.token())


def test_a_ticket_of_a_viewer_is_none_of_an_engine(thief):
    """What a console may fetch at the media port it may not at the other, whoever shows it."""
    playlist = thief.trust.playlist("north", thief.name)
    _, text = thief.trust.ask(None, playlist.removeprefix("http://"))
    host = playlist.removeprefix("http://").partition("/")[0]
    media = next(line for line in text.decode().splitlines() if line and not line.startswith("#"))
    _, text = thief.trust.ask(None, f"{host}/programs/{thief.name}/{media.rpartition('/')[2]}")
    assert b"ticket=" in text
    line = next(line for line in text.decode().splitlines() if line.startswith("1.ts"))
    request = Request(f"http://{host}/programs/{thief.name}/{line}")
    with urlopen(request, timeout=10) as answer:  # redirected to the engine
        held = answer.url.partition("://")[2]
        assert answer.status == 200
    status, body = thief.trust.ask("south/2", held.replace(":8080/", ":8081/"))
    assert (status, json.loads(body)["reason"]) == (403, "bad_ticket")
