"""The time of day on a board whose own clock may be wrong: what is in service stays so."""

import asyncio

import pytest

from blade_agent.main_board import service_clock
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.service_clock import ServiceClock
from chassis_emulator.simulation.simulation import Simulation
from tests.small_disk import SmallDisk

NOW_MS = 9_000_000_000_000
MINUTE_MS = 60_000


class Board:
    """Its clock shows what a test sets."""

    now_ms = NOW_MS


@pytest.fixture
def board(monkeypatch):
    monkeypatch.setattr(service_clock, "now_ms", lambda: Board.now_ms)
    Board.now_ms = NOW_MS
    return Board


def timed(story):
    """In virtual time."""
    with Simulation(1) as simulation:
        return simulation.run_until_complete(story(), within_s=100_000.0)


def test_until_it_is_told_it_is_the_later_of_the_boards_time_and_the_newest_told(board):
    clock = ServiceClock()
    assert clock.now_ms() == NOW_MS
    clock.newest_told_ms = NOW_MS + 5
    assert clock.now_ms() == NOW_MS + 5
    board.now_ms = 0  # a board that has no clock
    assert clock.now_ms() == NOW_MS + 5
    board.now_ms = NOW_MS + 9
    assert clock.now_ms() == NOW_MS + 9
    assert clock.center_ms() == 0, "nobody is told what the center has not said"


def test_a_board_that_is_ahead_is_right_as_soon_as_it_is_told_and_one_that_goes_back_is_not_believed(board):
    async def story():
        clock = ServiceClock()
        board.now_ms = NOW_MS + 60 * MINUTE_MS
        clock.tell(NOW_MS)
        assert (clock.now_ms(), clock.center_ms()) == (NOW_MS, NOW_MS)
        board.now_ms = 0
        await asyncio.sleep(90.0)
        assert clock.now_ms() == NOW_MS + 90_000

    timed(story)


def test_it_never_goes_back_whatever_comes_late(board):
    async def story():
        clock = ServiceClock()
        clock.tell(NOW_MS)
        await asyncio.sleep(10.0)
        clock.tell(NOW_MS + 4_000)  # said before, and heard after
        assert clock.now_ms() == NOW_MS + 10_000
        clock.tell(NOW_MS + 12_000)
        assert clock.now_ms() == NOW_MS + 12_000
        await asyncio.sleep(1.0)
        assert clock.now_ms() == NOW_MS + 13_000

    timed(story)


def test_a_time_of_the_past_is_a_bound_and_not_the_time(board):
    async def story():
        clock = ServiceClock()
        clock.tell_past(NOW_MS - MINUTE_MS)
        assert (clock.now_ms(), clock.center_ms()) == (NOW_MS, 0), "the board's clock is as good as before"
        clock.tell_past(NOW_MS + MINUTE_MS)
        assert clock.now_ms() == NOW_MS + MINUTE_MS
        clock.tell(NOW_MS)
        clock.tell_past(NOW_MS - MINUTE_MS)
        assert clock.now_ms() == NOW_MS
        clock.tell_past(NOW_MS + MINUTE_MS)
        assert clock.now_ms() == NOW_MS + MINUTE_MS

    timed(story)


def test_it_survives_a_restart_and_the_disk_is_spared(board, tmp_path):
    async def opened():
        catalogue = Catalogue(files, tmp_path)
        await catalogue.load()
        return catalogue

    files = SmallDisk(full=False)

    async def story():
        catalogue = await opened()
        board.now_ms = 0
        for second in range(180):
            await catalogue.hear_time(NOW_MS + 1000 * second)
        assert 2 <= files.commits <= 4
        again = await opened()
        assert NOW_MS + 2 * MINUTE_MS <= again.clock.now_ms() <= NOW_MS + 3 * MINUTE_MS
        await again.learn([], until=3, told_ms=NOW_MS + 175_000)
        assert (await opened()).clock.now_ms() == NOW_MS + 175_000

    asyncio.run(story())
