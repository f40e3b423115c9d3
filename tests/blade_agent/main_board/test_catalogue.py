"""Program information survives what befalls the blade."""

import asyncio
import errno
import json
import os
import random
from functools import partial
from pathlib import Path

import apsw
import msgspec
import pytest

from blade_agent.main_board import catalogue as module
from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.catalogue_file import CatalogueFile, Feed, KeptChange
from chassis_emulator.simulation.simulation import Simulation
from media_network.durable_file import DurableFile
from media_network.files import DiskFiles
from media_network.message_pages import first_page
from media_network.messages.program_information import ProgramChange
from media_network.program_header import AttachmentKind, attachment_of
from tests.blade_agent.main_board.director.stage import program_of, tombstone
from tests.damages import DAMAGES
from tests.patience import PATIENCE_S
from tests.small_disk import SmallDisk

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
        assert set(again) == {"film", "epic"}
        assert (again.heard, again.newest) == (4, 4)
        assert names_in(folder) == ["catalogue.sqlite"]

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
        disk = SmallDisk(full=False)
        catalogue = await opened(disk, tmp_path)
        heard = []
        catalogue.learnt = lambda changes: heard.append((changes, catalogue.heard))
        page = [told(1, "epic"), told(2), tombstone(3)]
        await catalogue.learn(page, until=3)
        await catalogue.learn(page, until=3)
        await catalogue.learn([], until=4)
        assert heard == [([page[0], page[2]], 3), ([], 4)], "of each program the newest"
        disk.full = True
        with pytest.raises(OSError, match="its disk is full"):
            await catalogue.learn([told(5)], until=5)
        assert (len(heard), catalogue.heard, catalogue.get("film")) == (2, 4, None)

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


def change_row(folder, sql):
    connection = apsw.Connection(str(folder / "catalogue.sqlite"))
    connection.execute(sql)
    connection.close()


SWAPPED = """UPDATE changes SET header = other.header FROM changes AS other
    WHERE changes.program = 'film' AND other.program = 'news'"""


@pytest.mark.parametrize(
    "change",
    ["version = 9", "header = x'7b7d'", "header = NULL", SWAPPED],
    ids=["version", "header", "gone", "swapped"],
)
def test_a_damaged_row_costs_only_its_program_and_is_said(tmp_path, caplog, change):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await catalogue.learn([told(1), told(2, "news")], until=2)
        change_row(tmp_path, change if change is SWAPPED else f"UPDATE changes SET {change} WHERE program = 'film'")
        again = await opened(DiskFiles(), tmp_path)
        assert (again.get("film"), again.heard) == (None, 0), "and it is to be said again"
        assert again.published("news")
        [line] = caplog.messages
        assert line.startswith("1 rows of ")
        assert line.endswith("are damaged: the center, or another blade of the station, says it again")
        assert (await opened(DiskFiles(), tmp_path)).heard == 0
        await again.learn([told(1)], until=2)
        assert (await opened(DiskFiles(), tmp_path)).published("film")
        assert (await opened(DiskFiles(), tmp_path)).heard == 2
        assert len(caplog.records) == 1

    asyncio.run(story())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_who_has_lost_the_file_hears_it_all_once_more(tmp_path, caplog, damage):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1)], until=7)
        damage(tmp_path / "catalogue.sqlite")
        again = await opened(DiskFiles(), tmp_path)
        assert (again.heard, list(again)) in ((0, []), (7, ["film"])), "the last byte of a page may mean nothing"
        await again.learn([told(1)], until=7)
        last = await opened(DiskFiles(), tmp_path)
        assert (last.heard, last.published("film")) == (7, told(1).header)

    asyncio.run(story())
    assert "catalogue.sqlite.damaged-1" in caplog.text or not caplog.text


def test_whatever_bit_falls_over_nothing_wrong_is_believed(tmp_path):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1), told(2, "news")], until=7)
        path = tmp_path / "catalogue.sqlite"
        octets, rng, lost = path.read_bytes(), random.Random(7), 0
        written = [at for at, octet in enumerate(octets) if octet]
        for at in rng.sample(written, 150):
            damaged = bytearray(octets)
            damaged[at] ^= 1 << rng.randrange(8)
            path.write_bytes(damaged)
            again = await opened(DiskFiles(), tmp_path)
            known = {name: again.get(name) for name in again}
            right = {"film": told(1).header, "news": told(2, "news").header}
            assert known.items() <= right.items(), at
            assert again.heard == (7 if len(known) == 2 else 0) or (again.heard, len(known)) == (0, 2), at
            lost += again.heard == 0
            for left in tmp_path.glob("catalogue.sqlite.damaged-*"):
                left.unlink()
        assert lost > 50

    asyncio.run(story())


def test_what_another_release_has_kept_is_set_aside_and_heard_once_more(tmp_path, caplog):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1)], until=7)
        change_row(tmp_path, "PRAGMA user_version = 2")
        assert (await opened(DiskFiles(), tmp_path)).heard == 0

    asyncio.run(story())
    assert "another release has made it, as version 2), and is set aside as catalogue.sqlite.damaged-1" in caplog.text


def test_a_header_that_makes_no_sense_here_is_to_be_said_again(tmp_path, caplog):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([told(1), told(2, "news")], until=7)
        CatalogueFile(DiskFiles(), tmp_path / "catalogue.sqlite").keep([KeptChange("film", 1, b"{}")], Feed(7, 0))
        again = await opened(DiskFiles(), tmp_path)
        assert (again.heard, list(again)) == (0, ["news"])
        await again.learn([told(1)], until=7)
        assert (await opened(DiskFiles(), tmp_path)).heard == 7

    asyncio.run(story())
    assert "what is kept of film makes no sense" in caplog.text


