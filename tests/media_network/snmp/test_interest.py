"""Objects that are brought up to date when somebody asks, and not for nobody."""

import asyncio

import pytest

from media_network.snmp.interest import FRESH_S, LASTING_S, Interest
from tests.patience import PATIENCE_S


class Shown:
    """Objects, and when they were brought up to date, by a clock that a test moves."""

    def __init__(self):
        self.now_s = 100.0
        self.refreshed = []
        self.interest = Interest(lambda: self.now_s)
        self.interest.show(lambda: self.refreshed.append(self.now_s))
        self.refreshed.clear()

    def asked_at(self, *times):
        for self.now_s in times:
            self.interest.asked()
        return self.refreshed


def test_an_answer_is_never_older_than_a_second_and_costs_no_more_than_one_look_in_it():
    assert Shown().asked_at(100.2, 100.9, 101.0, 101.4, 102.1, 500.0) == [101.0, 102.1, 500.0]


def test_what_was_set_shows_in_the_next_answer():
    shown = Shown()
    shown.asked_at(101.0)
    shown.interest.forget()
    assert shown.asked_at(101.1, 101.2) == [101.0, 101.1]


def test_who_looks_for_news_looks_only_when_nobody_has_asked_meanwhile():
    async def story():
        shown = Shown()
        looking = asyncio.create_task(shown.interest.keep_refreshing(0.0))
        for _ in range(3):
            await asyncio.sleep(0)
        looked = len(shown.refreshed)
        looking.cancel()
        shown.refreshed.clear()
        looking = asyncio.create_task(shown.interest.keep_refreshing(3600.0))
        await asyncio.sleep(0)
        looking.cancel()
        return looked, shown.refreshed

    looked, later = asyncio.run(story())
    assert looked > 0
    assert later == []


@pytest.mark.parametrize(("passed_s", "waits"), [(0.0, False), (LASTING_S - 1, False), (LASTING_S + 1, True)])
def test_one_request_makes_the_next_one_expected(passed_s, waits):
    async def story():
        shown = Shown()
        shown.asked_at(200.0)
        shown.now_s += passed_s
        waiting = asyncio.create_task(shown.interest.wait(at_most_s=3600.0))
        await asyncio.sleep(0)
        done_at_once = waiting.done()
        shown.interest.asked()
        await asyncio.wait_for(waiting, PATIENCE_S)
        return done_at_once

    assert asyncio.run(story()) is not waits


def test_nobody_is_waited_for_longer_than_wanted():
    async def story():
        await asyncio.wait_for(Interest(lambda: 0.0).wait(at_most_s=0.0), PATIENCE_S)

    asyncio.run(story())
    assert FRESH_S < LASTING_S
