"""Two centers and their headquarters in virtual time, while things fail; and where the headquarters would not come to
know what the centers know, that is seen.
"""

import asyncio
import logging
import os

import pytest
from msgspec.structs import replace

from chassis_emulator.simulation.headquarters_story import tell_headquarters
from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.places import Places
from tests.chassis_emulator.simulation.failing import first_failure

FIRST = int(os.environ.get("SEED", "1"))
SEEDS = 300 if os.environ.get("SOAK") else 2


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(7200 if os.environ.get("SOAK") else 600)
def test_many_seeds_hold():
    outcomes = [tell_headquarters(seed) for seed in range(FIRST, FIRST + SEEDS)]
    assert all(outcome.withdrawn == 2 for outcome in outcomes)
    assert min(outcome.looks for outcome in outcomes) > 20
    assert sum(outcome.orders for outcome in outcomes) > 10 * SEEDS


@pytest.mark.timeout(600)
def test_a_page_that_is_passed_over_would_be_seen(monkeypatch):
    """Its number is taken down, and what it says is not."""
    taken = Places.take

    async def take(self, center, shares):
        await taken(self, center, replace(shares, shares=()))

    monkeypatch.setattr(Places, "take", take)
    assert "does not know what" in str(first_failure(tell_headquarters, [1]))


@pytest.mark.timeout(600)
def test_a_withdrawal_that_is_not_heeded_would_be_seen(monkeypatch):
    taken = Catalogue.take

    async def take(self, center, changes):
        await taken(self, center, replace(changes, changes=tuple(one for one in changes.changes if one.header)))

    monkeypatch.setattr(Catalogue, "take", take)
    assert "does not know what" in str(first_failure(tell_headquarters, [1]))


@pytest.mark.timeout(600)
def test_a_program_that_comes_back_would_be_seen(monkeypatch):
    """A while after its withdrawal it is taken in as it was before."""
    taken, known = Catalogue.take, {}

    async def take(self, center, changes):
        await taken(self, center, changes)
        for one in changes.changes:
            if one.header:
                known[center, one.program] = one
            elif before := known.get((center, one.program)):
                again = taken(self, center, replace(changes, changes=(before,)))
                asyncio.get_running_loop().call_later(3.0, asyncio.ensure_future, again)

    monkeypatch.setattr(Catalogue, "take", take)
    assert "was withdrawn, and the headquarters lists it again" in str(first_failure(tell_headquarters, range(1, 6)))
