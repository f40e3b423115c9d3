"""Program information survives what befalls the blade."""

import asyncio
import errno
import json
import os
import random
from functools import partial
from pathlib import Path

import pytest

from blade_agent.main_board import catalogue as module
from blade_agent.main_board.catalogue import Catalogue, change_of
from chassis_emulator.simulation.simulation import Simulation
from media_network.durable_file import DurableFile
from media_network.files import DiskFiles
from media_network.message_pages import first_page
from media_network.messages.program_information import ProgramChange
from tests.blade_agent.main_board.director.stage import program_of, tombstone
from tests.damages import DAMAGES

INACTIVE = program_of(published=False)


async def opened(files, folder):
    catalogue = Catalogue(files, folder)
    await catalogue.load()
    return catalogue


def told(version, name="film", **facts):
    """That this is what a program is."""
    return change_of(program_of(name=name, version=version, **facts).header)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def test_what_was_learnt_is_known_after_a_restart(tmp_path):
    async def story():
        folder = tmp_path / "catalogue"
        catalogue = await opened(DiskFiles(), folder)
        assert catalogue.get("film") is None
        await catalogue.learn([change_of(INACTIVE.header), told(2, "epic")])
        assert (catalogue.get("film"), catalogue.published("film")) == (INACTIVE.header, None)
        await catalogue.learn([told(3), tombstone(4, "news")], until=4)
        again = await opened(DiskFiles(), folder)
        assert again.published("film") == told(3).header
        assert again.published("epic") == told(2, "epic").header
        assert (again.get("news"), again.withdrawn_at("news"), again.withdrawn_at("film")) == (None, 4, None)
        assert {header.program for header in again} == {"film", "epic"}
        assert (again.heard, again.newest) == (4, 4)
        assert names_in(folder) == ["epic.json", "feed", "film.json", "news.json"]

    asyncio.run(story())


def test_only_what_is_newer_is_news_and_is_told_of_once(tmp_path):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        heard = []
        catalogue.learnt = heard.append
        await catalogue.learn([told(5)])
        for older in (told(5, title="Another"), told(4), tombstone(5), tombstone(3)):
            assert not catalogue.is_news(older)
            await catalogue.learn([older])
        assert catalogue.get("film") == told(5).header
        assert catalogue.is_news(tombstone(6))
        assert catalogue.is_news(told(1, "epic"))
        await catalogue.learn([tombstone(6)])
        for older in (told(6), told(5), tombstone(6)):
            await catalogue.learn([older])
        assert catalogue.get("film") is None
        await catalogue.learn([told(7)])
        assert heard == [[told(5)], [tombstone(6)], [told(7)]]
        assert catalogue.changes == 3

    asyncio.run(story())


def test_of_a_page_is_told_once_and_when_all_of_it_is_known(tmp_path):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        heard = []
        catalogue.learnt = lambda changes: heard.append((changes, catalogue.heard))
        page = [told(1, "epic"), told(2), tombstone(3)]
        await catalogue.learn(page, until=3)
        await catalogue.learn(page, until=3)
        await catalogue.learn([], until=4)
        assert heard == [(page, 3), ([], 4)]
        catalogue._files = FullFiles()
        with pytest.raises(OSError, match="No space left"):
            await catalogue.learn([], until=5)
        assert (len(heard), catalogue.heard) == (2, 4)

    asyncio.run(story())


