"""A distribution center on duty, with stations whose directors a test scripts: over HTTP, and in virtual time where it
would take long.
"""

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from hashlib import sha256

import pytest
from msgspec.structs import replace

from distribution_center.center_figures import CenterCounters
from distribution_center.content import ingesting
from distribution_center.registry.media_location_registry import MediaLocationRegistry
from distribution_center.registry.repository import DistributionOrder, OrderState
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.http.server import serve
from media_network.messages.content import (
    ASK_INGEST,
    CANCEL_INGEST,
    DISTRIBUTE,
    INGEST,
    LIST_PROGRAMS,
    PUBLISH,
    WITHDRAW,
    AskIngest,
    CancelIngest,
    Distribute,
    Ingest,
    IngestStage,
    ListPrograms,
    ProgramState,
    Publish,
    Withdraw,
)
from media_network.messages.obtaining import (
    LOCATE_SEGMENT,
    LocateSegment,
    Obstacle,
    Obtain,
    ObtainStanding,
)
from media_network.messages.program_information import ASK_CHANGES, AskChanges, ProgramChange
from media_network.messages.registry import (
    ADD_LOCATIONS,
    LIST_DOORS,
    LIST_STATIONS,
    REGISTER_STATION,
    REMOVE_LOCATIONS,
    REPORT_LOCATIONS,
    AddLocations,
    ListDoors,
    ListStations,
    RegisterStation,
    ReportLocations,
    StationDoor,
    StationRegistered,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.clips import render
from tests.distribution_center.registry.test_repository import program_of
from tests.distribution_center.world import CONTENTS, HOME, MEDIA_OF_STATIONS, RESTORE_AFTER_S, ScriptedDirector, film
from tests.patience import until
from tests.programs import empty_segments, program_with


async def newest_of(world):
    """The program that changed last, and its header."""
    *_, change = (await world.ask(ASK_CHANGES, AskChanges(since=0))).changes
    return change.program, change.header


# The registry


def test_of_two_directors_of_a_station_the_later_is_right(told):
    async def story(world):
        async with world.center(), world.station("north") as old:
            new = ScriptedDirector("north", world.address, world.http)
            new.address, new.epoch = Address("127.0.0.9", 8081), 2
            assert (await new.register()).generation == 0
            for _ in range(2):
                assert (await old.register()).reason is Reason.STALE_EPOCH
            report = ReportLocations(station="north", epoch=1, generation=9, holdings=())
            assert (await world.ask(REPORT_LOCATIONS, report)).reason is Reason.STALE_EPOCH
            [row] = (await world.ask(LIST_STATIONS, ListStations())).stations
            assert (row.station, row.director, row.epoch, row.engines) == ("north", "127.0.0.9:8081", 2, 3)
            assert row.media == MEDIA_OF_STATIONS
            [door] = (await world.http.ask(world.media, LIST_DOORS, ListDoors())).doors
            assert door == StationDoor(station="north", media=MEDIA_OF_STATIONS, home=False)
            assert not row.home
            assert row.silent_ms < 60_000

    told(story)


def test_a_registration_tells_the_generation_that_is_known_of_its_epoch(told):
    async def story(world):
        async with world.center(), world.station("north") as director:
            assert (await director.register()).generation == 1
            stale = ReportLocations(station="north", epoch=1, generation=0, holdings=())
            assert (await world.ask(REPORT_LOCATIONS, stale)).reason is Reason.UNKNOWN_STATION
            director.epoch = 2
            assert (await director.register()).generation == 0
        async with world.center():  # the same after a restart
            assert isinstance(await director.register(), StationRegistered)
            director.epoch = 1
            assert (await director.register()).reason is Reason.STALE_EPOCH

    told(story)


@pytest.mark.parametrize(
    ("verb", "message", "reason"),
    [
        (
            REGISTER_STATION,
            RegisterStation(station="x", director="nowhere", media=MEDIA_OF_STATIONS, epoch=1, engines=0, heard=0),
            Reason.BAD_MESSAGE,
        ),
        (
            REGISTER_STATION,
            RegisterStation(station="x", director="127.0.0.9:8081", media="nowhere", epoch=1, engines=0, heard=0),
            Reason.BAD_MESSAGE,
        ),
        (
            REPORT_LOCATIONS,
            ReportLocations(station="x", epoch=1, generation=1, holdings=()),
            Reason.UNKNOWN_STATION,
        ),
        (
            ADD_LOCATIONS,
            AddLocations(station="north", epoch=1, generation=1, program="film", table="0" * 64, segments="3-1"),
            Reason.BAD_MESSAGE,
        ),
        (PUBLISH, Publish("epic"), Reason.UNKNOWN_PROGRAM),
        (DISTRIBUTE, Distribute(program="epic", stations=("north",)), Reason.UNKNOWN_PROGRAM),
        (ASK_INGEST, AskIngest("none"), Reason.UNKNOWN_INGEST),
        (CANCEL_INGEST, CancelIngest("none"), Reason.UNKNOWN_INGEST),
        (INGEST, Ingest(source="relative/film.mp4"), Reason.BAD_SOURCE),
        (LOCATE_SEGMENT, LocateSegment(program="epic", table="0" * 64, segment=0), Reason.NOT_HERE),
    ],
    ids=lambda value: getattr(value, "path", ""),
)
def test_refusals(told, verb, message, reason):
    async def story(world):
        async with world.center(), world.station("north"):
            answer = await world.ask(verb, message)
            assert isinstance(answer, Refused)
            assert answer.reason is reason

    told(story)


# Ingest


def test_a_film_is_brought_home_and_then_published_everywhere(told, tmp_path):
    source = render(tmp_path / "tiny.mp4", 2.0, 160, 90)

    async def story(world):
        async with world.center(), world.station(HOME) as home, world.station("north") as north:
            home.takes = 0
            ingesting = asyncio.create_task(world.ingest(source))
            await until(lambda: home.orders)
            [order] = home.orders
            program = order.header
            assert (order.source_director, order.copies) == (str(world.address), 1)
            refused = await world.ask(PUBLISH, Publish(program.program))
            assert (refused.reason, refused.state) == (Reason.NOT_READY, "stored")
            assert home.published == north.published == []
            home.takes = program.segments
            home.obtaining = asyncio.create_task(home._take_all(order))
            progress, stages = await ingesting
            assert stages[-1] is IngestStage.DONE, progress.error
            assert (progress.program, progress.fraction) == (program.program, 1.0)
            content = b"".join(home.taken[program.program, number] for number in range(program.segments))
            assert sha256(content).hexdigest() == program.sha256
            row = await world.row(program.program)
            assert row.stations == {HOME: program.segments}
            assert (row.state, row.title, row.bytes) == (ProgramState.INACTIVE, "Tiny", len(content))
            assert list((world.folder / "spool").iterdir()) == []

            before = (await north.register()).newest
            north.address = Address("127.0.0.9", 9)  # cut off
            north.epoch += 1
            await north.register()
            published = await world.ask(PUBLISH, Publish(program.program))
            assert published.state is ProgramState.PUBLISHED
            [header] = home.published
            assert header == replace(
                program,
                version=header.version,
                changed_at_ms=header.changed_at_ms,
                publish_at_ms=header.publish_at_ms,
            )
            assert north.published == []
            after = (await north.register()).newest
            assert before < after == header.version
            news = await world.ask(ASK_CHANGES, AskChanges(since=before))
            assert (news.until, news.changes) == (
                after,
                (ProgramChange(version=after, program=header.program, header=header),),
            )

    told(story)


def test_a_fault_of_our_own_in_an_ingest_ends_that_ingest_and_not_the_center(told, tmp_path, monkeypatch):
    async def break_down(*_, **__):
        raise KeyError("the process said what nobody understands")

    monkeypatch.setattr(ingesting, "ingest", break_down)

    async def story(world):
        async with world.center(), world.station(HOME):
            progress, _ = await world.ingest(tmp_path / "film.mp4")
            assert progress.stage is IngestStage.FAILED
            assert "a fault of its own" in progress.error
            assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()

    told(story)


def test_an_ingest_into_full_disks_fails_in_words_and_is_named_until_it_comes_again(told, tmp_path):
    source = render(tmp_path / "tiny.mp4", 2.0, 160, 90, gop=6)

    async def story(world):
        world.storing_patience_s = 0.5
        async with world.center(), world.station(HOME) as home:
            home.takes = 1
            home.standing = ObtainStanding(
                obstacle=Obstacle.NO_SPACE, needs_bytes=1_230_000_000, free_bytes=300_000, detail="segment 1"
            )
            progress, _ = await world.ingest(source)
            assert progress.stage is IngestStage.FAILED
            assert progress.error.endswith(
                "the disks of station home are full: it needs 1.2 GB more, the largest free space is 0.3 MB"
            )
            assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()
            assert list((world.folder / "spool").iterdir()) == []
            assert await newest_of(world) == (progress.program, None)
        world.storing_patience_s = 60.0
        async with world.center(), world.station(HOME) as home:  # a restart forgets it not
            assert await newest_of(world) == (progress.program, None)
            again, _ = await world.ingest(source)
            assert again.stage is IngestStage.DONE, again.error
            assert (await newest_of(world))[1].program == progress.program

    told(story)


def test_a_center_killed_while_it_gave_a_program_up_goes_on_with_that(told):
    async def story(world):
        await world.put_in_spool(film())
        # Killed after it was withdrawn and before the spool was cleared; once more between cutting and entering.
        repository = SqliteRepository.open(world.folder / "registry.sqlite")
        await repository.withdraw_program("film")
        await repository.close()
        (world.folder / "spool" / "never-entered").mkdir()
        (world.folder / "spool" / "never-entered" / "0.ts").write_bytes(CONTENTS[0])
        (world.folder / "spool" / "downloads").mkdir()
        async with world.center(), world.station(HOME) as home:
            assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()
            assert [path.name for path in (world.folder / "spool").iterdir()] == ["downloads"]
            assert await newest_of(world) == ("film", None)
            assert home.orders == []

    told(story)


def test_the_same_film_cut_otherwise_is_said_to_be_here_already(told, tmp_path):
    source = render(tmp_path / "tiny.mp4", 2.0, 160, 90, gop=6)

    async def story(world):
        async with world.center(), world.station(HOME) as home:
            first, _ = await world.ingest(source, segment_ms=500)
            assert first.stage is IngestStage.DONE, first.error
            row = await world.row(first.program)
            again, _ = await world.ingest(source, segment_ms=500)
            assert (again.stage, again.program) == (IngestStage.DONE, first.program)
            other, _ = await world.ingest(source, segment_ms=1000)
            assert other.stage is IngestStage.FAILED
            for fact in (str(source), first.program, f"{row.segments} segments of about 720 ms", "title"):
                assert fact in other.error
            now = await world.row(first.program)
            assert replace(now, to_be_carried_out=()) == replace(row, to_be_carried_out=())
            assert list((world.folder / "spool").iterdir()) == []
            assert len({program for program, _ in home.taken}) == 1

    told(story)


def test_a_registry_that_fails_is_a_refusal_and_no_traceback(told, caplog):
    async def story(world):
        async with world.center(), world.station("north") as north:
            north.epoch = 1 << 70
            assert (await north.register()).reason is Reason.BAD_MESSAGE
            world.repository.store._reader.close()
            refused = await world.ask(LIST_STATIONS, ListStations())
            assert refused.reason is Reason.BUSY
            assert "registry.sqlite" in refused.detail
        assert "Traceback" not in caplog.text

    told(story)


@pytest.mark.parametrize("content", [b"", b"no film at all"], ids=["empty", "text"])
def test_what_is_no_film_is_refused_with_a_sentence(told, tmp_path, content):
    source = tmp_path / "film.mp4"
    source.write_bytes(content)

    async def story(world):
        async with world.center(), world.station(HOME):
            progress, _ = await world.ingest(source)
            assert progress.stage is IngestStage.FAILED
            assert str(source) in progress.error
            assert "Traceback" not in progress.error
            assert (await world.ask(LIST_PROGRAMS, ListPrograms())).programs == ()

    told(story)


def test_a_segment_in_the_spool_is_given_for_its_ticket_only(told):
    async def story(world):
        await world.put_in_spool(film())
        async with world.center():
            where = await world.ask(LOCATE_SEGMENT, LocateSegment(program="film", table=film().header.table, segment=1))
            for path, status in (
                (f"/segments/film/{film().header.table}/1.ts?ticket={where.ticket}", 200),
                (f"/segments/film/{'0' * 64}/1.ts?ticket={where.ticket}", 404),
                (f"/segments/film/{film().header.table}/2.ts?ticket={where.ticket}", 403),
                (f"/segments/other/{film().header.table}/1.ts?ticket={where.ticket}", 403),
                (f"/segments/film/{film().header.table}/1.ts", 403),
                (f"/segments/film/{film().header.table}/%2e%2e%2f1.ts?ticket={where.ticket}", 404),
            ):
                async with world.http.read(world.media, path) as response:
                    assert response.status == status, path
                    assert status != 200 or await response.read() == CONTENTS[1]

    told(story)


def test_a_center_that_stops_while_it_stores_takes_it_up_again(simulated):
    async def story(world):
        await world.put_in_spool(film())
        (world.folder / "spool" / ".ingest-half").mkdir()
        async with world.center(), world.station(HOME, port=8091) as home:
            home.takes = 2
            await until(lambda: len(home.taken) == 2)
        assert (world.folder / "spool" / "film").is_dir()
        assert not (world.folder / "spool" / ".ingest-half").exists()
        async with world.center():
            assert (await world.row("film")).stations == {HOME: 2}
            async with serve(home.table(), home.address):  # it is known where the home director is
                home.takes = len(CONTENTS)
                await until(lambda: len(home.taken) == len(CONTENTS))
                await until(lambda: not (world.folder / "spool" / "film").exists())
                assert (await world.row("film")).stations == {HOME: 4}

    simulated(story)


# From publication to withdrawal


def test_a_program_is_in_service_from_its_time_to_the_end_of_its_window(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world) as home:

            async def state():
                return (await world.row("film")).state

            now = int(time.time() * 1000)
            assert await state() is ProgramState.INACTIVE
            row = await world.ask(PUBLISH, Publish("film", at_ms=now + 10_000, until_ms=now + 30_000))
            assert (row.state, row.publish_at_ms) == (ProgramState.INACTIVE, now + 10_000)
            [header] = home.published
            assert (header.publish_at_ms, header.window_ends_ms) == (now + 10_000, now + 30_000)
            await asyncio.sleep(11.0)
            assert await state() is ProgramState.PUBLISHED
            assert await world.repository.newest_version() == header.version, "its time makes it, and nobody's word"
            await asyncio.sleep(20.0)
            assert await state() is ProgramState.EXPIRING
            refused = await world.ask(PUBLISH, Publish("film", until_ms=now + 20_000))
            assert refused.reason is Reason.BAD_MESSAGE
            assert "end before it begins" in refused.detail
            row = await world.ask(PUBLISH, Publish("film"))
            assert (row.state, row.window_ends_ms) == (ProgramState.PUBLISHED, None)
            row = await world.ask(PUBLISH, Publish("film", until_ms=now + 10**6))
            assert (row.state, row.window_ends_ms) == (ProgramState.PUBLISHED, now + 10**6)
            again = await world.ask(PUBLISH, Publish("film"))
            assert again == row

    simulated(story)


def test_what_is_withdrawn_is_gone_and_its_name_is_free(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await world.ask(PUBLISH, Publish("film"))
            before = await world.repository.newest_version()
            assert await world.ask(WITHDRAW, Withdraw("film")) == Done()
            assert await world.row("film") is None
            assert await world.repository.open_orders() == []
            news = await world.ask(ASK_CHANGES, AskChanges(since=before))
            assert news.changes == (ProgramChange(version=before + 1, program="film"),)
            assert (await world.ask(WITHDRAW, Withdraw("film"))).reason is Reason.UNKNOWN_PROGRAM
            await world.repository.add_program(film())
            assert (await world.row("film")).state is ProgramState.STORED

    simulated(story)


def test_what_is_being_ingested_is_not_withdrawn(simulated, monkeypatch):
    async def cut(_path, spool, **_):
        (spool / "film").mkdir()
        return film()

    monkeypatch.setattr(ingesting, "ingest", cut)

    async def story(world):
        async with world.center(), world.station(HOME, port=8091) as home:
            home.takes = 0
            progress = await world.ask(INGEST, Ingest(source="/films/film.mp4"))
            await until(lambda: home.orders)
            refused = await world.ask(WITHDRAW, Withdraw("film"))
            assert (refused.reason, refused.state) == (Reason.NOT_READY, "storing")
            assert f"cancel {progress.ingest} instead" in refused.detail
            await world.ask(CANCEL_INGEST, CancelIngest(progress.ingest))
            assert await world.row("film") is None

    simulated(story)


def test_programs_are_listed_a_page_at_a_time(told):
    async def story(world):
        async with world.center():
            for number in range(5):
                await world.repository.add_program(program_with(empty_segments(2), program=f"film-{number}"))
            first = await world.ask(LIST_PROGRAMS, ListPrograms(limit=3))
            assert ([row.program for row in first.programs], first.more) == (["film-0", "film-1", "film-2"], True)
            rest = await world.ask(LIST_PROGRAMS, ListPrograms(after="film-2", limit=3))
            assert ([row.program for row in rest.programs], rest.more) == (["film-3", "film-4"], False)

    told(story)


def test_changes_are_told_in_pages_that_no_catalogue_makes_larger(told):
    async def story(world):
        async with world.center():
            for number in range(250):
                long = program_with(empty_segments(1), program=f"film-{number}", warnings=("w" * 200,) * 16)
                await world.repository.add_program(long)
            heard, since, pages = [], 0, 0
            while True:
                page = await world.ask(ASK_CHANGES, AskChanges(since=since))
                heard += [change.version for change in page.changes]
                since, pages = page.until, pages + 1
                if not page.more:
                    break
            assert (heard, since) == (list(range(1, 251)), 250)
            assert pages >= 3

    told(story)


def test_a_part_is_a_resource_under_its_digest(told):
    async def story(world):
        await remember(world, film())
        async with world.center():
            table = film().segments
            async with world.http.read(world.media, f"/parts/{table.sha256}") as response:
                assert (response.status, await response.read()) == (200, table.octets)
                assert "immutable" in response.headers["Cache-Control"]
            for name in ("0" * 64, table.sha256.upper(), "..", "x"):
                async with world.http.read(world.media, f"/parts/{name}") as response:
                    assert response.status == 404

    told(story)


# Distribution


def at_home(world):
    """A station that has the whole film."""

    @asynccontextmanager
    async def station():
        async with world.station(HOME, port=8091) as home:
            home.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await home.begin()
            yield home

    return station()


def replace_name(program, name):
    return program_with(list(program.segments), version=0, published=False, program=name)


async def remember(world, program):
    world.folder.mkdir(exist_ok=True)
    repository = SqliteRepository.open(world.folder / "registry.sqlite")
    await repository.add_program(program)
    await repository.close()


def test_an_unknown_station_is_named_and_so_are_those_there_are(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            answer = await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north", "west")))
            assert answer.reason is Reason.UNKNOWN_STATION
            assert "west" in answer.detail
            assert "home, north" in answer.detail
            await asyncio.sleep(10.0)
            assert north.orders == []

    simulated(story)


def test_an_order_is_said_again_until_the_station_has_the_program(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world) as home, world.station("north", port=8092) as north:
            north.takes, north.copies = 0, 3
            row = await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",), copies=3))
            assert row.stations == {HOME: 4}
            await asyncio.sleep(10.0)
            assert 3 <= len(north.orders) <= 5
            assert set(north.orders) == {
                Obtain(
                    header=await world.repository.program("film"),
                    parts=str(world.media),
                    source_station=HOME,
                    source_director=str(home.address),
                    copies=3,
                )
            }
        said = len(north.orders)
        async with world.center(), serve(north.table(), north.address):
            await asyncio.sleep(5.0)  # the order survives a restart of the center
            assert len(north.orders) > said
            north.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await north.begin()
            await asyncio.sleep(1.0)
            assert (await world.repository.orders("film"))["north"].state is OrderState.DISTRIBUTED
            said = len(north.orders)
            await asyncio.sleep(20.0)
            assert len(north.orders) == said

    simulated(story)


def test_what_moves_at_one_station_has_the_orders_of_others_looked_at_no_more_often(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            for number in range(50):
                await world.repository.add_program(program_of(f"other-{number:02}"))
                await world.repository.set_order(f"other-{number:02}", "west", 1)
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(10.0)
            looked_at, look = [], world.repository.program
            world.repository.program = lambda name: looked_at.append(name) or look(name)
            for number in range(40):
                await north.say(ADD_LOCATIONS, [number % 3], copies=2)
                await asyncio.sleep(0.15)
            assert looked_at.count("film") > 30
            assert looked_at.count("other-07") <= 3, "of these nothing has moved: once in three seconds"
            await north.say(ADD_LOCATIONS, [3], copies=2)
            await asyncio.sleep(0.5)
            assert (await world.row("film")).to_be_carried_out == ()

    simulated(story)


def test_an_order_stands_and_is_said_again_when_a_copy_or_a_segment_is_lost(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:

            async def said_again():
                assert (await world.row("film")).to_be_carried_out == ()
                before = len(north.orders)
                yield
                await asyncio.sleep(RESTORE_AFTER_S - 1.0)
                assert len(north.orders) == before, "it may come back by itself"
                await until(lambda: len(north.orders) > before)
                assert (await world.row("film")).to_be_carried_out == ("north",)
                await north.begin()
                await asyncio.sleep(1.0)

            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            north.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await north.begin()
            await asyncio.sleep(1.0)
            for lost in (partial(north.say, ADD_LOCATIONS, [1], copies=1), partial(north.say, REMOVE_LOCATIONS, [1])):
                async for _ in said_again():
                    await lost()
            said = len(north.orders)
            await north.say(REMOVE_LOCATIONS, [1])
            await asyncio.sleep(RESTORE_AFTER_S - 1.0)
            await north.begin()
            await asyncio.sleep(600.0)
            assert (await world.row("film")).to_be_carried_out == ()
            assert len(north.orders) == said, "it came back by itself"

    simulated(story)


def test_a_station_with_fewer_engines_than_copies_has_done_what_it_can_until_it_has_more(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes, north.engines, north.copies = 0, 1, 1
            await north.register()
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",), copies=2))
            await until(lambda: north.orders)
            north.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await north.begin()
            await asyncio.sleep(1.0)
            assert {order.copies for order in north.orders} == {1}
            assert (await world.row("film")).to_be_carried_out == ()
            north.engines = 2
            await north.register()
            await until(lambda: north.orders[-1].copies == 2)
            assert (await world.row("film")).to_be_carried_out == ("north",)

    simulated(story)


def test_engines_that_drain_take_no_copies(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes, north.engines, north.copies = 0, 2, 1
            await north.register(staying=1)
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",), copies=2))
            await until(lambda: north.orders)
            north.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await north.say(ADD_LOCATIONS, range(len(CONTENTS)), copies=1)
            await asyncio.sleep(1.0)
            assert (await world.row("film")).to_be_carried_out == ()

    simulated(story)


def test_an_engine_that_comes_while_an_order_is_noted_as_carried_out_is_not_overlooked(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes, north.engines, north.copies = 0, 1, 1
            await north.register()
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",), copies=2))
            reopen = world.repository.reopen_short_orders

            async def take_long(*facts):
                verdict = await reopen(*facts)
                await north.say(ADD_LOCATIONS, range(len(CONTENTS)), copies=1)
                await asyncio.sleep(2.0)
                return verdict

            world.repository.reopen_short_orders = take_long
            north.engines = 2
            await north.register()
            await asyncio.sleep(5.0)
            assert (await world.row("film")).to_be_carried_out == ("north",)

    simulated(story)


def test_a_station_that_does_not_answer_holds_up_no_other(simulated):
    async def story(world):
        names = [f"film-{number}" for number in range(8)]
        for name in names:
            await remember(world, replace_name(film(), name))
        async with (
            world.center(),
            world.station(HOME, port=8091, **holding(names)),
            world.station("deaf", port=8092, hangs=True),
            world.station("north", port=8093, takes=0, orders=[None]) as north,
        ):
            for name in names:
                await world.ask(DISTRIBUTE, Distribute(program=name, stations=("deaf",)))
            await world.ask(DISTRIBUTE, Distribute(program=names[-1], stations=("north",)))
            await asyncio.sleep(6.0)
            assert north.orders[1:]
            for name in names:
                assert "does not answer" in (await world.row(name)).obstacles["deaf"]

    simulated(story)


def holding(names):
    """That a station has all of films like the one."""
    taken = {(name, number): content for name in names for number, content in enumerate(CONTENTS)}
    return {"taken": taken, "tables": dict.fromkeys(names, film().header.table)}


def test_a_station_of_before_the_start_that_does_not_speak_is_missed(simulated):
    async def story(world):
        names = ("north", "south", "west")
        async with world.center(), AsyncExitStack() as open_ones:
            for number, name in enumerate(names):
                station = await open_ones.enter_async_context(world.station(name, port=8092 + number))
                await station.register()
            registry = MediaLocationRegistry(world.repository, HOME, world.media, CenterCounters())
            missing = asyncio.create_task(registry.miss_stations())
            await asyncio.sleep(10.0)
            registration = RegisterStation(
                station="north", director="127.0.0.1:1", media="127.0.0.1:2", epoch=1, engines=3, heard=0
            )
            registry.presences.hear(registration, asyncio.get_running_loop().time())
            await missing
            now = asyncio.get_running_loop().time() + 1.0
            assert set(registry.presences.silent(now, 15.0)) == {"south", "west"}
            registry.presences.hear(replace(registration, station="west"), now)
            assert set(registry.presences.silent(now, 15.0)) == {"south"}

    simulated(story)


def test_many_stations_that_do_not_answer_hold_up_no_other(simulated):
    async def story(world):
        await remember(world, film())
        async with AsyncExitStack() as open_ones:
            await open_ones.enter_async_context(world.center())
            await open_ones.enter_async_context(at_home(world))
            deaf = [f"deaf-{number}" for number in range(20)]
            for number, name in enumerate(deaf):
                station = await open_ones.enter_async_context(world.station(name, port=8100 + number))
                station.hangs, station.takes = True, 0
            north = await open_ones.enter_async_context(world.station("north", port=8092))
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=tuple(deaf)))
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(1.0)
            assert north.orders
            await asyncio.sleep(3.0)
            assert all("does not answer" in why for why in (await world.row("film")).obstacles.values())

    simulated(story)


def test_what_waits_for_a_director_that_does_not_answer_keeps_nothing_from_the_next_one(simulated):
    async def story(world):
        names = [f"film-{number}" for number in range(20)]
        for name in names:
            await remember(world, replace_name(film(), name))
        home = world.station(HOME, port=8091, **holding(names))
        async with world.center(), home, world.station("north", port=8092, hangs=True) as old:
            orders = [Distribute(program=name, stations=("north",)) for name in names]
            await asyncio.gather(*(world.ask(DISTRIBUTE, order) for order in orders))
            await asyncio.sleep(1.0)
            async with world.station("north", port=8093, takes=0, orders=[None]) as new:
                await asyncio.sleep(1.0)
                assert {order.header.program for order in new.orders[1:]} == set(names)
                await asyncio.sleep(30.0)
                assert len(old.orders) == 1

    simulated(story)


def test_a_director_that_refuses_an_order_is_not_said_to_be_silent(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.standing = Refused(Reason.BAD_MESSAGE, "it is of a release that nobody knows")
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(2.0)
            sentence = "the director of station north refuses: it is of a release that nobody knows"
            assert (await world.row("film")).obstacles == {"north": sentence}

    simulated(story)


def test_an_order_that_does_not_get_on_is_said_less_and_less_often_and_at_once_to_another_director(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(600.0)
            said = len(north.orders)
            assert 20 <= said <= 60
            await asyncio.sleep(600.0)
            assert 9 <= len(north.orders) - said <= 12
            said, north.epoch = len(north.orders), 2
            await north.register()
            await asyncio.sleep(1.0)
            assert len(north.orders) == said + 1

    simulated(story)


def test_the_home_station_is_to_keep_what_it_has_stored_and_gets_it_back_from_another(simulated):
    async def story(world):
        await world.put_in_spool(film())
        async with world.center(), world.station(HOME, port=8091) as home, world.station("north", port=8092) as north:
            await until(lambda: not (world.folder / "spool" / "film").exists())
            await asyncio.sleep(1.0)
            assert (await world.repository.orders("film"))[HOME] == DistributionOrder(OrderState.DISTRIBUTED, 1)
            north.takes = home.takes = 0
            north.taken, said = dict(home.taken), len(home.orders)
            await north.begin()
            await home.say(REMOVE_LOCATIONS, [2])
            await until(lambda: len(home.orders) > said)
            assert home.orders[-1].source_station == "north"

    simulated(story)


@pytest.mark.parametrize(
    ("standing", "sentence"),
    [
        (
            ObtainStanding(obstacle=Obstacle.NO_SPACE, needs_bytes=2 * 10**9, free_bytes=10**9),
            "the disks of station north are full: it needs 2.0 GB more, the largest free space is 1.0 GB",
        ),
        (ObtainStanding(obstacle=Obstacle.NO_ENGINE), "station north has no engine in service"),
        (
            ObtainStanding(obstacle=Obstacle.SOURCE_LOST, detail="segment 3 did not come"),
            "station north cannot fetch it from its source: segment 3 did not come",
        ),
        (
            ObtainStanding(obstacle=Obstacle.NOT_STORED, detail="segment 3: io_error"),
            "the engines of station north cannot store it: segment 3: io_error",
        ),
    ],
)
def test_an_order_that_does_not_get_on_says_why_until_it_does(simulated, standing, sentence):
    async def story(world):
        await remember(world, film())
        async with world.center(), at_home(world), world.station("north", port=8092) as north:
            north.takes, north.standing = 0, standing
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(2.0)
            assert (await world.row("film")).obstacles == {"north": sentence}
            north.standing = ObtainStanding()
            await asyncio.sleep(5.0)
            assert (await world.row("film")).obstacles == {}
            north.standing = standing
            await asyncio.sleep(5.0)
            assert (await world.row("film")).obstacles == {"north": sentence}
            north.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
            await north.begin()
            await asyncio.sleep(1.0)
            row = await world.row("film")
            assert (row.obstacles, row.stations) == ({}, {HOME: 4, "north": 4})

    simulated(story)


def test_an_order_says_that_nobody_answers_and_that_there_is_no_source(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center():
            async with world.station("north", port=8092) as north:
                await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
                await asyncio.sleep(5.0)
                assert (await world.row("film")).obstacles == {"north": "no other station holds any of it"}
            async with at_home(world):
                await asyncio.sleep(10.0)
                sentence = f"the director of station north does not answer at {north.address}: is it up?"
                assert (await world.row("film")).obstacles == {"north": sentence}

    simulated(story)


def test_an_order_waits_for_a_source(simulated):
    async def story(world):
        await remember(world, film())
        async with world.center(), world.station("north", port=8092) as north:
            north.takes = 0
            await world.ask(DISTRIBUTE, Distribute(program="film", stations=("north",)))
            await asyncio.sleep(10.0)
            assert north.orders == []
            async with world.station("south", port=8093) as south:
                south.taken = {("film", number): content for number, content in enumerate(CONTENTS)}
                await south.begin()
                await until(lambda: north.orders)
                assert north.orders[0].source_station == "south"

    simulated(story)
