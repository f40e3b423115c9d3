"""Orders of the headquarters: neither lost nor done twice, whoever is away or killed at whatever moment."""

import asyncio

import pytest

from distribution_center.headquarters import order_book, ordering
from media_network.messages.content import LIST_INGESTS, ListIngests
from media_network.messages.headquarters import (
    ASK_ORDER,
    LIST_CENTERS,
    LIST_ENTRIES,
    LIST_ORDERS,
    AskOrder,
    ListCenters,
    ListEntries,
    ListOrders,
)
from media_network.refusal import Reason
from tests.distribution_center.headquarters.headquarters_world import HOME
from tests.distribution_center.world import CONTENTS

DONE = {"east": "done", "west": "done"}


async def ingests(world, center):
    """How many ingests a center has had since it began."""
    return len((await world.centers[center].ask(LIST_INGESTS, ListIngests())).ingests)


def test_an_order_is_done_at_its_centers_and_nowhere_else(simulated, made):
    async def story(world):
        async with world.everybody():
            await world.order("east")
            await world.reach({"east": "done"})
            assert made == {"east": 1}
            assert (await world.centers["east"].row("film")).stations == {HOME: len(CONTENTS)}
            assert await world.centers["west"].row("film") is None
            assert (await ingests(world, "west")) == 0

    simulated(story)


def test_said_again_it_is_the_same_order(simulated, made):
    async def story(world):
        async with world.everybody():
            first = await world.order("east", "west")
            assert (await world.order("east", "west")).number == first.number
            await world.reach(DONE)
            await world.order("east", "west")
            assert made == {"east": 1, "west": 1}
            other = await world.order("east", source="/films/other.mp4")
            assert (other.reason, other.detail) == (Reason.BAD_MESSAGE, "order order-1 is another one")

    simulated(story)


def test_what_cannot_be_ordered_is_refused_with_what_can(simulated):
    async def story(world):
        async with world.mam():
            refused = await world.order("nort")
            assert refused.reason is Reason.UNKNOWN_CENTER
            assert refused.detail == "there is no center nort; there are: east, west"
            assert (await world.order("east", "east")).reason is Reason.BAD_MESSAGE
            assert (await world.ask(ASK_ORDER, AskOrder("none"))).reason is Reason.UNKNOWN_ORDER
            assert (await world.ask(LIST_ORDERS, ListOrders())).orders == ()

    simulated(story)


def test_of_a_center_that_left_the_settings_nothing_is_shown_but_what_it_is_still_to_be_told(simulated, made):
    async def story(world):
        async with world.everybody():
            await world.order("west")
            await world.reach({"west": "done"})
            await asyncio.sleep(5.0)
            assert (await world.ask(LIST_ENTRIES, ListEntries(center="west"))).entries
        async with world.mam():
            await world.order("west", order="order-2")
        west = world.centers.pop("west")
        async with world.mam(), world.center("east"):
            await asyncio.sleep(1.0)
            assert (await world.ask(LIST_ENTRIES, ListEntries())).entries == ()
            [download] = (await world.ask(ASK_ORDER, AskOrder("order-2"))).downloads
            assert download.obstacle == "west is not named in the settings any more: it is told when it is again"
            [over] = (await world.ask(ASK_ORDER, AskOrder("order-1"))).downloads
            assert (over.stage.value, over.obstacle) == ("done", None)
        world.centers["west"] = west
        async with world.mam(), world.center("west"):
            await world.reach({"west": "done"}, order="order-2")
            assert [each.program for each in (await world.ask(LIST_ENTRIES, ListEntries(center="west"))).entries]

    simulated(story)


def test_a_center_that_is_away_gets_it_when_it_is_back(simulated, made):
    async def story(world):
        async with world.mam():
            async with world.center("west"):
                await world.order("east", "west")
                await world.reach({"east": "ordered", "west": "done"})
            order = await world.ask(ASK_ORDER, AskOrder("order-1"))
            assert order.downloads[0].obstacle.startswith("east is away: ")
        async with world.mam(), world.center("east"):
            await world.reach(DONE)
        assert made == {"east": 1, "west": 1}

    simulated(story)


def test_a_center_without_a_home_station_takes_it_when_it_has_one(simulated, made):
    async def story(world):
        async with world.mam(), world.centers["east"].center():
            await world.order("east")
            await asyncio.sleep(10.0)
            [download] = (await world.ask(ASK_ORDER, AskOrder("order-1"))).downloads
            assert (download.stage.value, download.obstacle) == (
                "ordered",
                f"no director of station {HOME} has registered: is the station up?",
            )
            async with world.centers["east"].station(HOME, port=9001):
                await world.reach({"east": "done"})

    simulated(story)


