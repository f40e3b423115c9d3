"""`blade-agent sessions`: whom it asks, and what it says when nobody tells."""

import asyncio
import json
import threading
from contextlib import contextmanager

import pytest
from click.testing import CliRunner

from blade_agent.cli import main
from media_network.address import Address
from media_network.http.server import HandlerTable, serve_ports
from media_network.messages.watching import (
    ASK_DIRECTOR,
    LIST_SESSIONS,
    DirectorSeen,
    PresentTurn,
    Sessions,
    SessionState,
    SessionView,
)
from media_network.refusal import Reason, Refused
from tests.addresses import network_number
from tests.patience import PATIENCE_S

NETWORK = network_number()
DIRECTOR, ENGINE = f"127.{NETWORK}.77.1", f"127.{NETWORK}.77.2"
VIEWS = tuple(
    SessionView(
        session=f"s{number}",
        program="film",
        state=SessionState.STREAMING,
        engine=f"{ENGINE}:8080",
        present=PresentTurn(turn=3, segment=number, packet=0),
        turns=3,
    )
    for number in range(5)
)


async def listed(asked):
    """Two at a time."""
    left = [view for view in VIEWS if view.session > asked.after]
    return Sessions(tuple(left[:2]), more=len(left) > 2)


async def who_directs(_):
    return DirectorSeen(media=f"{DIRECTOR}:8080")


async def nobody(_):
    return Refused(Reason.WRONG_ROLE, "nobody on this blade answers that")


@contextmanager
def blade(host, *, lists=nobody, directs=who_directs):
    """A blade that answers, in a thread of its own."""
    there, over = threading.Event(), threading.Event()

    async def be():
        table = HandlerTable(host)
        table.verb(LIST_SESSIONS, lists)
        table.verb(ASK_DIRECTOR, directs)
        async with serve_ports(table, control=Address(host, 8081), media=Address(host, 8080)):
            there.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(be(),))
    thread.start()
    try:
        assert there.wait(PATIENCE_S)
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def settings(tmp_path):
    path = tmp_path / "blade.toml"
    path.write_text(
        f'slot = 2\naddress = "{ENGINE}"\nbackplane = "udp:{ENGINE}:623"\n'
        f'state = "{tmp_path}"\nchannels = ["{tmp_path}"]\n'
    )
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["sessions", *map(str, arguments)])


def test_all_pages_are_shown_in_order_as_a_table_or_as_json():
    with blade(DIRECTOR, lists=listed):
        shown = run("--director", f"{DIRECTOR}:8081")
        lines = shown.output.splitlines()
        assert lines[0].split() == ["SESSION", "PROGRAM", "STATE", "ENGINE", "SEGMENT", "TURNS"]
        assert lines[5].split() == ["s4", "film", "streaming", f"{ENGINE}:8080", "4", "3"]
        assert len(lines) == 6
        rows = json.loads(run("--director", f"{DIRECTOR}:8081", "--json").output)
        assert [row["session"] for row in rows] == ["s0", "s1", "s2", "s3", "s4"]


def test_a_blade_that_is_an_engine_knows_whom_to_ask(settings):
    with blade(DIRECTOR, lists=listed), blade(ENGINE):
        assert len(json.loads(run("--settings", settings, "--json").output)) == 5


def test_a_blade_that_directs_is_asked_itself(settings):
    with blade(ENGINE, lists=listed, directs=nobody):
        assert len(json.loads(run("--settings", settings, "--json").output)) == 5


def test_who_does_not_tell_is_named_in_one_sentence_with_a_hint(settings, tmp_path):
    with blade(ENGINE, directs=nobody):
        engine = run("--settings", settings)
    silent = run("--settings", settings)
    missing = run("--settings", tmp_path / "none.toml")
    for answer, said in (
        (engine, f"Error: {ENGINE}:8081 tells of no sessions: nobody on this blade"),
        (silent, f"Error: nobody tells who directs: {ENGINE}:8080 did not answer"),
        (missing, "Error: "),
    ):
        assert answer.exit_code == 1
        assert answer.output.startswith(said)
        assert "\nHint: " in answer.output
        assert "Traceback" not in answer.output
