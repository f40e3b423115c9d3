"""The catalogue of all centers, followed by their feeds."""

import asyncio

import msgspec
import pytest
from msgspec.structs import replace

from distribution_center.headquarters import catalogue, followed
from media_network.messages.content import WITHDRAW, Withdraw
from media_network.messages.headquarters import (
    ENTRIES_SHOWN_MAX,
    LIST_CENTERS,
    LIST_ENTRIES,
    EntryKey,
    ListCenters,
    ListEntries,
)
from media_network.refusal import Reason
from tests.distribution_center.headquarters.scripted_center import HEADER, ScriptedCenter, comes, scripted
from tests.programs import empty_segments, program_with


async def names(world, **wanted):
    """All of the catalogue, page by page."""
    found, page = [], None
    while page is None or page.after:
        page = await world.ask(LIST_ENTRIES, ListEntries(after=page and page.after, limit=4, **wanted))
        found += [(entry.center, entry.program) for entry in page.entries]
    return found


@pytest.mark.parametrize("poll_s", [1.0, 3600.0])
def test_what_changes_at_a_center_is_known_in_a_moment(simulated, poll_s):
    """However seldom it is asked how its downloads are."""

    async def story(world):
        world.poll_s = poll_s
        async with world.everybody():
            await asyncio.sleep(5.0)
            repository = world.centers["east"].repository
            for number in range(5):
                await asyncio.sleep(0.37)
                await repository.add_program(
                    program_with(empty_segments(2), program=f"film-{number}", version=0, published=False)
                )
                await asyncio.sleep(0.1)
                assert ("east", f"film-{number}") in await names(world)

    simulated(story)


def test_the_catalogue_of_a_center_comes_in_pages_and_its_changes_follow(simulated):
    async def story(world):
        async with world.mam(), scripted(world) as east:
            wanted = [("east", f"film-{number}") for number in range(8)]
            east.has(*(name for _, name in wanted), version=1)
            await comes(lambda: names(world), wanted)
            assert [since for since in east.asked if since < 8] == [0, 3, 6], "a page after the other, and none twice"
            east.has("film-3", version=9, title="A new title")
            east.lost("film-0", version=10)
            await comes(lambda: names(world), wanted[1:])
            [entry] = (await world.ask(LIST_ENTRIES, ListEntries(film="film-3"))).entries
            assert (entry.title, entry.version) == ("A new title", 9)

    simulated(story)


def test_what_was_heard_is_known_while_the_center_is_away_and_goes_on_from_there(simulated):
    async def story(world):
        east = ScriptedCenter()
        east.has("film-1", "film-2", version=1)
        async with world.mam(), scripted(world, center=east):
            await comes(lambda: names(world), [("east", "film-1"), ("east", "film-2")])
        async with world.mam():
            assert len(await names(world)) == 2
            [row, other] = (await world.ask(LIST_CENTERS, ListCenters())).centers
            assert (row.reachable, row.newest, row.programs) == (False, 2, 2)
            assert row.heard_ms > 0
            assert (other.center, other.heard_ms, other.newest, other.programs) == ("west", None, 0, 0)
            east.asked.clear()
            east.has("film-3", version=3)
            async with scripted(world, center=east):
                await comes(lambda: names(world), [("east", f"film-{number}") for number in (1, 2, 3)])
        assert east.asked[0] == 2

    simulated(story)


def test_a_feed_that_has_begun_again_replaces_what_was_known(simulated):
    """Whatever its numbers are: a registry that was lost knows no tombstones, and is soon beyond what was heard."""

    async def story(world):
        async with world.mam(), scripted(world) as east:
            everything = [f"film-{number:02}" for number in range(50)]
            east.has(*everything, version=1)
            await comes(lambda: names(world), [("east", name) for name in everything])
            for first in (1, 100):
                everything = everything[:10] + everything[11:]
                east.begin_anew()
                east.has(*everything, version=first)
                await comes(lambda: names(world), [("east", name) for name in everything])
            [row, _] = (await world.ask(LIST_CENTERS, ListCenters())).centers
            assert (row.programs, row.newest) == (48, 147)

    simulated(story)


