"""What every implementation of the registry's store must do."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from distribution_center.registry import sql_repository
from distribution_center.registry.deletions import Asked, DeletionTerms
from distribution_center.registry.masks import CHUNK_SEGMENTS, masks, segments
from distribution_center.registry.opening import open_repository
from distribution_center.registry.reads import Read
from distribution_center.registry.repository import (
    Change,
    DistributionOrder,
    HeaderUnreadable,
    Holder,
    OpenOrder,
    OrderState,
    RegisteredStation,
    Repository,
    RepositoryFailed,
    ShareChange,
    Stamp,
    Verdict,
    WantedPrograms,
)
from distribution_center.registry.sqlite_connection import SqliteTooOld, require_sqlite
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.registry.statements import Statement, Steps
from distribution_center.registry.tables import UnknownSchemaVersion
from distribution_center.registry.transfer import NotEmpty, export_registry, import_registry, rows_of
from media_network.callback import do_nothing
from media_network.cut import Cut
from media_network.messages.content import ProgramState
from media_network.program import Program, joined
from media_network.program_header import ProgramHeader
from media_network.segment_table import Segment
from media_network.time_of_day import now_ms
from tests.distribution_center.registry.tallies import require_right_tallies
from tests.distribution_center.registry.whole import all_programs, stations_with
from tests.patience import PATIENCE_S
from tests.programs import program_with

FIRST = Stamp(1, 1)


def program_of(name: str, count: int = 3, title: str = "A film") -> Program:
    digest = sha256(name.encode()).hexdigest()
    parts = [Segment(number=n, length_bytes=188 * (n + 1), duration_ticks=180_000, sha256=digest) for n in range(count)]
    return program_with(parts, version=0, published=False, program=name, title=title, sha256=digest)


EPIC, FILM, B = (program_of(name, count).cut for name, count in (("epic", 200), ("film", 3), ("b", 3)))
FORMER, NONE = Cut("film", "0" * 64), Cut("none", "0" * 64)


async def known(store: Repository, name: str) -> ProgramHeader:
    """A program as it was when it was added: without what the registry says of it."""
    header = await store.program(name)
    assert header
    assert header.version
    assert header.changed_at_ms
    return replace(header, version=0, changed_at_ms=0)


def station_of(name: str, stamp: Stamp = FIRST, director: str = "127.1.1.1:81") -> RegisteredStation:
    return RegisteredStation(station=name, director=director, media=director.replace(":81", ":80"), stamp=stamp)


SCHEMAS = Path(__file__).parents[2] / "golden" / "registry"


async def is_what_was_kept(opened: AbstractAsyncContextManager[Repository]) -> None:
    """By schema 2, which kept a program's information in one piece, and those after it."""
    async with opened as store:
        epic, film = await store.programs()
        assert (epic.program, epic.segments, epic.publish_at_ms) == ("epic", 70, None)
        assert (film.title, film.duration_ms, film.length_bytes) == ("Film", 6003, 188 * 6)
        assert (film.film_bytes, film.warnings, [one.codec for one in film.streams]) == (
            1000,
            ("it was long",),
            ["h264"],
        )
        assert film.is_in_service(now_ms())
        octets = await store.part(film.table)
        assert octets
        assert [one.sha256 for one in joined(film, octets).segments] == [
            sha256(f"film{number}".encode()).hexdigest() for number in range(3)
        ]
        assert sorted(change.version for change in await store.changes(0)) == [1, 2]
        assert await store.locations("epic") == {"north": {0, 69}}
        assert await store.locations("film") == {"north": {0, 1, 2}}
        # Orders stand: the one that was carried out is looked at once more.
        assert await store.open_orders() == [
            OpenOrder(1, "film", "north", 1, None, losses=0, reached=0),
            OpenOrder(2, "epic", "north", 2, None, losses=0, reached=0),
        ]
        assert await store.station("north") == RegisteredStation(
            station="north", director="127.1.1.1:8081", media="127.1.1.1:8080", stamp=Stamp(3, 5)
        )
        assert await store.shares(0) == [ShareChange(1, "film", "north", 3, 3), ShareChange(2, "epic", "north", 2, 70)]
        assert (await store.share_feed()).begun_at_ms > 0
        await require_right_tallies(store)


class Follower:
    """Who follows the feed of shares, and knows nothing else."""

    def __init__(self, store: Repository) -> None:
        self.store = store
        self.since = 0
        self.held: dict[str, dict[str, int]] = {}
        self.changes = 0

    async def follow(self, limit: int = 2) -> dict[str, dict[str, int]]:
        """How many segments each station holds of each program, as the feed has told."""
        while page := await self.store.shares(self.since, limit):
            for change in page:
                assert change.version > self.since
                self.since = change.version
                self.changes += 1
                self.held.setdefault(change.program, {})[change.station] = change.segments
        assert self.since == (await self.store.share_feed()).newest
        return {
            program: {station: count for station, count in sorted(stations.items()) if count}
            for program, stations in self.held.items()
            if any(stations.values())
        }


async def carry_out(store: Repository, program: str, station: str, reached: int = 2) -> None:
    """An order of these has been carried out."""
    [order] = [each for each in await store.open_orders() if (each.program, each.station) == (program, station)]
    assert await store.carried_out(order, reached) is Verdict.ACCEPTED


class Events:
    """Programs come and go; stations add, lose, report and delete: by chance."""

    COUNTS: ClassVar = {"film": 3, "epic": 200, "song": 70}

    def __init__(self, store: Repository, seed: int) -> None:
        self.store, self.rng = store, Random(seed)
        self.generations = {"north": 1, "south": 1}

    async def happen(self) -> None:
        """One of them."""
        add, station = self.add, self.rng.choice(tuple(self.generations))
        event = self.rng.choice((add, add, add, self.remove, self.report, self.report, self.come_or_go, self.delete))
        await event(self.rng.choice(tuple(self.COUNTS)), station, Stamp(1, self.generations[station]))

    def some(self, name: str) -> list[int]:
        """Segments of a program."""
        return self.rng.sample(range(self.COUNTS[name]), self.rng.randint(1, self.COUNTS[name]))

    def cut(self, name: str) -> Cut:
        """The only one there is."""
        return program_of(name, self.COUNTS[name]).cut

    async def add(self, name: str, station: str, stamp: Stamp) -> None:
        await self.store.add_locations(self.cut(name), station, stamp, self.some(name), self.rng.randint(1, 3))

    async def remove(self, name: str, station: str, stamp: Stamp) -> None:
        await self.store.remove_locations(self.cut(name), station, stamp, self.some(name))

    async def report(self, _: str, station: str, stamp: Stamp) -> None:
        """In one page, or in two."""
        newer = stamp._replace(generation=stamp.generation + 1)
        self.generations[station] = newer.generation
        held = {self.cut(name): [self.some(name)] for name in self.COUNTS if self.rng.random() < 0.7}
        after = self.rng.choice((None, "epic"))
        if after:
            first = {cut: layers for cut, layers in held.items() if cut.program <= after}
            held = {cut: layers for cut, layers in held.items() if cut.program > after}
            await self.store.replace_station(station, newer, first, until=after)
        await self.store.replace_station(station, newer, held, after)

    async def come_or_go(self, name: str, _: str, __: Stamp) -> None:
        if await self.store.program(name):
            await self.store.withdraw_program(name)
        else:
            await self.store.add_program(program_of(name, self.COUNTS[name]))

    async def delete(self, name: str, station: str, stamp: Stamp) -> None:
        terms = DeletionTerms(home="home", heard_since_ms=0, now_ms=1, roomy=())
        await self.store.request_deletion(self.cut(name), station, stamp, terms, Asked())
        await self.store.deletion_done(self.cut(name), station, stamp)


