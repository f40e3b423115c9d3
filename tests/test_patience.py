"""Waiting ends with what was waited for, with the process it was to come from, or with patience; in one place."""

import re
import subprocess
from pathlib import Path

import pytest

from tests import patience
from tests.patience import wait_until

TESTS = Path(__file__).parent
VIRTUAL = TESTS / "chassis_emulator" / "simulation"
"""Where seconds are not the machine's."""
SHORT = re.compile(r"asyncio\.timeout\(\d|wait_for\(.*, [\d.]+\)|give_up_at = .*\+ \d")


def test_what_was_seen_is_given():
    counts = iter(range(10))
    assert wait_until(lambda: next(counts), lambda count: count == 3) == 3


def test_the_end_of_the_process_it_comes_from_is_noticed_at_once():
    with subprocess.Popen(["sh", "-c", "exit 7"]) as process, pytest.raises(AssertionError, match="ended with 7"):
        wait_until(lambda: None, process=process)


def test_what_never_comes_ends_it_and_says_why(monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_S", 0.05)
    with pytest.raises(AssertionError, match="a log"):
        wait_until(lambda: None, why=lambda: "a log")


def test_no_test_has_less_patience_than_the_others():
    """A number of seconds beside a wait says how fast a machine has to be."""
    found = [
        f"{path.relative_to(TESTS)}: {line.strip()}"
        for path in TESTS.rglob("*.py")
        if VIRTUAL not in path.parents and path != Path(__file__)
        for line in path.read_text().splitlines()
        if SHORT.search(line)
    ]
    assert found == []