def test_one_that_fails_says_why(simulated):
    async def story(world):
        async with world.everybody():
            await world.order("east", source="https://elsewhere.example/film.mp4")
            await world.reach({"east": "failed"})
            [download] = (await world.ask(ASK_ORDER, AskOrder("order-1"))).downloads
            assert "is no provider's" in download.obstacle
            await world.order("east", source="/films/there-is-none.mp4", order="order-2")
            await world.reach({"east": "failed"}, "order-2")
            [download] = (await world.ask(ASK_ORDER, AskOrder("order-2"))).downloads
            assert "there-is-none.mp4" in download.obstacle

    simulated(story)


@pytest.mark.parametrize("killed", ["mam", "east"])
def test_whoever_is_killed_at_whatever_moment_it_is_done_once(simulated, made, killed):
    """Every tenth of a second of an order's life, which takes three: it ends, and its film was made once."""

    def killed_at(moment):
        async def story(world):
            made.clear()
            victim = world.mam if killed == "mam" else lambda: world.center("east")
            other = (lambda: world.center("east")) if killed == "mam" else world.mam
            async with other():
                async with victim():
                    await world.order("east")
                    await asyncio.sleep(moment)
                for _ in range(2):
                    async with victim():
                        await world.reach({"east": "done"})
                        await asyncio.sleep(3.0)
                        assert await world.stages() == {"east": "done"}
                assert list((world.folder / "east" / "ingests").iterdir()) == [], "its end is acknowledged"

        return story

    for tenth in range(0, 30, 2):
        simulated(killed_at(tenth / 10))
        # A film that was being made when its center was killed is made anew; one that was made is not.
        assert made == {"east": 1}, tenth


def test_an_answer_that_is_lost_does_no_harm(simulated, made, monkeypatch):
    """The headquarters is killed between a center's answer and its own note of it: each time, for each message."""
    real = {name: getattr(order_book.OrderBook, name) for name in ("note", "settle")}

    async def story(world):
        async with world.center("east"):
            for name, lost in (("note", 0), ("note", 0), ("note", 1), ("note", 0), ("settle", 0)):
                calls = iter(range(100))

                async def lose(*said, name=name, lost=lost, calls=calls):
                    if next(calls) == lost:
                        raise asyncio.CancelledError
                    return await real[name](*said)

                with monkeypatch.context() as patched:
                    patched.setattr(order_book.OrderBook, name, lose)
                    async with world.mam():
                        await world.order("east")
                        await asyncio.sleep(3.0)
            async with world.mam():
                await world.reach({"east": "done"})
            assert made == {"east": 1}
            assert await ingests(world, "east") == 1

    simulated(story)


def test_a_center_that_has_lost_its_ingests_is_ordered_again(simulated, made):
    async def story(world):
        async with world.mam():
            async with world.center("east") as home:
                home.takes = 0
                await world.order("east")
                await world.reach({"east": "storing"})
            for path in (world.folder / "east" / "ingests").iterdir():
                path.unlink()
            async with world.center("east"):
                await world.reach({"east": "done"})

    simulated(story)


def test_so_many_are_open_at_a_center_at_a_time(simulated, made, monkeypatch):
    monkeypatch.setattr(ordering, "AT_ONCE", 2)

    async def story(world):
        async with world.mam(), world.center("east") as home:
            home.takes = 0
            for number in range(5):
                await world.order("east", order=f"order-{number}")
            await asyncio.sleep(5.0)
            assert await ingests(world, "east") == 2
            [row, _] = (await world.ask(LIST_CENTERS, ListCenters())).centers
            assert row.open_downloads == 5

    simulated(story)


def test_orders_are_listed_in_pages_and_the_oldest_that_are_over_go(simulated, made, monkeypatch):
    monkeypatch.setattr(order_book, "OVER_MAX", 3)

    async def story(world):
        async with world.everybody():
            for number in range(6):
                await world.order("east", source="https://elsewhere.example/x", order=f"order-{number}")
                await world.reach({"east": "failed"}, f"order-{number}")
                await asyncio.sleep(2.0)
            page = await world.ask(LIST_ORDERS, ListOrders(limit=2))
            assert [each.order for each in page.orders] == ["order-5", "order-4"]
            assert page.more
            rest = await world.ask(LIST_ORDERS, ListOrders(before=page.orders[-1].number))
            assert [each.order for each in rest.orders] == ["order-3", "order-2"]
            assert not rest.more

    simulated(story)