def test_a_long_page_is_one_write_and_what_is_not_at_hand_is_known(tmp_path):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        page = [told(number, f"film-{number}") for number in range(1, 2001)]
        begun = os.times().elapsed
        await catalogue.learn(page, until=2000)
        assert os.times().elapsed - begun < PATIENCE_S
        again = await opened(DiskFiles(), tmp_path)
        for one in (catalogue, again):
            assert all(one.get(change.program) == change.header for change in page)
            assert len(one._at_hand) <= 512
            assert one.is_gone("film-7", "0" * 64)
            assert not one.is_gone("film-7", page[6].header.table)

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


def test_attachments_go_with_the_last_program_that_has_them_and_titles_with_theirs(tmp_path):
    picture, octets = attachment_of(AttachmentKind.PICTURE, "image/png", b"a picture")

    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await catalogue.learn([told(1, attachments=(picture,), title="One"), told(2, "epic", attachments=(picture,))])
        await catalogue.parts._keep(picture.sha256, octets)

        def titles(search=""):
            return [name for name, matches in catalogue.titles.after("", search) if matches]

        assert (titles(), titles("one"), catalogue.names_part(picture.sha256)) == (["epic", "film"], ["film"], True)
        await catalogue.learn([tombstone(3)])
        assert (titles(), await catalogue.parts.read(picture.sha256)) == (["epic"], octets)
        catalogue = await opened(DiskFiles(), tmp_path)
        assert titles("FILM") == ["epic"], "it is called a film"
        await catalogue.learn([told(4, "epic", title="Poem")])
        assert (titles("film"), titles("poem")) == ([], ["epic"])
        assert (await catalogue.parts.read(picture.sha256), catalogue.names_part(picture.sha256)) == (None, False)

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
            assert names_in(tmp_path) == ["catalogue.sqlite"]
        assert catalogue.is_news(told(1))
        await catalogue.learn([told(1)])
        assert (await opened(DiskFiles(), tmp_path)).get("film") == told(1).header

    asyncio.run(story())


def keep_apart(folder, change):
    """As a release kept it that had a file a program."""
    DurableFile(folder / f"{change.program}.json", bytes, rebuilt="", keeps_before=False).keep(
        msgspec.json.encode(change)
    )


def test_what_an_earlier_release_kept_a_file_a_program_is_kept_as_one(tmp_path, caplog):
    async def story():
        changes = [told(1), tombstone(2, "epic"), told(3, "news")]
        for change in changes:
            keep_apart(tmp_path, change)
        feed = json.dumps({"heard": 3, "told_ms": 4711}).encode()
        DurableFile(tmp_path / "feed", bytes, rebuilt="", keeps_before=False).keep(feed)
        for _ in range(2):
            catalogue = await opened(DiskFiles(), tmp_path)
            assert (catalogue.heard, catalogue.clock.newest_told_ms) == (3, max(4711, told(3).header.changed_at_ms))
            assert catalogue.since(0).changes == tuple(changes)
            assert names_in(tmp_path) == ["catalogue.sqlite"]
        # A file that came back, from a copy of the disk, is older than what is known.
        await catalogue.learn([tombstone(4)], until=4)
        keep_apart(tmp_path, told(1))
        again = await opened(DiskFiles(), tmp_path)
        assert (again.get("film"), again.heard) == (None, 4)

    asyncio.run(story())
    assert not caplog.text


def test_what_was_damaged_in_an_earlier_release_is_to_be_said_again(tmp_path, caplog):
    async def story():
        for change in (told(1), told(2, "news")):
            keep_apart(tmp_path, change)
        (tmp_path / "film.json").write_bytes(b"")
        feed = json.dumps({"heard": 2, "told_ms": 0}).encode()
        DurableFile(tmp_path / "feed", bytes, rebuilt="", keeps_before=False).keep(feed)
        catalogue = await opened(DiskFiles(), tmp_path)
        assert (catalogue.heard, list(catalogue)) == (0, ["news"])

    asyncio.run(story())
    assert "film.json.damaged-1" in caplog.text


def test_a_full_disk_leaves_it_as_an_earlier_release_kept_it(tmp_path, caplog):
    async def story():
        keep_whole(tmp_path, program_of(), "published")
        assert (await opened(SmallDisk(), tmp_path)).published("film")
        assert "the catalogue stays as an earlier release has kept it" in caplog.text
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


def test_who_is_cancelled_in_the_middle_knows_what_is_kept(tmp_path):
    """A director's term ends while the tables of what programs were are removed."""

    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        heard = []
        catalogue.learnt = heard.append
        await catalogue.learn([told(1), told(2, "epic", first=50)], until=2)
        removing = asyncio.Event()

        async def never(_):
            removing.set()
            await asyncio.Event().wait()

        catalogue.parts.forget = never
        page = [tombstone(3), told(4, "epic", first=100), told(5, "news")]
        task = asyncio.create_task(catalogue.learn(page, until=5))
        await removing.wait()
        task.cancel()
        await asyncio.wait([task])
        assert (catalogue.heard, catalogue.newest, heard[-1]) == (5, 5, page)
        assert (catalogue.get("film"), catalogue.get("epic"), catalogue.get("news")) == (
            None,
            page[1].header,
            page[2].header,
        )

    asyncio.run(story())