def test_changes_are_told_in_the_order_of_their_numbers_and_in_pages(tmp_path, monkeypatch):
    changes = [told(2, "epic"), told(5), told(6, "news"), tombstone(8, "river"), told(9, "zoo")]

    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await catalogue.learn([told(1), told(4, "news")], until=4)
        await catalogue.learn(random.Random(1).sample(changes, len(changes)), until=8)
        assert catalogue.since(0).changes == tuple(changes), "of each program the newest"
        assert (catalogue.since(0).until, catalogue.since(0).more) == (8, False)
        assert catalogue.since(5).changes == tuple(changes[2:])
        assert (catalogue.since(9).changes, catalogue.since(9).until) == ((), 8)
        monkeypatch.setattr(module, "first_page", partial(first_page, bytes_max=1000))
        pages, since, more = [], 0, True
        while more:
            page = catalogue.since(since)
            pages.append(([change.version for change in page.changes], page.until, page.more))
            since, more = page.changes[-1].version, page.more
        assert [version for versions, _, _ in pages for version in versions] == [2, 5, 6, 8, 9]
        assert len(pages) > 2
        # What was said before its turn comes to others so, too, and is no sign that they know all before it.
        assert [until for _, until, _ in pages] == [min(8, versions[-1]) for versions, _, _ in pages]
        again = await opened(DiskFiles(), tmp_path)
        assert again.since(0).changes == tuple(changes[: len(pages[0][0])])

    asyncio.run(story())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_costs_only_its_program_and_is_said(tmp_path, caplog, damage):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await catalogue.learn([told(1), told(2, "news")], until=2)
        damage(tmp_path / "film.json")
        again = await opened(DiskFiles(), tmp_path)
        assert (again.get("film"), again.heard) == (None, 0), "and it is to be said again"
        assert again.published("news")
        assert len(caplog.records) == 1
        assert "film.json.damaged-1: the center, or another blade" in caplog.text
        assert (await opened(DiskFiles(), tmp_path)).heard == 0
        await again.learn([told(1)], until=2)
        assert (await opened(DiskFiles(), tmp_path)).published("film")
        assert (await opened(DiskFiles(), tmp_path)).heard == 2
        assert len(caplog.records) == 1

    asyncio.run(story())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_whose_count_is_damaged_hears_it_all_once_more(tmp_path, caplog, damage):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1)], until=7)
        damage(tmp_path / "feed")
        again = await opened(DiskFiles(), tmp_path)
        assert (again.heard, again.published("film")) == (0, told(1).header)
        assert "feed.damaged-1" in caplog.text
        await again.learn([], until=7)
        assert (await opened(DiskFiles(), tmp_path)).heard == 7

    asyncio.run(story())


def test_information_under_another_name_is_not_believed(tmp_path):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1, "news")])
        (tmp_path / "news.json").rename(tmp_path / "film.json")
        assert list(await opened(DiskFiles(), tmp_path)) == []

    asyncio.run(story())


def test_a_segment_table_goes_with_the_last_program_that_has_it(tmp_path):
    """The same film under two names has one, and so has a program that is told of anew."""

    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        film, other = program_of(), program_of(first=100)
        assert film.header.table == told(2, "epic").header.table

        async def kept(change):
            await catalogue.learn([change])
            return [bool(await catalogue.parts.read(program.header.table)) for program in (film, other)]

        for program in (film, other):
            await catalogue.parts.keep(program.header, program.segments.octets)
        for change in (told(1), told(2, "epic"), told(3, title="Film II"), tombstone(4)):
            assert await kept(change) == [True, True]
        catalogue = await opened(DiskFiles(), tmp_path)
        assert await kept(told(5, "epic", first=100)) == [False, True]
        assert await kept(told(6)) == [False, True]
        assert await kept(tombstone(7, "epic")) == [False, False]

    asyncio.run(story())


def test_what_is_not_what_it_was_is_let_go_before_that_is_known(tmp_path):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        gone = []

        async def let_go(changes):
            gone.append(([change.version for change in changes], catalogue.newest))

        catalogue.let_go = let_go
        await catalogue.learn([told(1), told(2, "epic")])
        assert gone == [([1, 2], 0)], "a disk may have something else under that name"
        gone.clear()
        await catalogue.learn([told(3, title="Film II")])
        assert gone == [], "the same segments"
        await catalogue.learn([told(4, first=100), tombstone(5, "epic"), told(6, "news"), tombstone(7, "unheard-of")])
        await catalogue.learn([told(4, first=200), tombstone(5, "epic")])
        assert gone == [([4, 5, 6, 7], 3)]

        async def cannot(_):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        catalogue.let_go = cannot
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            await catalogue.learn([told(8, "zoo"), tombstone(9)], until=9)
        assert (catalogue.newest, catalogue.heard) == (7, 0)
        assert (await opened(DiskFiles(), tmp_path)).newest == 7

    asyncio.run(story())


