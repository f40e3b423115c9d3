"""Orders that are taken back: over once, at the headquarters and at its centers, whoever is away or killed."""

import asyncio

import pytest

from distribution_center.headquarters import order_book, ordering
from media_network.messages.content import INGEST, LIST_INGESTS, Ingest, ListIngests
from media_network.messages.headquarters import (
    ASK_ORDER,
    CANCEL_ORDER,
    LIST_CENTERS,
    AskOrder,
    CancelOrder,
    ListCenters,
)
from media_network.refusal import Reason


async def cancel(world, *centers, order="order-1"):
    return await world.ask(CANCEL_ORDER, CancelOrder(order=order, centers=centers))


def kept(world, center="east"):
    """What a center has on disk of ingests."""
    return sorted(path.name for path in (world.folder / center / "ingests").iterdir())


def test_what_is_taken_back_ends_and_nothing_of_it_stays(simulated, made):
    async def story(world):
        async with world.mam(), world.center("east") as east, world.center("west") as west:
            east.takes = west.takes = 0
            await world.order("east", "west")
            await world.reach({"east": "storing", "west": "storing"})
            first = await cancel(world)
            assert [each.stage.value for each in first.downloads] == ["cancelling", "cancelling"]
            await world.reach({"east": "cancelled", "west": "cancelled"})
            east.takes = west.takes = 100
            await asyncio.sleep(10.0)
            assert made == {"east": 1, "west": 1}
            assert await world.centers["east"].row("film") is None
            assert kept(world) == kept(world, "west") == [], "its end is acknowledged"
            again = await cancel(world)
            assert [each.stage.value for each in again.downloads] == ["cancelled", "cancelled"]
            [row, _] = (await world.ask(LIST_CENTERS, ListCenters())).centers
            assert row.open_downloads == 0

    simulated(story)


def test_what_is_done_is_done(simulated, made):
    async def story(world):
        async with world.everybody():
            await world.order("east")
            await world.reach({"east": "done"})
            [download] = (await cancel(world)).downloads
            assert (download.stage.value, download.program) == ("done", "film")
            await asyncio.sleep(5.0)
            assert await world.stages() == {"east": "done"}
            assert await world.centers["east"].row("film") is not None

    simulated(story)


def test_only_where_it_is_said(simulated, made):
    async def story(world):
        async with world.everybody():
            await world.order("east", "west")
            await cancel(world, "west")
            await world.reach({"east": "done", "west": "cancelled"})
            assert made == {"east": 1}
            refused = await cancel(world, "nort")
            assert refused.reason is Reason.UNKNOWN_CENTER
            assert refused.detail == "order order-1 is not for nort; it is for: east, west"
            assert (await cancel(world, order="none")).reason is Reason.UNKNOWN_ORDER

    simulated(story)


def test_a_center_that_is_away_hears_of_it_when_it_is_back(simulated, made):
    """Whether the order had reached it or not; and an order that comes after all begins nothing."""

    async def story(world):
        async with world.mam(), world.center("west") as home:
            home.takes = 0
            await world.order("east", "west")
            await world.reach({"east": "ordered", "west": "storing"})
        async with world.mam():
            await cancel(world)
            await asyncio.sleep(5.0)
            order = await world.ask(ASK_ORDER, AskOrder("order-1"))
            assert [each.stage.value for each in order.downloads] == ["cancelling", "cancelling"]
            assert order.downloads[0].obstacle.startswith("east is away: ")
        async with world.mam(), world.center("east"), world.center("west") as home:
            home.takes = 0
            await world.reach({"east": "cancelled", "west": "cancelled"})
            assert "east" not in made
            assert (await world.centers["east"].ask(LIST_INGESTS, ListIngests())).ingests == ()

    simulated(story)


def test_an_order_that_comes_after_it_was_taken_back_begins_nothing(simulated, made, monkeypatch):
    """The network has held it up: the center keeps that it is over until the headquarters has written that down."""

    async def story(world):
        async with world.everybody():
            monkeypatch.setattr(ordering.Ordering, "_end", never_acknowledge)
            east = world.centers["east"]
            await world.order("east", source="/films/film.mp4")
            await cancel(world)
            await world.reach({"east": "cancelled"})
            late = Ingest(source="/films/film.mp4", ingest="order-1")
            assert (await east.ask(INGEST, late)).stage.value == "cancelled"
            await asyncio.sleep(5.0)
            assert made == {}

    async def never_acknowledge(*_):
        """As one that is killed before it could."""

    simulated(story)


