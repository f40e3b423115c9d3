"""The demo's story in virtual time: what must hold does, under every seed; and where it would not, that is seen."""

import os
import subprocess
import sys

import pytest

from blade_agent.main_board.director.sessions import session, turn_keeping
from blade_agent.main_board.director.sessions.course import NORMAL
from blade_agent.main_board.director.sessions.events import PauseAsked, SeekAsked
from blade_agent.main_board.director.sessions.states import Paused, Streaming
from blade_agent.main_board.director.sessions.table import TABLE
from chassis_emulator.simulation import disk
from chassis_emulator.simulation.story import repeat_command, tell
from tests.chassis_emulator.simulation.failing import first_failure

SEEDS, SEEDS_A_TEST = 20, 5
"""`make soak` plays more."""


def simulate(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "chassis_emulator.simulation", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(1, SEEDS, SEEDS_A_TEST))
def test_many_seeds_hold(first):
    finished = simulate("--seed", first, "--seeds", SEEDS_A_TEST, "--jobs", 1)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.endswith(f"{SEEDS_A_TEST} of {SEEDS_A_TEST} seeds hold\n")


def test_the_same_seed_is_the_same_run_whatever_the_hash_seed():
    runs = {simulate("--seed", 3, "--json", PYTHONHASHSEED=str(hash_seed)).stdout for hash_seed in (0, 1, 77)}
    assert len(runs) == 1
    assert '"trace_hash"' in runs.pop()


def test_a_director_that_resumed_where_a_lost_sender_began_would_be_seen(monkeypatch):
    def no_margin(program, turn, _mark, _now):
        return program.segments.advance(turn.segment, turn.packet, 0)

    monkeypatch.setattr(turn_keeping, "past_turn", no_margin)
    failure = first_failure(tell, range(1, 25))
    assert "sent packet" in str(failure)


def anywhere(monkeypatch, event, wrong):
    """Have the core make this of an event, and go wherever that leads."""
    monkeypatch.setitem(session.Session._HANDLERS, event, wrong)
    allowed = {state: dict.fromkeys(row, frozenset(TABLE)) for state, row in TABLE.items()}
    monkeypatch.setattr(session, "TABLE", allowed)


def test_a_director_that_said_paused_and_told_no_engine_would_be_seen(monkeypatch):
    right = session.Session._pause_asked

    def wrong(core, event, now):
        if isinstance(core.state, Streaming):
            holder = core.state.holder
            core.state = Paused(last=holder, position=(holder.segment, holder.packet), left=None, since=now)
            return ()
        return right(core, event, now)

    anywhere(monkeypatch, PauseAsked, wrong)
    assert "was told that it is paused" in str(first_failure(tell, range(2, 9)))


def test_a_director_that_seeked_and_left_the_sender_its_turn_would_be_seen(monkeypatch):
    right = session.Session._seek_asked

    def wrong(core, event, now):
        if isinstance(core.state, Streaming):
            holder = core.state.holder
            return core._go(holder, event.position, (holder.segment, holder.packet), NORMAL, now)
        return right(core, event, now)

    anywhere(monkeypatch, SeekAsked, wrong)
    assert "sent packet" in str(first_failure(tell, range(1, 9)))


def test_a_store_that_did_not_sync_would_be_seen(monkeypatch):
    monkeypatch.setattr(disk.AppendedFile, "sync", lambda self: None)
    failure = first_failure(tell, range(1, 4))
    assert "no disk there holds it safely" in str(failure)


def test_a_failure_says_how_to_repeat_it(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "from chassis_emulator.simulation import disk\ndisk.AppendedFile.sync = lambda self: None\n"
    )
    finished = simulate("--seed", 1, PYTHONPATH=str(tmp_path))
    assert finished.returncode == 1
    assert repeat_command(1) in finished.stderr
    assert "Traceback" not in finished.stderr