def keep_whole(folder, program, state):
    """As a release kept it that had no parts."""
    segments = [
        {
            "number": segment.number,
            "length_bytes": segment.length_bytes,
            "duration_ms": segment.duration_ms,
            "sha256": segment.sha256,
        }
        for segment in program.segments
    ]
    whole = {
        "program": program.name,
        "title": program.header.title,
        "rate_bps": program.rate_bps,
        "sha256": program.header.sha256,
        "segments": segments,
        "state": state,
    }
    path = folder / f"{program.name}.json"
    DurableFile(path, bytes, rebuilt="", keeps_before=False).keep(json.dumps(whole).encode())


def test_what_an_earlier_release_kept_as_one_is_kept_in_parts(tmp_path):
    film, epic = program_of(version=0), program_of(name="epic", version=0, first=100)

    async def story():
        keep_whole(tmp_path, film, "published")
        keep_whole(tmp_path, epic, "inactive")
        for _ in range(2):  # it is read once, and from then on as any other
            catalogue = await opened(DiskFiles(), tmp_path)
            assert catalogue.published("film").table == film.header.table
            assert catalogue.get("epic") == program_of(name="epic", version=0, first=100, published=False).header
            assert catalogue.published("epic") is None
            for program in (film, epic):
                found = await catalogue.parts.program(catalogue.get(program.name))
                assert found.segments == program.segments
            assert b'"segments":4' in (tmp_path / "film.json").read_bytes()
        assert catalogue.is_news(told(1))
        await catalogue.learn([told(1)])
        assert (await opened(DiskFiles(), tmp_path)).get("film") == told(1).header

    asyncio.run(story())


class FullFiles(DiskFiles):
    """A disk with no room."""

    def append(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_it_as_an_earlier_release_kept_it(tmp_path, caplog):
    async def story():
        keep_whole(tmp_path, program_of(), "published")
        assert (await opened(FullFiles(), tmp_path)).published("film")
        assert "film stays as an earlier release has kept it" in caplog.text
        again = await opened(DiskFiles(), tmp_path)
        assert await again.parts.program(again.published("film"))

    asyncio.run(story())


def test_what_was_acknowledged_survives_every_power_cut():
    for seed in range(20):
        said, acknowledged, checks = [], [0], []

        with Simulation(seed) as simulation:
            host = simulation.host("127.1.1.1")
            disk = simulation.disk("state", host, Path("/state"))

            async def direct(disk=disk, said=said, acknowledged=acknowledged, checks=checks):
                catalogue = await opened(disk, Path("/state/catalogue"))
                assert acknowledged[0] <= catalogue.heard <= len(said)
                newest = {change.program: change for change in said if change.version <= catalogue.heard}
                for change in newest.values():
                    checks.append(change)
                    assert not catalogue.is_news(change)
                rng = random.Random(len(checks))
                while True:
                    said.append(some_change(rng, len(said) + 1))
                    await catalogue.learn(said[catalogue.heard :], until=len(said))
                    acknowledged[0] = len(said)

            simulation.start(host, direct)
            rng = simulation.rng("power cuts")
            for _ in range(6):
                simulation.run(until_s=simulation.loop.time() + rng.uniform(0.01, 0.3))
                simulation.power_cut(host)
                simulation.restart(host)
            simulation.run(until_s=simulation.loop.time() + 0.3)
        assert checks


def some_change(rng, version):
    name = rng.choice(["film", "epic", "news"])
    return rng.choice([told(version, name), ProgramChange(version=version, program=name)])