def test_what_a_feed_begun_again_has_not_told_of_is_let_go_of_piece_by_piece_and_never_too_soon(simulated, monkeypatch):
    """While the new round goes on, what was known stays: also when the headquarters is killed meanwhile."""
    monkeypatch.setattr(followed, "_TRIMMED_AT_ONCE", 7)

    async def story(world):
        east = ScriptedCenter()
        before = [f"film-{number:02}" for number in range(40)]
        async with world.mam(), scripted(world, center=east):
            east.has(*before, version=1)
            await comes(lambda: names(world), [("east", name) for name in before])
        east.begin_anew()
        east.has("film-05", "film-50", "film-51", "film-52", version=100)
        east.page = 1
        now = [("east", name) for name in ("film-05", "film-50", "film-51", "film-52")]
        both = sorted({("east", name) for name in before} | {*now[:3]})
        east.answers = 3
        for _ in range(2):
            async with world.mam(), scripted(world, center=east):
                await comes(lambda: names(world), both)
        east.answers = None
        async with world.mam(), scripted(world, center=east):
            await comes(lambda: names(world), now)
            [row, _] = (await world.ask(LIST_CENTERS, ListCenters())).centers
            assert row.programs == len(now)

    simulated(story)


def test_a_question_looks_at_so_many_entries_and_says_where_it_stopped(simulated, monkeypatch):
    monkeypatch.setattr(catalogue, "LOOKED_AT_MAX", 20)
    monkeypatch.setattr(catalogue, "_LOOKED_AT_ONCE", 10)

    async def story(world):
        async with world.mam(), scripted(world) as east, scripted(world, "west") as west:
            east.page = 100
            east.has(*(f"film-{number:02}" for number in range(50)), version=1)
            east.has("film-33", version=90, title="Über den Wolken")
            west.has("film-07", version=1)
            await asyncio.sleep(10.0)
            wanted = ListEntries(search="ÜBER", limit=1)
            pages = [await world.ask(LIST_ENTRIES, wanted)]
            while pages[-1].after:
                pages.append(await world.ask(LIST_ENTRIES, replace(wanted, after=pages[-1].after)))
            assert [len(page.entries) for page in pages] == [0, 1, 0]
            assert pages[0].after == EntryKey("east", "film-18"), "so many: film-07 is at two centers"
            assert len(await names(world)) == 51
            assert len(await names(world, center="west")) == 1

    simulated(story)


def test_the_same_film_at_two_centers_is_known_by_its_bytes(simulated):
    async def story(world):
        async with world.mam(), scripted(world) as east, scripted(world, "west") as west:
            east.has("film", version=1)
            west.has("film", version=1, sha256="ab" * 32)
            west.has("other-name", version=2)
            await comes(lambda: names(world), [("east", "film"), ("west", "film"), ("west", "other-name")])
            entries = (await world.ask(LIST_ENTRIES, ListEntries())).entries
            assert [entry.same_film for entry in entries] == [
                (EntryKey("west", "other-name"),),
                (),
                (EntryKey("east", "film"),),
            ]
            assert await names(world, film=HEADER.sha256) == [("east", "film"), ("west", "other-name")]
            assert await names(world, film="film") == [("east", "film"), ("west", "film")]
            assert await names(world, search="OTHER") == [("west", "other-name")]
            assert await names(world, center="east") == [("east", "film")]
            refused = await world.ask(LIST_ENTRIES, ListEntries(center="nort"))
            assert refused.reason is Reason.UNKNOWN_CENTER

    simulated(story)


def test_real_centers_are_followed_too(simulated, made):
    async def story(world):
        async with world.everybody():
            await world.order("east", "west")
            await comes(lambda: names(world), [("east", "film"), ("west", "film")])
            await world.centers["west"].ask(WITHDRAW, Withdraw("film"))
            await comes(lambda: names(world), [("east", "film")])

    simulated(story)


def test_a_page_is_a_message(simulated):
    """However long titles and names are, and however many centers have the film."""
    wide = "\N{SNOWMAN}" * 200

    async def story(world):
        async with world.mam(), scripted(world) as east:
            east.page = 100
            long = [f"{'x' * 60}-{number:03}" for number in range(ENTRIES_SHOWN_MAX + 1)]
            east.has(*long, version=1, title=wide)
            await asyncio.sleep(10.0)
            page = await world.ask(LIST_ENTRIES, ListEntries())
            assert len(page.entries) == ENTRIES_SHOWN_MAX
            assert page.after == EntryKey("east", page.entries[-1].program)
            assert len(page.entries[0].same_film) == 16
            assert len(msgspec.json.encode(page)) < LIST_ENTRIES.reply_bytes_max / 2

    simulated(story)
