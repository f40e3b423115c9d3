"""Claim 6: a subscriber management system and a subscriber billing system communicate through a cache, over the
network, to the media stations, for subscriber and billing information."""

import json
import os
import signal
from contextlib import contextmanager

import pytest

from tests.claims.tokens import PASSWORD
from tests.end_to_end.viewing import sha256
from tests.patience import wait_until

PER_VIEWING, PRICE = 50, 399


def subscribers(tokens, *words):
    tokens.run("distribution-center", "subscribers", *words)


def invoice(tokens, name):
    """What a subscriber owes this month, by what for."""
    (found,) = tokens.json("distribution-center", "billing", "invoices", name)
    return {line["what"]: line for line in found["lines"]}


def reconciled(tokens):
    """Whether the ledger has what engines counted, with nothing under way."""
    found = tokens.run("distribution-center", "reconcile", "--json", check=False)
    said = json.loads(found.stdout)
    assert found.returncode == (0 if said["equal"] else 1)
    under_way = sum(row["under_way_bytes"] for row in said["engines"])
    return said if said["equal"] and not under_way and not said["nobodys_records"] else None


@contextmanager
def away(tokens):
    """Subscriber management and billing are killed, and come back when the context is left."""
    os.kill(tokens.process("accounts")["pid"], signal.SIGKILL)
    tokens.wait_until(lambda: tokens.process("accounts")["pid"] is None, "the end of subscriber management and billing")
    try:
        yield
    finally:
        tokens.up()


def waits_for(tokens, token, answer):
    tokens.wait_until(lambda: tokens.playlist(token) == answer, f"the playlist to be answered with {answer}")


@pytest.fixture(scope="module")
def carla(tokens):
    """Somebody whose token is good for every program, and of whom subscriber management does not know yet."""
    tokens.carla = tokens.login_of("carla", "*")
    return tokens.token(name="carla", password=PASSWORD)


def test_subscriber_information_comes_to_the_stations_before_the_redirect(tokens, carla):
    refused = (403, "not_entitled")
    assert tokens.playlist(carla) == tokens.play_message(carla) == refused, (
        "subscriber management knows nobody like that"
    )
    subscribers(tokens, "add", "carla", "--id", tokens.carla)
    subscribers(tokens, "package", "classics", "some-other-film")
    subscribers(tokens, "grant", "carla", "package:classics")
    waits_for(tokens, carla, refused)
    subscribers(tokens, "package", "classics", tokens.program)
    waits_for(tokens, carla, (200, None))
    subscribers(tokens, "change", "carla", "suspend")
    waits_for(tokens, carla, refused)
    subscribers(tokens, "change", "carla", "resume")
    waits_for(tokens, carla, (200, None))
    assert tokens.playlist(carla, "home") == (200, None), "at every station"
    subscribers(tokens, "package", "classics", tokens.program, "--remove")
    waits_for(tokens, carla, refused)
    subscribers(tokens, "rent", "carla", tokens.program, "--until", "+2d", "--price", str(PRICE))
    waits_for(tokens, carla, (200, None))


def test_what_the_cache_knows_is_on_disks_and_needs_nobody(tokens, carla):
    """It hangs, then it is killed: an entitled viewer is let in, one who was refused is not."""
    tokens.subscriber("dora", "*")
    dora = tokens.token(name="dora", password=PASSWORD)
    subscribers(tokens, "change", "dora", "cancel")
    waits_for(tokens, dora, (403, "not_entitled"))
    management = tokens.process("accounts")["pid"]
    os.kill(management, signal.SIGSTOP)
    try:
        assert tokens.playlist(carla) == (200, None)
        assert tokens.playlist(dora) == (403, "not_entitled")
    finally:
        os.kill(management, signal.SIGCONT)
    director = tokens.director("north")
    kept = tokens.state / "stations" / "north" / str(director["slot"]) / "state" / "standings.sqlite"
    tokens.wait_until(lambda: kept.exists() and kept.stat().st_size, "what is known to be on the director's disk")


def test_both_away_viewers_play_and_are_billed_to_the_unit_afterwards(tokens, carla, tmp_path):
    tokens.run("distribution-center", "billing", "tariff", "*", "--per-viewing", str(PER_VIEWING))
    wait_until(lambda: reconciled(tokens), why=tokens.logs, every_s=1.0)
    before = invoice(tokens, "carla").get(tokens.program, {"viewings": 0, "sent_bytes": 0})
    played = []
    (tokens.state / "console.json").unlink(missing_ok=True)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    tokens.log_in("carla", password)
    with away(tokens):
        for by in ("hls", "push"):
            output = tmp_path / f"{by}.ts"
            tokens.run("media-console", "play", tokens.program, "--station", "north", "--by", by, "--output", output)
            assert sha256(output) == tokens.sha256
            played.append(output.stat().st_size)
        # The director's process dies: who takes its place knows what the token says, and goes on with the epoch after.
        old = tokens.director("north")
        os.kill(old["pid"], signal.SIGKILL)
        tokens.new_director(old)
        waits_for(tokens, carla, (200, None))
        output = tmp_path / "after.ts"
        tokens.run("media-console", "play", tokens.program, "--station", "north", "--by", "push", "--output", output)
        played.append(output.stat().st_size)
    wait_until(lambda: settled(tokens, before, played), why=tokens.logs, every_s=1.0)
    after = invoice(tokens, "carla")
    assert after[tokens.program]["viewings"] == before["viewings"] + len(played)
    assert after[tokens.program]["amount"] == after[tokens.program]["viewings"] * PER_VIEWING
    assert after[f"rental of {tokens.program}"]["amount"] == PRICE
    rows = tokens.run("distribution-center", "billing", "invoices", "carla", "--csv").stdout.splitlines()
    assert rows[0] == "subscriber,what,viewings,sent_bytes,amount"
    assert rows[1] == f"carla,rental of {tokens.program},0,0,{PRICE}"


def settled(tokens, before, played):
    now = invoice(tokens, "carla").get(tokens.program, {"sent_bytes": 0})["sent_bytes"]
    assert now <= before["sent_bytes"] + sum(played), "nothing is billed twice"
    return now == before["sent_bytes"] + sum(played) and reconciled(tokens)
