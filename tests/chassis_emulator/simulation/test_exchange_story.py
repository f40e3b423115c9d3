"""Consoles that are exchanged in virtual time, while things fail (claim 22): never two senders of either, and in the
calm both are exact; and where it would not be so, that is seen."""

import logging
import os

import pytest

from blade_agent.main_board.engine.turns import engine_stream
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.events import GivenAway
from blade_agent.main_board.engine.turns.states import Underway
from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.exchange_story import tell_exchanges
from tests.chassis_emulator.simulation.failing import first_failure
from tests.conftest import SAID

FIRST = int(os.environ.get("SEED", "1"))
SEEDS = 150 if os.environ.get("SOAK") else 4


@pytest.fixture(autouse=True)
def quiet():
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(7200 if os.environ.get("SOAK") else 600)
def test_many_seeds_hold_and_consoles_are_exchanged(record_property):
    outcomes = [tell_exchanges(seed) for seed in range(FIRST, FIRST + SEEDS)]
    exchanged = sum(outcome.exchanged for outcome in outcomes)
    record_property(SAID, f"{exchanged} consoles exchanged under {SEEDS} seeds")
    assert exchanged


def who_gives_a_stream_goes_on_sending_it(patch):
    right = EngineStream._given_away

    def wrong(stream, event):
        going = stream.active
        effects = right(stream, event)
        if not effects:
            return ()
        starting = stream._start_neighbour(stream.active)
        stream.active = Underway(order=going.order, first_packet=going.first_packet)
        return starting

    patch.setitem(EngineStream._HANDLERS, GivenAway, wrong)
    patch.setattr(engine_stream, "TABLE", _Anywhere())


class _Anywhere(dict):
    """A table that forbids nothing."""

    def __missing__(self, _):
        return _Anywhere()

    def __contains__(self, _):
        return True


SLIPS = [who_gives_a_stream_goes_on_sending_it]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.__name__)
def test_a_slip_is_caught_by_a_seed(slip, monkeypatch, record_property):
    slip(monkeypatch)
    failure = first_failure(tell_exchanges, range(1, 13))
    record_property(SAID, f"slip {slip.__name__}: {failure}")
    assert isinstance(failure, SimulationError)
