"""Deletions and moves in virtual time, while things fail: no segment is ever lost, and every deletion ends; and where
it would not be so, that is seen."""

import logging
import os

import pytest

from chassis_emulator.simulation.deletion_story import tell_deletions
from distribution_center.registry import deletion_writes
from distribution_center.registry.deciding import Ground, Leave, Ruling
from tests.chassis_emulator.simulation.failing import first_failure

FIRST = int(os.environ.get("SEED", "1"))
SEEDS = 300 if os.environ.get("SOAK") else 3


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(7200 if os.environ.get("SOAK") else 600)
def test_many_seeds_hold():
    outcomes = [tell_deletions(seed) for seed in range(FIRST, FIRST + SEEDS)]
    assert sum(outcome.deleted for outcome in outcomes) > SEEDS
    assert sum(outcome.moved for outcome in outcomes)


@pytest.mark.timeout(600)
def test_a_registry_that_gave_leave_to_whoever_asks_would_be_seen(monkeypatch):
    monkeypatch.setattr(deletion_writes, "rule", lambda counted: Ruling(Leave.GRANTED, Ground.SPARE))
    assert "no disk of any station holds segment" in str(first_failure(tell_deletions, range(1, 10)))
