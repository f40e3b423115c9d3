"""A distribution center as net-snmp's tools see it, and what it tells; and that a large one costs no more to walk."""

import asyncio
import random
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from distribution_center.center_figures import (
    CenterCounters,
    CenterFigures,
    IngestFigures,
    StationFigures,
)
from distribution_center.content.ingest_jobs import IngestJobs
from distribution_center.registry.opening import open_repository
from distribution_center.registry.presence import Presences
from distribution_center.registry.repository import RegisteredStation, RepositoryFailed, Stamp
from distribution_center.snmp.agent import center_snmp
from distribution_center.snmp.figures import CenterView
from distribution_center.snmp.objects import CenterObjects
from distribution_center.snmp.tables import CenterTables
from media_network.messages.registry import RegisterStation
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.arcs import CENTER
from media_network.snmp.objects.times import Uptime
from tests.blade_agent.snmp.agents import READER, run, settings
from tests.distribution_center.machine_steps import counting
from tests.mib_facts import MIBS, SMI
from tests.patience import until
from tests.programs import empty_segments, program_with

FIRST = Stamp(1, 1)
HOME = StationFigures(number=1, station="home", home=True, director="127.0.0.1:80", epoch=1, engines=2, silent_ms=100)
NORTH = replace(HOME, number=2, station="north", home=False, director="127.0.0.2:80", epoch=4)
FIGURES = CenterFigures(name="center", home="home", counted=CenterCounters(registrations=7))
PROGRAM_TITLE = (*CENTER, 1, 3, 1, 3)


def program(name, title="A film", segments=3):
    return program_with(empty_segments(segments), program=name, title=title, version=0)


def heard(presences, station, now):
    presences.hear(
        RegisterStation(station=station, director="127.0.0.1:80", media="127.0.0.1:81", epoch=1, engines=2, heard=0),
        now,
    )


class Center:
    """A registry, and what a center shows of it."""

    def __init__(self, store, folder):
        self.store, self.presences, self.counters = store, Presences(), CenterCounters(registrations=7)
        self.view = CenterView(
            name="center",
            home="home",
            repository=store,
            presences=self.presences,
            ingests=IngestJobs(folder / "ingests"),
            counters=self.counters,
        )

    async def add(self, first, end):
        """Programs of these numbers, whole at home."""
        added = [program(f"film-{number:05}") for number in range(first, end)]
        await asyncio.gather(*(self.store.add_program(one) for one in added))
        await asyncio.gather(*(self.store.add_locations(one.cut, "home", FIRST, range(3)) for one in added))


@asynccontextmanager
async def center_in(folder):
    store = await open_repository(str(folder / "registry"))
    try:
        for name in ("home", "north"):
            station = RegisteredStation(station=name, director="127.0.0.1:80", media="127.0.0.1:81", stamp=FIRST)
            await store.see_station(station)
            await store.replace_station(name, FIRST, {})
        yield Center(store, folder)
    finally:
        await store.close()


@asynccontextmanager
async def agent_of(center, folder):
    view = center.view
    async with center_snmp(settings(), "center", folder, view.figures, view.tables, rng=random.Random(3)) as agent:
        yield agent


@pytest.mark.peer("snmpbulkwalk")
def test_programs_stations_and_where_the_programs_are(tmp_path):
    async def story():
        async with center_in(tmp_path) as center:
            for number in range(300):  # more than one window
                await center.store.add_program(program(f"film-{number}", f"Film {number}"))
            cut = program("film-0").cut
            await center.store.add_locations(cut, "home", FIRST, range(3))
            await center.store.add_locations(cut, "north", FIRST, [1])
            heard(center.presences, "north", asyncio.get_running_loop().time())
            async with agent_of(center, tmp_path) as agent:
                name = agent.index.contexts[b""].type_of((*CENTER, 1, 1, 1))
                await until(lambda: name.read(name.rows.find((0,))) == "center")
                user = ("-v3", "-l", "authPriv", "-u", READER.user, "-a", "SHA-256", "-A", READER.auth_password)
                how = (*user, "-x", "AES", "-X", READER.priv_password, "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-OQs")
                counters = agent.service.engine.counters
                packets = counters.in_packets
                walked = await run("snmpbulkwalk", *how, agent.service.address, "mediaStationCenterMIB")
                asked, answered = counters.in_packets - packets, counters.out_packets
                got = await run("snmpget", *how, agent.service.address, "msdProgramTitle.300", "msdStationName.3")
                return walked, got, asked, answered

    walked, got, asked, answered = asyncio.run(story())
    written = walked.replace('"', "")
    for text in (
        "msdName.0 = center",
        "msdPrograms.0 = 300 programs",
        "msdLocations.0 = 4 segments",
        "msdRegistrations.0 = 7 messages",
        "msdFullReports.0 = 0 messages",
        "msdProgramTitle.1 = Film 0",
        "msdProgramStations.1 = 1 stations",
        "msdProgramStations.300 = 0 stations",
        "msdStationName.2 = north",
        "msdStationPrograms.1 = 1 programs",
        "msdStationEngines.2 = 2 engines",
        "msdLocationSegments.1.2 = 1 segments",
    ):
        assert text in written, text
    assert written.count("msdProgramTitle.") == 300
    assert "Film 299" in got
    assert "No Such Instance" in got
    assert 0 < asked <= answered, "what had to be fetched first was counted once"


