"""The file of a headquarters: what it takes over, what it sets aside, and that nobody looks through all of it."""

import asyncio
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from distribution_center.headquarters import followed as followed_module
from distribution_center.headquarters.catalogue import Catalogue
from distribution_center.headquarters.download_life import DownloadEvent, Heard
from distribution_center.headquarters.followed import Followed, Progress
from distribution_center.headquarters.order_book import OrderBook
from distribution_center.headquarters.places import Places
from distribution_center.headquarters.store import HeadquartersStore, HeadquartersStoreError
from media_network.messages.headquarters import AskWhere, CancelOrder, EntryKey, ListEntries, OrderDownload
from media_network.messages.program_information import Changes, ProgramChange
from media_network.messages.shares import Share, Shares
from tests.distribution_center.headquarters.scripted_center import HEADER
from tests.patience import PATIENCE_S

KEPT = Path(__file__).parents[2] / "golden" / "headquarters"
EVERYTHING = ListEntries()


@contextmanager
def opened(folder):
    store = HeadquartersStore(folder / "headquarters.sqlite")
    try:
        yield store
    finally:
        store.close()


@pytest.mark.parametrize("damage", [b"nonsense" * 1000, b""])
def test_a_damaged_file_is_set_aside_and_begun_anew(tmp_path, caplog, damage):
    path = tmp_path / "headquarters.sqlite"
    path.write_bytes(damage)
    HeadquartersStore(path).close()
    assert ("orders that were not over have to be given again" in caplog.text) == bool(damage)


def test_the_file_of_a_later_release_is_refused(tmp_path):
    with opened(tmp_path) as store:
        asyncio.run(store.write(lambda connection: connection.pragma("user_version", 99)))
    with pytest.raises(HeadquartersStoreError, match="has version 99 and this release 2"):
        HeadquartersStore(tmp_path / "headquarters.sqlite")


@pytest.mark.parametrize("version", [1])
def test_the_file_of_an_earlier_release_is_taken_over(tmp_path, version):
    """Orders go on, and what was known of a center that is away now is still known."""
    before = apsw.Connection(str(tmp_path / "headquarters.sqlite"))
    before.execute((KEPT / f"{version}.sqlite.sql").read_text())
    before.close()

    async def look(store):
        book, followed = OrderBook(store), Followed(store)
        assert await followed.progress("east") == Progress(programs=1, open_downloads=0)
        assert await followed.progress("west") == Progress(programs=0, open_downloads=2)
        [entry] = (await Catalogue(store).entries(ListEntries(search="film"))).entries
        assert (entry.center, entry.program, entry.version, entry.title) == ("east", "film", 7, "A film")
        assert await Places(store).where(AskWhere(center="east", program="film")) == ((), False)
        stages = {
            order.order: {each.center: each.stage.value for each in order.downloads}
            for order in (await book.orders(None, 10)).orders
        }
        assert stages == {
            "order-1": {"east": "done", "west": "storing"},
            "order-2": {"east": "done"},
            "order-3": {"west": "ordered"},
        }
        assert [one.order.order for one in await book.open_at("east", 9)] == ["order-2"], "it is to be acknowledged"
        assert [one.order.order for one in await book.open_at("west", 9)] == ["order-1", "order-3"]

    for _ in range(2):
        with opened(tmp_path) as store:
            asyncio.run(look(store))


def changes(names, first=1):
    headers = (replace(HEADER, program=name, version=number) for number, name in enumerate(names, first))
    known = tuple(ProgramChange(version=one.version, program=one.program, header=one) for one in headers)
    return Changes(changes=known, until=first + len(known) - 1)


def shares(names, first=1, stations=("home", "north")):
    pairs = [(name, station) for name in names for station in stations]
    known = tuple(
        Share(version=number, program=name, station=station, segments=4, of=4)
        for number, (name, station) in enumerate(pairs, first)
    )
    return Shares(shares=known, until=first + len(known) - 1, begun_at_ms=1)