class Conformance:
    """Inherited by the tests of each implementation."""

    open: ClassVar[Callable[[Path], Awaitable[Repository]]]
    """Opens or makes the registry that belongs to a folder."""

    def run(self, path: Path, story: Callable[[Any], Awaitable[None]]) -> None:
        """Tell a story to a store in which two programs and two stations are known."""

        async def tell() -> None:
            async with self.opened(path) as store:
                for name, count in (("film", 3), ("epic", 200)):
                    await store.add_program(program_of(name, count))
                for name in ("north", "south"):
                    await store.see_station(station_of(name))
                    await store.replace_station(name, FIRST, {})
                await story(store)
                await require_right_tallies(store)

        asyncio.run(tell())

    @asynccontextmanager
    async def opened(self, path: Path):
        store = await type(self).open(path)
        try:
            yield store
        finally:
            await store.close()

    def test_programs(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert [program.program for program in await store.programs()] == ["epic", "film"]
            assert await known(store, "film") == program_of("film").header
            assert await store.program("none") is None
            assert await store.add_program(program_of("film")) is Verdict.REPEATED
            assert await store.add_program(program_of("film", title="Another")) is Verdict.CONFLICT
            assert await known(store, "film") == program_of("film").header

        self.run(tmp_path, story)

    def test_a_registry_goes_from_one_store_to_another_and_back(self, tmp_path: Path) -> None:
        async def exported(store: Repository, path: Path) -> bytes:
            counted: list[int] = []
            with path.open("wb") as file:
                rows = await export_registry(store, file, release="0.1.0", on_rows=counted.append)
            assert counted[-1] == rows == await rows_of(store)
            with path.open("rb") as file:
                return file.read()

        def lasting(octets: bytes) -> list[list[Any]]:
            """Its rows without what is known only until a station reports anew: how far each one's report went."""
            rows = [json.loads(line) for line in octets.splitlines()[1:-1]]
            return [row[:-3] if row[0] == "stations" else row for row in rows]

        async def story() -> None:
            (tmp_path / "other").mkdir()
            source = await open_repository(str(tmp_path / "other" / "registry"))
            await source.add_program(program_of("film"), [b"<ADI/>"])
            for number in range(30):
                await source.add_program(program_of(f"song-{number}", 70))
            await source.see_station(station_of("north"))
            await source.replace_station("north", FIRST, {FILM: [{0, 2}, {2}]})
            await source.set_order("film", "north", 2)
            await source.publish_program("film", 10)
            await source.withdraw_program("song-3")
            await source.renumber_above(4711)
            first = await exported(source, tmp_path / "first")
            async with self.opened(tmp_path) as store:
                progress: list[tuple[int, int]] = []
                rows = await import_registry(
                    store, partial((tmp_path / "first").open, "rb"), on_rows=lambda *done: progress.append(done)
                )
                assert progress[-1] == (rows, rows)
                assert lasting(await exported(store, tmp_path / "second")) == lasting(first)
                assert await store.locations("film") == await source.locations("film")
                assert await store.shares(0) == await source.shares(0) != []
                assert await store.share_feed() == await source.share_feed()
                assert await store.newest_version() == await source.newest_version() > 4711
                with pytest.raises(NotEmpty):
                    await import_registry(store, partial((tmp_path / "first").open, "rb"), on_rows=do_nothing)
            await source.close()

        asyncio.run(story())

    def test_whoever_waits_for_the_feed_is_told_of_every_number_that_is_given(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            changes = [
                lambda: store.add_program(program_of("gala")),
                lambda: store.recall_program(program_of("song")),
                lambda: store.publish_program("film", 10),
                lambda: store.withdraw_program("gala"),
                lambda: store.renumber_above(4711),
            ]
            for change in changes:
                version, rung = await store.newest_version(), store.neighbours.news.count
                assert await change() is Verdict.ACCEPTED
                assert await store.newest_version() > version
                assert store.neighbours.news.count > rung
            rung = store.neighbours.news.count
            await store.publish_program("film", 10)
            await store.set_order("film", "north", 2)
            await store.add_locations(FILM, "north", FIRST, [1])
            assert store.neighbours.news.count == rung, "nothing of that is in the feed"

        self.run(tmp_path, story)

    def test_a_header_that_has_rotted_fails_who_needs_it_and_nobody_else(self, tmp_path: Path) -> None:
        def put(header: bytes) -> Steps:
            yield Statement("UPDATE programs SET header = $1 WHERE program = $2", (header, "film"))
            return Verdict.ACCEPTED

        kept = Read("SELECT header FROM programs WHERE program = $1", ("film",), lambda rows: next(iter(rows))[0])

        async def story(store: Repository) -> None:
            assert isinstance(store, sql_repository.SqlRepository)
            header = await store.store.read(kept)
            await store.store.commit([partial(put, header[: len(header) // 2])])
            with pytest.raises(HeaderUnreadable, match="a header in it cannot be read"):
                await store.program("film")
            assert [(one.program, one.header is None, one.is_damaged) for one in await store.changes(0)] == [
                ("film", True, True),
                ("epic", False, False),
            ]
            await store.add_program(program_of("gala"))
            assert [one.program for one in await store.programs(limit=2)] == ["epic", "gala"]
            await store.withdraw_program("gala")
            film, epic = await asyncio.gather(
                store.withdraw_program("film"), store.set_order("epic", "north", 2), return_exceptions=True
            )
            assert (type(film), epic) == (HeaderUnreadable, Verdict.ACCEPTED)
            await store.store.commit([partial(put, header)])

        self.run(tmp_path, story)

    def test_programs_come_in_pages(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            for number in range(5):
                await store.add_program(program_of(f"film-{number}"))
            assert [one.program for one in await store.programs(after="film", limit=2)] == ["film-0", "film-1"]
            assert [one.program async for one in all_programs(store)] == [
                "epic",
                "film",
                *(f"film-{n}" for n in range(5)),
            ]

        self.run(tmp_path, story)

    def test_programs_are_found_by_word_state_and_station(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            for name, title in (("a", "100 % Übermut"), ("b", "Bunny_s"), ("c", "Bunnies"), ("d", "bunny")):
                await store.add_program(program_of(name, title=title))
            await store.publish_program("b", 10)
            await store.publish_program("c", 10, 20)
            await store.publish_program("d", 30)

            async def found(**facts: Any) -> str:
                wanted = WantedPrograms(now_ms=25, home="home", **facts)
                return " ".join(one.program for one in await store.programs(limit=50, wanted=wanted))

            assert await found(search="BUNN") == "b c d"
            assert await found(search="übermut") == "a"
            assert await found(search="%") == "a"
            assert await found(search="y_") == "b"
            assert await found(search="!") == ""
            assert await found(search="EPI") == "epic"
            assert await found(state=ProgramState.INACTIVE) == ""
            assert await found(state=ProgramState.STORED) == "a d epic film"
            assert await found(state=ProgramState.PUBLISHED) == "b"
            assert await found(state=ProgramState.EXPIRING) == "c"
            assert await found(state=ProgramState.DELETED) == ""
            for name in ("a", "d", "b"):
                await store.set_order(name, "north", 1)
            await carry_out(store, "d", "north", 1)
            for name in ("a", "film"):
                await store.set_order(name, "home", 1)
            await carry_out(store, "a", "home", 1)
            assert await found(state=ProgramState.DISTRIBUTING) == "a"
            assert await found(state=ProgramState.READY) == "d"
            assert await found(state=ProgramState.STORED) == "epic film"
            assert await found(state=ProgramState.INACTIVE) == "film", "ordered home: perhaps it is there"
            await carry_out(store, "film", "home", 1)
            assert await found(state=ProgramState.STORED) == "epic", "what is whole at home is not looked at"
            assert await found(state=ProgramState.INACTIVE) == "film"
            assert await found(state=ProgramState.UNKNOWN) == ""
            await store.add_locations(B, "north", FIRST, [1])
            await store.add_locations(FILM, "north", FIRST, [1])
            assert await found(station="north") == "b film"
            assert await found(station="north", state=ProgramState.PUBLISHED, search="bun") == "b"
            assert await found(station="none") == ""

        self.run(tmp_path, story)

    def test_an_attachment_is_there_as_long_as_its_program(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            picture = b"a picture"
            digest = hashlib.sha256(picture).hexdigest()
            for name in ("a", "b"):
                assert await store.add_program(program_of(name), [picture, picture, b"metadata"]) is Verdict.ACCEPTED
            assert await store.add_program(program_of("a"), [b"another"]) is Verdict.REPEATED
            assert await store.part(hashlib.sha256(b"another").hexdigest()) is None
            await store.withdraw_program("a")
            assert await store.part(digest) == picture
            await store.withdraw_program("b")
            assert await store.part(digest) is None

        self.run(tmp_path, story)

    def test_a_part_is_there_by_its_digest_as_long_as_its_program(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            film = program_of("film")
            assert await store.part(film.header.table) == film.segments.octets
            assert await store.part("0" * 64) is None
            await store.withdraw_program("film")
            assert await store.part(film.header.table) is None

        self.run(tmp_path, story)

    def test_state(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.publish_program("film", 1000) is Verdict.ACCEPTED
            assert await store.publish_program("film", 1000) is Verdict.REPEATED
            assert await store.publish_program("none", 1000) is Verdict.UNKNOWN_PROGRAM
            published = replace(program_of("film").header, publish_at_ms=1000)
            assert await known(store, "film") == published
            assert await store.add_program(program_of("film")) is Verdict.REPEATED
            assert await known(store, "film") == published

        self.run(tmp_path, story)

    def test_each_change_has_a_number_and_of_a_program_the_newest_is_kept(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert [(one.version, one.program) for one in await store.changes(0)] == [(1, "film"), (2, "epic")]
            await store.publish_program("film", 1000)
            await store.publish_program("film", 2000)
            await store.withdraw_program("epic")
            film, epic = await store.changes(2)
            assert (film.version, film.program, film.header and film.header.publish_at_ms) == (4, "film", 2000)
            assert (film.header and film.header.version, await store.newest_version()) == (4, 5)
            assert epic == Change(5, "epic", None)
            assert await store.changes(0) == [film, epic]
            assert await store.changes(0, limit=1) == [film]
            assert await store.changes(5) == []

        self.run(tmp_path, story)

    def test_what_is_in_service_is_known_for_every_time_whenever_it_was_counted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = [500]
        monkeypatch.setattr(sql_repository, "now_ms", lambda: clock[0])
        times = {"film": (2000, 3000), "epic": (1500, None), "song": (2600, 2700)}

        async def story(store: Repository) -> None:
            await store.add_program(program_of("song"))
            for name, (begins_ms, ends_ms) in times.items():
                await store.publish_program(name, begins_ms, ends_ms)
            # It is counted when something changes; at last the clock was set back.
            for clock[0] in (1000, 1600, 2650, 3500, 2300):
                await store.add_program(program_of(f"at-{clock[0]}"))
                for asked_ms in range(900, 3600, 100):
                    there = [begins <= asked_ms and (ends or 9999) > asked_ms for begins, ends in times.values()]
                    assert (await store.catalogue_tally(asked_ms)).in_service == sum(there), (clock, asked_ms)

        self.run(tmp_path, story)

    def test_what_is_withdrawn_is_left_until_every_station_has_let_go_of_it(self, tmp_path: Path) -> None:
        async def gone(store: Repository) -> tuple[list[str], list[str]]:
            withdrawn, deleted = [
                [one.program for one in await store.withdrawn(wanted=WantedPrograms(state=state))]
                for state in (ProgramState.WITHDRAWN, ProgramState.DELETED)
            ]
            for name in (*withdrawn, *deleted):
                found = await store.withdrawn_program(name)
                assert found
                assert found.is_left == bool(await store.left_at(name, 9)) == (name in withdrawn)
            return withdrawn, deleted

        async def story(store: Repository) -> None:
            for name in ("north", "south"):
                await store.add_locations(EPIC, name, FIRST, range(100))
            await store.add_locations(FILM, "north", FIRST, [1])
            assert await gone(store) == ([], [])
            assert await store.withdrawn_program("film") is None
            await store.withdraw_program("epic")
            await store.withdraw_program("film")
            assert await gone(store) == (["epic", "film"], [])
            [epic, _] = await store.withdrawn()
            assert (epic.title, epic.segments, epic.sha256) == ("A film", 200, program_of("epic").header.sha256)
            assert await store.left_at("epic", 9) == {"north": 100, "south": 100}
            assert await store.left_at("epic", 1) == {"north": 100}
            at_north = WantedPrograms(station="north", search="FILM")
            assert [one.program for one in await store.withdrawn(wanted=at_north)] == ["epic", "film"]
            assert await store.withdrawn(wanted=WantedPrograms(station="south", search="no such")) == []
            assert await store.remove_locations(FILM, "north", FIRST, [1]) is Verdict.UNKNOWN_PROGRAM
            assert await gone(store) == (["epic"], ["film"])
            await store.remove_locations(EPIC, "north", FIRST, range(99))
            await store.remove_locations(EPIC, "south", FIRST, range(100))
            await store.remove_locations(FORMER._replace(program="epic"), "north", FIRST, [99])
            assert await store.left_at("epic", 9) == {"north": 1}, "of this very cut one is left"
            # A station that was away tells of it when it is back, and that it has nothing any more when it has heard.
            await store.replace_station("south", Stamp(1, 2), {FILM: [[0, 2]]})
            await store.replace_station("north", Stamp(1, 2), {})
            assert await gone(store) == (["film"], ["epic"])
            assert await store.left_at("film", 9) == {"south": 2}
            assert await store.locations("film") == {}
            await store.add_program(program_of("film", 2, "Another"))
            assert await gone(store) == ([], ["epic"]), "it is a program again"
            await store.withdraw_program("film")
            assert await gone(store) == ([], ["epic", "film"])
            [_, film] = await store.withdrawn()
            assert (film.title, film.segments) == ("Another", 2)

        self.run(tmp_path, story)

    def test_a_name_can_be_used_again_and_its_version_only_grows(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.withdraw_program("epic")
            await store.add_program(program_of("epic", 7))
            [_, again] = await store.changes(0)
            assert (again.version, again.program, again.header and again.header.segments) == (4, "epic", 7)
            short = program_of("epic", 7).cut
            assert await store.add_locations(short, "north", FIRST, [6]) is Verdict.ACCEPTED
            assert await store.add_locations(EPIC, "north", FIRST, [6]) is Verdict.UNKNOWN_PROGRAM
            assert await store.add_locations(short, "north", FIRST, [7]) is Verdict.NO_SUCH_SEGMENT

        self.run(tmp_path, story)

    def test_after_a_loss_all_is_numbered_above_what_stations_have_heard(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.withdraw_program("film")
            assert await store.renumber_above(3) is Verdict.REPEATED
            assert await store.renumber_above(4) is Verdict.ACCEPTED
            assert await store.changes(4) == [Change(6, "epic", await store.program("epic")), Change(7, "film", None)]
            await store.publish_program("epic", 1000)
            assert await store.newest_version() == 8
            assert await store.recall_program(program_of("film")) is Verdict.CONFLICT, "it was withdrawn"
            assert await store.recall_program(program_of("other")) is Verdict.ACCEPTED

        self.run(tmp_path, story)

    def test_a_number_that_stations_have_heard_is_not_given_again_though_nothing_is_known(self, tmp_path: Path) -> None:
        async def story() -> None:
            async with self.opened(tmp_path) as store:
                assert await store.newest_version() == 0
                assert await store.renumber_above(7) is Verdict.ACCEPTED
                assert await store.renumber_above(7) is Verdict.REPEATED
                assert await store.newest_version() == 7
                await store.add_program(program_of("film"))
                assert [change.version for change in await store.changes(7)] == [8]

        asyncio.run(story())

    def test_a_title_may_hold_what_no_column_takes(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.add_program(program_of("odd", title="A\0film")) is Verdict.ACCEPTED
            assert (await known(store, "odd")).title == "A\0film"

        self.run(tmp_path, story)

    def test_open_orders_are_found_without_looking_through_the_others(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            for program, station in (("film", "south"), ("film", "north"), ("epic", "north")):
                await store.set_order(program, station, 2, 8_000_000 if station == "south" else None)
            await carry_out(store, "film", "north")
            orders = [
                OpenOrder(1, "film", "south", 2, 8_000_000, losses=0, reached=0),
                OpenOrder(2, "epic", "north", 2, None, losses=0, reached=0),
            ]
            assert await store.open_orders() == orders
            assert await store.open_orders(limit=1) == orders[:1]
            assert await store.open_orders(after=(1, "south")) == orders[1:]
            assert await store.count_open_orders() == 2

        self.run(tmp_path, story)

    def test_orders(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.set_order("film", "south", 2, 1000) is Verdict.ACCEPTED
            assert await store.set_order("film", "north", 1) is Verdict.ACCEPTED
            assert await store.set_order("film", "north", 1) is Verdict.REPEATED
            await carry_out(store, "film", "north", 1)
            assert await store.set_order("film", "north", 1) is Verdict.REPEATED, "it stands"
            assert await store.set_order("none", "north", 1) is Verdict.UNKNOWN_PROGRAM
            south = DistributionOrder(OrderState.ORDERED, 2, 1000)
            assert await store.orders("film") == {
                "north": DistributionOrder(OrderState.DISTRIBUTED, 1),
                "south": south,
            }
            assert await store.set_order("film", "north", 3) is Verdict.ACCEPTED, "another order"
            assert await store.orders("film") == {"north": DistributionOrder(OrderState.ORDERED, 3), "south": south}
            assert await store.orders("epic") == {}

        self.run(tmp_path, story)

    def test_copies_are_counted(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            async def held() -> list[int]:
                return [(await store.held("film", copies)).get("north", 0) for copies in (1, 2, 3, 4)]

            await store.add_locations(FILM, "north", FIRST, [0, 1, 2])
            await store.add_locations(FILM, "north", FIRST, [0, 1], 3)
            await store.add_locations(FILM, "south", FIRST, [2], 2)
            assert await held() == [3, 2, 2, 0]
            await store.add_locations(FILM, "north", FIRST, [1], 2)
            assert await held() == [3, 2, 1, 0], "one of its engines has lost it"
            await store.add_locations(FILM, "north", FIRST, [0], 1)
            assert await held() == [3, 1, 0, 0]
            await store.remove_locations(FILM, "north", FIRST, [1])
            assert await held() == [2, 0, 0, 0]
            assert await store.replace_station("north", Stamp(1, 2), {FILM: [{0, 2}, {2}, {2}]}) is Verdict.ACCEPTED
            assert await held() == [2, 1, 1, 0]
            assert await store.held("film", 2) == {"north": 1, "south": 1}
            assert await store.replace_station("north", Stamp(1, 3), {}) is Verdict.ACCEPTED
            assert await held() == [0, 0, 0, 0]
            too_far: dict[Cut, list[set[int]]] = {FILM: [{0}, {3}]}
            assert await store.replace_station("north", Stamp(1, 4), too_far) is Verdict.NO_SUCH_SEGMENT
            await store.withdraw_program("film")
            await store.add_program(program_of("film"))
            assert await store.held("film", 2) == {}

        self.run(tmp_path, story)

    def test_an_order_stands_until_something_is_lost(self, tmp_path: Path) -> None:
        """Whatever way the registry hears of that."""

        async def story(store: Repository) -> None:
            async def is_open() -> bool:
                return bool(await store.open_orders())

            async def make_whole() -> None:
                await store.add_locations(FILM, "north", FIRST, [0, 1, 2], 2)
                if await is_open():
                    await carry_out(store, "film", "north")

            await store.set_order("film", "north", 2)
            assert await is_open()
            await make_whole()
            await store.add_locations(FILM, "south", FIRST, [0], 1)
            await store.remove_locations(FILM, "south", FIRST, [0])
            await store.add_locations(FILM, "north", FIRST, [1], 3)
            await store.remove_locations(EPIC, "north", FIRST, [0])
            assert not await is_open(), "that is another station's, another program's, or more than was ordered"
            await store.add_locations(FILM, "north", FIRST, [1], 1)
            assert [order.reached for order in await store.open_orders()] == [2]
            await make_whole()
            assert not await is_open()
            await store.remove_locations(FILM, "north", FIRST, [1])
            assert await is_open()
            await make_whole()
            for generation, (held, opened) in enumerate(
                (
                    ({FILM: [range(3), range(3)]}, False),
                    ({FILM: [range(3), range(2)]}, True),
                    ({FILM: [range(2), range(2)]}, True),
                    ({EPIC: [range(2)]}, True),
                    ({}, True),
                ),
                2,
            ):
                assert await store.replace_station("north", Stamp(1, generation), held) is Verdict.ACCEPTED
                assert await is_open() is opened, held
                stamp = Stamp(1, generation)
                await store.add_locations(FILM, "north", stamp, [0, 1, 2], 2)
                if opened:
                    await carry_out(store, "film", "north")

        self.run(tmp_path, story)

    def test_an_order_is_not_carried_out_if_something_was_lost_since_that_was_seen(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.set_order("film", "north", 2)
            await store.add_locations(FILM, "north", FIRST, [0, 1, 2], 2)
            [seen] = await store.open_orders()
            await store.remove_locations(FILM, "north", FIRST, [1])
            assert await store.carried_out(seen, 2) is Verdict.REPEATED
            [seen] = await store.open_orders()
            await store.replace_station("north", Stamp(1, 2), {})
            assert await store.carried_out(seen, 2) is Verdict.REPEATED
            [seen] = await store.open_orders()
            await store.set_order("film", "north", 1)
            assert await store.carried_out(seen, 2) is Verdict.REPEATED, "it is another order"
            await store.withdraw_program("film")
            assert await store.carried_out(seen, 2) is Verdict.REPEATED

        self.run(tmp_path, story)

    def test_a_station_that_keeps_what_it_has_has_an_order_for_all_of_it(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            held = {FILM: [range(3)], EPIC: [range(2)]}
            await store.replace_station("north", Stamp(1, 2), held)
            assert await store.orders("film") == {}
            for generation in (3, 4):
                await store.replace_station("north", Stamp(1, generation), held, keeps=True)
                assert await store.orders("film") == {"north": DistributionOrder(OrderState.DISTRIBUTED, 1)}
                assert await store.orders("epic") == {}, "it is not whole"
            await store.remove_locations(FILM, "north", Stamp(1, 4), [1])
            assert [(order.program, order.reached) for order in await store.open_orders()] == [("film", 1)]
            await store.set_order("film", "north", 2)
            await store.replace_station("north", Stamp(1, 5), held, keeps=True)
            assert (await store.orders("film"))["north"].copies == 2, "what was ordered stays"

        self.run(tmp_path, story)

    def test_an_order_that_had_too_few_engines_goes_on_when_there_are_more(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            for station in ("north", "south"):
                await store.set_order("film", station, 3)
                await carry_out(store, "film", station, 2)
            await store.set_order("epic", "north", 1)
            await carry_out(store, "epic", "north", 1)
            for engines in (1, 2):
                assert await store.reopen_short_orders("north", engines) is Verdict.REPEATED
            assert await store.reopen_short_orders("north", 3) is Verdict.ACCEPTED
            assert [(order.program, order.station) for order in await store.open_orders()] == [("film", "north")]

        self.run(tmp_path, story)

    def test_locations(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.add_locations(EPIC, "south", FIRST, range(60, 130)) is Verdict.ACCEPTED
            assert await store.add_locations(EPIC, "north", FIRST, [62, 63, 199]) is Verdict.ACCEPTED
            assert await store.add_locations(EPIC, "north", FIRST, [63, 0]) is Verdict.ACCEPTED
            assert await stations_with(store, "epic", 63) == ["north", "south"]
            assert await stations_with(store, "epic", 64) == ["south"]
            assert await stations_with(store, "epic", 1) == []
            assert await store.locations("epic") == {"north": {0, 62, 63, 199}, "south": set(range(60, 130))}
            assert list((await store.held("epic")).items()) == [("north", 4), ("south", 70)]
            assert await store.remove_locations(EPIC, "north", FIRST, [62, 199, 5]) is Verdict.ACCEPTED
            assert await store.remove_locations(EPIC, "south", FIRST, range(200)) is Verdict.ACCEPTED
            assert await store.locations("epic") == {"north": {0, 63}}
            assert await store.held("epic") == {"north": 2}
            assert (await store.locations("film"), await store.held("film"), await store.held("none")) == ({}, {}, {})

        self.run(tmp_path, story)

    def test_shares_are_told_as_they_change_and_of_each_the_newest(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.shares(0) == []
            assert (await store.share_feed()).newest == 0
            await store.add_locations(EPIC, "north", FIRST, range(60, 130))
            await store.add_locations(FILM, "south", FIRST, [1])
            assert await store.shares(0) == [
                ShareChange(1, "epic", "north", 70, 200),
                ShareChange(2, "film", "south", 1, 3),
            ]
            await store.add_locations(EPIC, "north", FIRST, [129, 130])
            assert await store.shares(2) == [ShareChange(3, "epic", "north", 71, 200)]
            assert await store.shares(0, limit=1) == [ShareChange(2, "film", "south", 1, 3)]
            for copies in (1, 2, 3):
                await store.add_locations(EPIC, "north", FIRST, range(60, 131), copies)
            await store.remove_locations(EPIC, "north", FIRST, [0, 199])
            assert await store.shares(3) == [], "another copy of what is there is no news"
            await store.remove_locations(EPIC, "north", FIRST, range(200))
            assert await store.shares(3) == [ShareChange(4, "epic", "north", 0, 200)]

        self.run(tmp_path, story)

    def test_an_inventory_is_news_only_where_it_is_another_one(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.add_program(program_of("song"))
            song = program_of("song").cut
            for cut in (EPIC, FILM, song):
                await store.add_locations(cut, "north", FIRST, [0, 1])
            await store.add_locations(FILM, "south", FIRST, [0])
            held = {EPIC: [[0, 1]], FILM: [[0, 1, 2], [1]], FORMER: [[0]]}
            assert await store.replace_station("north", Stamp(1, 2), held, until="film") is Verdict.ACCEPTED
            assert await store.shares(4) == [ShareChange(5, "film", "north", 3, 3)]
            assert await store.replace_station("north", Stamp(1, 2), {}, after="film") is Verdict.ACCEPTED
            assert await store.shares(5) == [ShareChange(6, "song", "north", 0, 3)]
            assert await store.replace_station("north", Stamp(1, 3), held) is Verdict.ACCEPTED
            assert await store.shares(6) == []

        self.run(tmp_path, story)

    def test_what_is_said_of_a_program_by_two_cuts_is_counted_as_one(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            song, table = program_of("song"), b"the segments of another rendition"
            await store.add_program(song, [table])
            rendition = Cut("song", sha256(table).hexdigest())
            await store.replace_station("north", Stamp(1, 2), {song.cut: [[0, 1], [0]], rendition: [[1, 2]]})
            assert await store.locations("song") == {"north": {0, 1, 2}}
            assert await store.held("song") == {"north": 3}
            assert await store.shares(0) == [ShareChange(1, "song", "north", 3, 3)]
            await store.remove_locations(rendition, "north", Stamp(1, 2), [2])
            assert await store.shares(1) == [ShareChange(2, "song", "north", 2, 3)]

        self.run(tmp_path, story)

    def test_what_is_withdrawn_is_told_to_be_nowhere_and_its_name_begins_anew(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.add_locations(FILM, "north", FIRST, [0, 1])
            await store.add_locations(FILM, "south", FIRST, [0])
            await store.withdraw_program("film")
            assert await store.shares(2) == [
                ShareChange(3, "film", "north", 0, 0),
                ShareChange(4, "film", "south", 0, 0),
            ]
            await store.add_program(program_of("film", 5))
            await store.add_locations(program_of("film", 5).cut, "south", FIRST, [4])
            assert await store.shares(4) == [ShareChange(5, "film", "south", 1, 5)]

        self.run(tmp_path, story)

    def test_a_registry_that_has_lost_what_it_told_begins_its_feed_anew(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            begun = [(await store.share_feed()).begun_at_ms]
            assert abs(begun[0] - now_ms()) < 1000 * PATIENCE_S
            await store.add_locations(FILM, "north", FIRST, [0])
            await store.renumber_above(1)
            assert (await store.share_feed()).begun_at_ms == begun[0], "nothing was lost"
            for heard in (100, 1000):
                assert await store.renumber_above(heard) is Verdict.ACCEPTED
                begun.append((await store.share_feed()).begun_at_ms)
            assert begun == sorted(set(begun)), "each time is another one"

        self.run(tmp_path, story)

    @pytest.mark.parametrize("seed", range(3))
    def test_who_follows_the_feed_knows_what_is_held(self, tmp_path: Path, seed: int) -> None:
        """Whatever happens, in whatever order."""

        async def story(store: Repository) -> None:
            await store.hear_station("north", 1)
            await store.hear_station("south", 1)
            events, follower = Events(store, seed), Follower(store)
            for _ in range(150):
                await events.happen()
                held = {name: found for name in Events.COUNTS if (found := await store.held(name))}
                assert await follower.follow() == held
            assert follower.changes > 50

        self.run(tmp_path, story)

    def test_holders_of_segments_of_one_chunk(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.add_locations(EPIC, "north", FIRST, [0, 1, 63, 130])
            await store.add_locations(EPIC, "south", FIRST, [1, 2, 64])
            north, south = (each for each in await store.some_holders("epic", range(63), 0))
            assert north == Holder(north.number, "north", "127.1.1.1:81", 2)
            assert south == Holder(south.number, "south", "127.1.1.1:81", 2)
            assert await store.some_holders("epic", range(63), north.number) == [south]
            assert await store.some_holders("epic", [0], 0) == [north._replace(held=1)]
            assert await store.some_holders("epic", [64, 65], 0) == [south._replace(held=1)]
            assert await store.some_holders("film", range(3), 0) == []
            assert await store.holders_among("epic", [0, 2], ["south", "north", "none"]) == [
                north._replace(held=1),
                south._replace(held=1),
            ]
            assert await store.holders_among("epic", [0], ["south"]) == []
            numbers = [north.number, south.number, south.number + 1]
            assert await store.count_held("epic", [0, 1, 2, 3], numbers) == {north.number: 4, south.number: 3}
            assert await store.count_held("epic", [2], numbers) == {north.number: 1}

        self.run(tmp_path, story)

    def test_locations_refused(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            assert await store.add_locations(FILM, "none", FIRST, [0]) is Verdict.UNKNOWN_STATION
            assert await store.add_locations(NONE, "north", FIRST, [0]) is Verdict.UNKNOWN_PROGRAM
            for number in (3, -1, 10**30):
                assert await store.add_locations(FILM, "north", FIRST, [0, number]) is Verdict.NO_SUCH_SEGMENT
                assert await stations_with(store, "film", number) == []
            assert await store.locations("film") == {}

        self.run(tmp_path, story)

    def test_older_messages_are_refused(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            now = Stamp(2, 5)
            assert await store.see_station(station_of("north", now, "127.1.1.2:81")) is Verdict.ACCEPTED
            for old, verdict in ((Stamp(1, 9), Verdict.OLD_EPOCH), (Stamp(2, 4), Verdict.OLD_GENERATION)):
                assert await store.see_station(station_of("north", old)) is verdict
                assert await store.add_locations(FILM, "north", old, [0]) is verdict
                assert await store.remove_locations(FILM, "north", old, [0]) is verdict
                assert await store.replace_station("north", old, {FILM: [[0]]}) is verdict
            assert await store.station("north") == station_of("north", now, "127.1.1.2:81")
            assert await store.locations("film") == {}
            assert await store.replace_station("north", Stamp(3, 0), {}) is Verdict.ACCEPTED
            assert await store.add_locations(FILM, "north", Stamp(3, 0), [0]) is Verdict.ACCEPTED
            assert await store.stations() == [station_of("north", Stamp(3, 0), "127.1.1.2:81"), station_of("south")]
            assert await store.station("none") is None

        self.run(tmp_path, story)

    def test_an_inventory_replaces_what_was_known(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.add_locations(EPIC, "north", FIRST, range(200))
            await store.add_locations(FILM, "south", FIRST, [1])
            inventory = {FILM: [[0, 2]], NONE: [[7]], FORMER: [[1]]}
            assert await store.replace_station("north", Stamp(1, 2), inventory) is Verdict.ACCEPTED
            assert await store.locations("epic") == {}
            assert await store.locations("film") == {"north": {0, 2}, "south": {1}}

        self.run(tmp_path, story)

    def test_an_inventory_that_comes_in_pages_is_known_with_the_last(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            for name in ("dune", "gone", "song"):
                await store.add_program(program_of(name))
            cuts = {name: program_of(name).cut for name in ("dune", "gone", "song")} | {"epic": EPIC, "film": FILM}
            second = Stamp(1, 2)
            for cut in cuts.values():
                await store.add_locations(cut, "north", FIRST, [0])
            assert await store.replace_station("north", second, {cuts["dune"]: [[1]], FILM: [[1]]}, None, "film") is (
                Verdict.ACCEPTED
            )
            held = {name: (await store.locations(name)).get("north") for name in cuts}
            assert held == {"dune": {1}, "epic": None, "film": {1}, "gone": {0}, "song": {0}}
            assert await store.add_locations(FILM, "north", second, [2]) is Verdict.NO_INVENTORY
            assert await store.replace_station("north", second, {}, "film", "gone") is Verdict.ACCEPTED
            for verdict in (Verdict.ACCEPTED, Verdict.REPEATED):
                assert await store.replace_station("north", second, {cuts["song"]: [[2]]}, "gone") is verdict
            held = {name: (await store.locations(name)).get("north") for name in cuts}
            assert held == {"dune": {1}, "epic": None, "film": {1}, "gone": None, "song": {2}}
            assert await store.add_locations(FILM, "north", second, [2]) is Verdict.ACCEPTED

        self.run(tmp_path, story)

    def test_an_inventory_said_again_takes_nothing_back(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            again = Stamp(1, 2)
            await store.replace_station("north", again, {FILM: [[0]]})
            await store.add_locations(FILM, "north", again, [1])
            assert await store.replace_station("north", again, {FILM: [[0]]}) is Verdict.REPEATED
            assert await store.locations("film") == {"north": {0, 1}}
            assert await store.replace_station("none", FIRST, {}) is Verdict.UNKNOWN_STATION
            assert await store.replace_station("north", Stamp(1, 3), {FILM: [[3]]}) is Verdict.NO_SUCH_SEGMENT
            assert await store.locations("film") == {"north": {0, 1}}

        self.run(tmp_path, story)

    def test_nothing_is_added_to_an_inventory_that_has_not_come(self, tmp_path: Path) -> None:
        """It was made before what is added: coming later, it would take that back."""

        async def story(store: Repository) -> None:
            early = Stamp(1, 2)
            await store.add_locations(FILM, "north", FIRST, [1])
            assert await store.add_locations(FILM, "north", early, [0]) is Verdict.NO_INVENTORY
            assert await store.remove_locations(FILM, "north", early, [1]) is Verdict.NO_INVENTORY
            assert await store.add_locations(FILM, "north", Stamp(2, 0), [0]) is Verdict.NO_INVENTORY
            assert (await store.locations("film"), await store.station("north")) == (
                {"north": {1}},
                station_of("north"),
            )
            assert await store.replace_station("north", early, {FILM: [[2]]}) is Verdict.ACCEPTED
            assert await store.add_locations(FILM, "north", early, [0]) is Verdict.ACCEPTED
            assert await store.locations("film") == {"north": {0, 2}}
            await store.see_station(station_of("west"))
            assert await store.add_locations(FILM, "west", FIRST, [0]) is Verdict.NO_INVENTORY

        self.run(tmp_path, story)

    def test_a_removed_program_leaves_nothing(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.add_locations(FILM, "north", FIRST, [0])
            await store.set_order("film", "north", 1)
            assert await store.withdraw_program("film") is Verdict.ACCEPTED
            assert await store.withdraw_program("film") is Verdict.UNKNOWN_PROGRAM
            assert await store.program("film") is None
            assert [one.program for one in await store.programs()] == ["epic"]
            assert await store.publish_program("film", 1000) is Verdict.UNKNOWN_PROGRAM
            assert await store.add_locations(FILM, "north", FIRST, [0]) is Verdict.UNKNOWN_PROGRAM
            assert await stations_with(store, "film", 0) == []
            await store.add_program(program_of("film", 5))
            assert (await store.orders("film"), await store.locations("film")) == ({}, {})
            assert await known(store, "film") == program_of("film", 5).header

        self.run(tmp_path, story)

    def test_everything_is_there_again(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            await store.replace_station("north", Stamp(1, 4), {EPIC: [[149]]})
            await store.add_locations(EPIC, "north", Stamp(1, 4), [150])
            await store.set_order("epic", "north", 2)
            await store.publish_program("epic", 1000)
            await store.withdraw_program("film")

        async def again() -> None:
            async with self.opened(tmp_path) as store:
                assert [program.publish_at_ms for program in await store.programs()] == [1000]
                assert [change.version for change in await store.changes(0)] == [3, 4]
                assert await stations_with(store, "epic", 150) == ["north"]
                assert await store.orders("epic") == {"north": DistributionOrder(OrderState.ORDERED, 2)}
                assert await store.station("north") == station_of("north", Stamp(1, 4))

        self.run(tmp_path, story)
        asyncio.run(again())

    def test_many_writes_at_once(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            writes = [store.add_locations(EPIC, "north", FIRST, [n]) for n in range(200)]
            writes += [store.add_locations(EPIC, "none", FIRST, [n]) for n in range(200)]
            verdicts = await asyncio.gather(*writes)
            assert verdicts == [Verdict.ACCEPTED] * 200 + [Verdict.UNKNOWN_STATION] * 200
            assert await store.locations("epic") == {"north": set(range(200))}

        self.run(tmp_path, story)

    def test_a_write_that_fails_takes_no_other_with_it(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            results = await asyncio.gather(
                store.add_locations(FILM, "north", FIRST, [0]),
                store.see_station(station_of("west", Stamp(1 << 70, 0))),
                store.add_locations(FILM, "south", FIRST, [1]),
                return_exceptions=True,
            )
            assert isinstance(results[1], OverflowError)
            assert await store.locations("film") == {"north": {0}, "south": {1}}
            assert await store.station("west") is None

        self.run(tmp_path, story)

    def test_who_stops_waiting_disturbs_nobody(self, tmp_path: Path) -> None:
        async def story(store: Repository) -> None:
            gone = asyncio.ensure_future(store.add_locations(FILM, "north", FIRST, [0]))
            stays = asyncio.ensure_future(store.add_locations(FILM, "south", FIRST, [1]))
            await asyncio.sleep(0)
            gone.cancel()
            assert await stays is Verdict.ACCEPTED
            assert await store.locations("film") == {"north": {0}, "south": {1}}

        self.run(tmp_path, story)


class TestSqlite(Conformance):
    @staticmethod
    async def open(path: Path) -> Repository:
        return await open_repository(str(path / "registry"))

    def test_is_as_durable_as_it_says(self, tmp_path: Path) -> None:
        async def story(store: SqliteRepository) -> None:
            assert store.store.writer.pragma("journal_mode") == "wal"
            assert store.store.writer.pragma("synchronous") == 2
            await store.publish_program("film", 1000)
            other = apsw.Connection(str(tmp_path / "registry"))
            assert other.pragma("integrity_check") == "ok"
            other.close()

        self.run(tmp_path, story)

    def test_an_acknowledgement_takes_a_few_statements_and_fewer_when_it_is_said_again(self, tmp_path: Path) -> None:
        async def story(store: SqliteRepository) -> None:
            carried_out: list[str] = []

            def trace(_: apsw.Cursor, sql: str, __: object) -> bool:
                carried_out.append(sql)
                return True

            async def counted(segment: int) -> int:
                carried_out.clear()
                store.store.writer.set_exec_trace(trace)
                await store.add_locations(EPIC, "north", FIRST, [segment])
                store.store.writer.set_exec_trace(None)
                return len(carried_out)

            around = len(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"))
            await counted(0)
            # The station, the program, what is there; the count, all, the feed, the location; its order.
            assert [await counted(1) - around, await counted(1) - around] == [8, 4]

        self.run(tmp_path, story)

    def test_a_full_disk_is_told_to_everybody_who_waits(self, tmp_path: Path) -> None:
        async def story(store: SqliteRepository) -> None:
            store.store.writer.pragma("max_page_count", store.store.writer.pragma("page_count"))
            writes = [store.add_program(program_of(f"film-{n}", 500)) for n in range(3)]
            results = await asyncio.gather(*writes, return_exceptions=True)
            assert [type(result) for result in results] == [RepositoryFailed] * 3
            store.store.writer.pragma("max_page_count", 1 << 20)
            assert [program.program for program in await store.programs()] == ["epic", "film"]
            assert await store.add_program(program_of("film-0", 500)) is Verdict.ACCEPTED

        self.run(tmp_path, story)

    def test_refuses_a_file_of_another_release(self, tmp_path: Path) -> None:
        other = apsw.Connection(str(tmp_path / "registry"))
        other.pragma("user_version", 99)
        other.close()
        with pytest.raises(UnknownSchemaVersion, match="99"):
            SqliteRepository.open(tmp_path / "registry")

    @pytest.mark.parametrize("schema", [2, 3, 4, 5])
    def test_has_the_same_tables_whichever_release_made_them(self, tmp_path: Path, schema: int) -> None:
        folders = [tmp_path / name for name in ("old", "new")]
        for folder in folders:
            folder.mkdir()
        before = apsw.Connection(str(folders[0] / "registry"))
        before.execute((SCHEMAS / f"{schema}.sqlite.sql").read_text())
        before.close()

        async def story(folder: Path) -> set[tuple[str, str]]:
            async with self.opened(folder):
                pass
            after = apsw.Connection(str(folder / "registry"))
            columns = "SELECT name, (SELECT group_concat(name || type, ',') FROM pragma_table_info(known.name))"
            found = {
                *after.execute(f"{columns} FROM sqlite_schema AS known WHERE type = 'table'"),
                *after.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql <> ''"),
            }
            after.close()
            return found

        migrated, made = [asyncio.run(story(folder)) for folder in folders]
        assert migrated == made

    @pytest.mark.parametrize("schema", [2, 3, 4, 5])
    def test_opens_the_file_of_an_earlier_release(self, tmp_path: Path, schema: int) -> None:
        before = apsw.Connection(str(tmp_path / "registry"))
        before.execute((SCHEMAS / f"{schema}.sqlite.sql").read_text())
        before.close()
        asyncio.run(is_what_was_kept(self.opened(tmp_path)))
        asyncio.run(is_what_was_kept(self.opened(tmp_path)))


@pytest.mark.parametrize("version", ["3.40.1", "3.51.2", "3.7.0"])
def test_refuses_sqlite_that_loses_commits(version: str) -> None:
    with pytest.raises(SqliteTooOld, match=version):
        require_sqlite(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.52.0", "4.0.0"])
def test_takes_newer_sqlite(version: str) -> None:
    require_sqlite(version)


@given(st.sets(st.integers(0, 1000)))
def test_masks_hold_what_was_put_in(numbers: set[int]) -> None:
    chunks = masks(numbers)
    assert all(0 < mask < 1 << CHUNK_SEGMENTS for mask in chunks.values())
    assert [n for chunk in sorted(chunks) for n in segments(chunk, chunks[chunk])] == sorted(numbers)