def test_a_row_costs_as_much_among_two_thousand_programs_as_among_two_hundred(tmp_path):
    async def story():
        async with center_in(tmp_path) as center:
            tables, steps = center.view.tables, []
            for first, end in ((0, 200), (200, 2000)):
                await center.add(first, end)
                with counting(center.store.store._reader) as done:
                    assert len(await tables.programs((100,), 50)) == 50
                    assert len(await tables.holdings((100, -1), 50)) == 50
                    assert len(await tables.stations((0,), 50)) == 2
                    figures = await center.view.figures()
                    steps.append(done[0])
            assert (figures.programs, figures.published, figures.held_segments) == (2000, 2000, 6000)
            assert steps[1] <= 1.1 * steps[0] + 100, steps

    asyncio.run(story())


def test_a_registry_that_fails_costs_one_answer(tmp_path):
    async def story():
        async with center_in(tmp_path) as center:
            await center.add(0, 3)
            fails = [True]
            ask = center.view.tables.programs

            async def programs(after, limit):
                if fails.pop() if fails else False:
                    raise RepositoryFailed("here", "it fails")
                return await ask(after, limit)

            object.__setattr__(center.view.tables, "programs", programs)
            async with agent_of(center, tmp_path) as agent:
                user = ("-v3", "-l", "authPriv", "-u", READER.user, "-a", "SHA-256", "-A", READER.auth_password)
                how = (*user, "-x", "AES", "-X", READER.priv_password, "-Oqv")
                found = await run("snmpgetnext", *how, agent.service.address, ".".join(map(str, PROGRAM_TITLE)))
                assert "A film" in found, "a manager that got no answer has asked again"

    asyncio.run(story())


def test_a_station_that_falls_silent_and_an_ingest_that_fails():
    told = []
    alarms = Alarms(Uptime(lambda: 0.0), told.append, wall=lambda: 0.0)
    tables = CenterTables(repository=None, presences=Presences(), home="home")
    center = CenterObjects(alarms, told.append, tables, lambda: 0.0)

    def shown(**facts):
        center.update(replace(FIGURES, **facts))
        names = [one.kind.name for one in told]
        told.clear()
        return names

    assert shown(came_back=(HOME, NORTH)) == ["msdStationHeard", "msdStationHeard"]
    assert shown() == []
    assert shown(fell_silent=(replace(NORTH, silent_ms=16_000),)) == ["msdStationSilent", "msaAlarmRaised"]
    assert shown() == []
    assert shown(came_back=(NORTH,)) == ["msdStationHeard", "msaAlarmCleared"]
    failed = IngestFigures(ingest="1", program="other", state="failed", cause="no video")
    assert shown(ingests=(failed,)) == ["msdIngestFailed"]
    assert shown(ingests=(failed,)) == []
    assert shown(registry_troubles={"writes": "its disk is full"}) == ["msaAlarmRaised"]
    assert shown(registry_troubles={"writes": "its disk is full", "copy": "an older one"}) == ["msaAlarmRaised"]
    assert [alarm.cause.text for alarm in alarms.active()] == ["its disk is full", "an older one"]
    assert shown(registry_troubles={"copy": "an older one"}) == ["msaAlarmCleared"]


def test_a_registry_that_takes_nothing_is_told_until_it_does(tmp_path, monkeypatch):
    async def story():
        async with center_in(tmp_path) as center:

            async def full(writes):
                return [RepositoryFailed("registry.sqlite", "its disk is full") for _ in writes]

            with monkeypatch.context() as meanwhile:
                meanwhile.setattr(center.store.store, "commit", full)
                with pytest.raises(RepositoryFailed):
                    await center.store.publish_program("film", 1)
                troubles = (await center.view.figures()).registry_troubles
                assert troubles == {"writes": "Nothing can be written: the registry registry.sqlite: its disk is full."}
            await center.add(0, 1)
            assert (await center.view.figures()).registry_troubles == {}

    asyncio.run(story())


def test_who_falls_silent_and_comes_back_is_told_once(tmp_path, monkeypatch):
    async def story():
        async with center_in(tmp_path) as center:
            loop, moment = asyncio.get_running_loop(), [1000.0]
            monkeypatch.setattr(loop, "time", lambda: moment[0])

            async def seen():
                figures = await center.view.figures()
                return (
                    [one.station for one in figures.fell_silent],
                    [one.station for one in figures.came_back],
                    figures.silent,
                )

            assert await seen() == ([], [], 0), "known from before the center started"
            moment[0] += 20.0
            center.presences.miss(["north"], moment[0] - 16.0)
            assert await seen() == (["north"], [], 1), "it has not spoken since"
            assert (await center.view.tables.station("north")).silent_ms == 16_000
            moment[0] += 1.0
            for name in ("north", "home"):
                heard(center.presences, name, moment[0])
            assert await seen() == ([], ["home", "north"], 0)
            assert await seen() == ([], [], 0)
            moment[0] += 10.0
            heard(center.presences, "home", moment[0])
            assert await seen() == ([], [], 0)
            moment[0] += 6.0
            assert await seen() == (["north"], [], 1)
            assert await seen() == ([], [], 1)
            heard(center.presences, "north", moment[0])
            assert await seen() == ([], ["north"], 0)
            assert (await center.view.tables.station("north")).silent_ms == 0
            assert (await center.view.tables.stations((1,), 9))[0][1].number == 2
            assert await center.view.tables.station("none") is None

    asyncio.run(story())