async def fill(store, programs, orders):
    """Two centers have so many programs, at two stations each; so many orders are over, and some are open."""
    names = [f"film-{number:06}" for number in range(programs)]
    for center in ("east", "west"):
        await Followed(store).begin_again(center, 1)
        await Catalogue(store).take(center, changes(names))
        await Places(store).take(center, shares(names))
    book = OrderBook(store)
    for number in range(orders):
        await book.enter(OrderDownload(order=f"over-{number}", source="/f", centers=("east",)), 1)
        [opened_one] = await book.open_at("east", 1)
        await book.note(opened_one, Heard(DownloadEvent.FAILS))
        await book.settle(opened_one)
    for number in range(5):
        await book.enter(OrderDownload(order=f"open-{number}", source="/f", centers=("east", "west")), 1)


def works(store, programs):
    """All that a headquarters does again and again, by name: one change is taken, one question asked."""
    followed, catalogue, places, book = Followed(store), Catalogue(store), Places(store), OrderBook(store)
    middle = f"film-{programs // 2:06}"
    late, after = 10 * programs, EntryKey("east", middle)

    async def noted():
        [opened_one, *_] = await book.open_at("west", 1)
        await book.note(opened_one, Heard(DownloadEvent.STORES))

    async def settled():
        [opened_one, *_] = await book.open_at("west", 1)
        await book.note(opened_one, Heard(DownloadEvent.IS_DONE))
        await book.settle(opened_one)

    return {
        "a change is taken": partial(catalogue.take, "east", changes([middle], late)),
        "a program more is taken": partial(catalogue.take, "east", changes(["another"], late + 1)),
        "a withdrawal is taken": partial(
            catalogue.take, "east", Changes(changes=(ProgramChange(version=late + 2, program="another"),), until=late)
        ),
        "a share is taken": partial(places.take, "east", shares([middle], late, ("north",))),
        "a share that is gone is taken": partial(
            places.take,
            "east",
            Shares(
                shares=(Share(version=late, program=middle, station="north", segments=0, of=4),),
                until=late,
                begun_at_ms=1,
            ),
        ),
        "progress": partial(followed.progress, "east"),
        "nothing is outdated": partial(followed.trim, "east"),
        "all is known": partial(followed.complete, "east", 5),
        "where": partial(places.where, AskWhere(center="west", program=middle)),
        "a page of all": partial(catalogue.entries, replace(EVERYTHING, after=after, limit=20)),
        "a page of a center": partial(catalogue.entries, replace(EVERYTHING, after=after, center="west", limit=20)),
        "a film by its name": partial(catalogue.entries, replace(EVERYTHING, film=middle)),
        "a film that there is none of": partial(catalogue.entries, replace(EVERYTHING, film="ab" * 32)),
        "an order is taken": partial(book.enter, OrderDownload(order="new", source="/f", centers=("west",)), 1),
        "an order": partial(book.ask, "over-3"),
        "a page of orders": partial(book.orders, None, 10),
        "what is open": partial(book.open_at, "east", 32),
        "one is noted": noted,
        "one is settled": settled,
        "one is taken back": partial(book.cancel, CancelOrder(order="open-3")),
    }


async def measured(store, work):
    """Steps of SQLite's machine, in thousands of ten, that a work takes."""
    steps = 0

    def count():
        nonlocal steps
        steps += 1
        return False

    for connection in (store.writer, store.reader):
        connection.set_progress_handler(count, 10)
    await work()
    for connection in (store.writer, store.reader):
        connection.set_progress_handler(None)
    return steps