def test_it_does_not_wait_behind_others(simulated, made, monkeypatch):
    monkeypatch.setattr(ordering, "AT_ONCE", 2)

    async def story(world):
        async with world.mam(), world.center("east") as home:
            home.takes = 0
            for number in range(5):
                await world.order("east", order=f"order-{number}")
            await asyncio.sleep(5.0)
            await cancel(world, order="order-4")
            await world.reach({"east": "cancelled"}, "order-4")
            await cancel(world, order="order-0")
            await world.reach({"east": "cancelled"}, "order-0")
            await asyncio.sleep(5.0)
            taken = {
                row.progress.ingest for row in (await world.centers["east"].ask(LIST_INGESTS, ListIngests())).ingests
            }
            assert taken == {"order-0", "order-1", "order-2"}, "another one has its place"

    simulated(story)


async def ends_once(world, stages=("cancelled", "done")):
    """It ends as it may, and stays so; the program is there if and only if it was done."""
    for _ in range(1200):
        seen = (await world.stages())["east"]
        if seen in stages:
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(4.0)
    assert await world.stages() == {"east": seen}
    assert (await world.centers["east"].row("film") is not None) == (seen == "done"), seen
    assert kept(world) == [], "its end is acknowledged"
    return seen


@pytest.mark.parametrize("killed", ["mam", "east"])
def test_whoever_is_killed_at_whatever_moment_it_is_over_once(simulated, made, killed):
    seen = set()

    def killed_at(cancelled_s, killed_s):
        async def story(world):
            made.clear()
            victim = world.mam if killed == "mam" else lambda: world.center("east")
            other = (lambda: world.center("east")) if killed == "mam" else world.mam
            async with other():
                async with victim():
                    await world.order("east")
                    await asyncio.sleep(cancelled_s)
                    await cancel(world)
                    await asyncio.sleep(killed_s)
                for _ in range(2):
                    async with victim():
                        seen.add(await ends_once(world))

        return story

    for cancelled_s in (0.0, 0.4, 1.3, 2.6):
        for killed_s in (0.0, 0.15, 1.1):
            simulated(killed_at(cancelled_s, killed_s))
    assert seen == {"cancelled", "done"}


def test_an_answer_that_is_lost_does_no_harm(simulated, made, monkeypatch):
    """The headquarters is killed between a center's answer and its own note of it: each time, for each message."""
    real = {name: getattr(order_book.OrderBook, name) for name in ("note", "settle")}

    async def story(world):
        async with world.center("east") as home:
            home.takes = 0
            async with world.mam():
                await world.order("east")
                await world.reach({"east": "storing"})
                await cancel(world)
            for name in ("note", "note", "settle", "settle"):
                calls = iter(range(100))

                async def lose(*said, name=name, calls=calls):
                    if next(calls) == 0:
                        raise asyncio.CancelledError
                    return await real[name](*said)

                with monkeypatch.context() as patched:
                    patched.setattr(order_book.OrderBook, name, lose)
                    async with world.mam():
                        await asyncio.sleep(3.0)
            async with world.mam():
                assert await ends_once(world) == "cancelled"

    simulated(story)


def test_what_a_center_says_meanwhile_does_not_bring_it_back(simulated, made, monkeypatch):
    """It is taken back between the question how far it is and the note of the answer."""
    real = order_book.OrderBook.note

    async def story(world):
        async with world.mam(), world.center("east") as home:
            home.takes = 0
            calls = iter(range(100))

            async def note(book, opened, heard):
                if next(calls) == 1:
                    await cancel(world)
                return await real(book, opened, heard)

            monkeypatch.setattr(order_book.OrderBook, "note", note)
            await world.order("east")
            await world.reach({"east": "cancelled"})
            assert await ends_once(world) == "cancelled"

    simulated(story)