def test_nothing_that_is_done_again_and_again_grows_with_what_there_is(tmp_path):
    """Counted in steps of SQLite's machine: that of a catalogue twenty times as large, and of ten times the orders."""

    async def steps(folder, programs, orders):
        folder.mkdir()
        with opened(folder) as store:
            await fill(store, programs, orders)
            return {name: await measured(store, work) for name, work in works(store, programs).items()}

    small = asyncio.run(steps(tmp_path / "small", 200, 6))
    large = asyncio.run(steps(tmp_path / "large", 4000, 60))
    grown = {name: (small[name], large[name]) for name in small if large[name] > 1.3 * small[name] + 30}
    assert grown == {}


def test_a_search_keeps_nobody_from_writing_and_comes_to_its_end_in_pieces(tmp_path):
    async def story():
        with opened(tmp_path) as store:
            await fill(store, 3000, 1)
            wanted = ListEntries(search="there is none")
            pages = 0
            while True:
                page = await Catalogue(store).entries(wanted)
                pages += 1
                assert page.entries == ()
                if page.after is None:
                    break
                wanted = replace(wanted, after=page.after)
            assert pages == 2, "of 6000 entries 5000 at a time"

    asyncio.run(story())


def test_who_asks_does_not_wait_for_who_writes_nor_the_other_way_round(tmp_path):
    """Each is held up in the middle of its work while the other comes and goes."""

    async def story():
        with opened(tmp_path) as store:
            await fill(store, 10, 1)

            def slowly(_):
                time.sleep(0.5)

            loop = asyncio.get_running_loop()
            for held_up, passes in (
                (store.read, lambda: Catalogue(store).take("east", changes(["more"], 50))),
                (store.write, lambda: Followed(store).progress("east")),
            ):
                waiting = asyncio.create_task(held_up(slowly))
                await asyncio.sleep(0)
                begun = loop.time()
                async with asyncio.timeout(PATIENCE_S):
                    await passes()
                assert not waiting.done() or loop.time() - begun < 0.5
                await waiting

    asyncio.run(story())


def test_what_is_counted_is_what_there_is(tmp_path):
    """After programs came, changed and went, and orders in every way."""

    async def story():
        with opened(tmp_path) as store:
            await fill(store, 30, 3)
            catalogue, book = Catalogue(store), OrderBook(store)
            await catalogue.take("east", changes(["film-000003", "film-000004", "more"], 100))
            gone = tuple(ProgramChange(version=200, program=name) for name in ("film-000007", "none"))
            await catalogue.take("west", Changes(changes=gone, until=200))
            await book.cancel(CancelOrder(order="open-1", centers=("east",)))
            [first, second, *_] = await book.open_at("west", 9)
            await book.note(first, Heard(DownloadEvent.IS_CANCELLED))
            await book.settle(first)
            await book.note(second, Heard(DownloadEvent.CONVERTS))
            for center in ("east", "west"):
                known = await Followed(store).progress(center)
                [(programs,)] = store.reader.execute("SELECT count(*) FROM programs WHERE center = ?", (center,))
                [(downloads,)] = store.reader.execute(
                    "SELECT count(*) FROM downloads WHERE center = ? AND NOT final", (center,)
                )
                assert (known.programs, known.open_downloads) == (programs, downloads)
            assert (await Followed(store).progress("east")).open_downloads == 5

    asyncio.run(story())


@pytest.mark.parametrize("killed_after", range(4))
def test_what_a_center_that_left_has_told_goes_though_that_was_begun_before_and_broken_off(
    tmp_path, monkeypatch, killed_after
):
    monkeypatch.setattr(followed_module, "_TRIMMED_AT_ONCE", 2)

    async def story(store):
        followed = Followed(store)
        await fill(store, programs=5, orders=0)
        await followed.begin_again("west", 0)
        for _ in range(killed_after):
            await followed.trim("west")
        await followed.forget_others({"east"})
        assert (await followed.progress("west")).programs == 0
        assert (await followed.progress("east")).programs == 5
        assert await Places(store).where(AskWhere(center="west", program="film-000000")) is None

    with opened(tmp_path) as store:
        asyncio.run(story(store))
