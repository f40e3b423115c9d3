"""A distribution center as net-snmp's tools see it, and what it tells."""

import asyncio
import random

import pytest
from msgspec.structs import replace

from distribution_center.center_figures import (
    CenterCounters,
    CenterFigures,
    IngestFigures,
    ProgramFigures,
    StationFigures,
)
from distribution_center.snmp.agent import center_snmp
from distribution_center.snmp.objects import CenterObjects
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.arcs import CENTER
from media_network.snmp.objects.times import Uptime
from tests.blade_agent.snmp.agents import READER, run, settings, until
from tests.mib_facts import MIBS, SMI

FILM = ProgramFigures(
    program="film",
    title="A film",
    published=True,
    segments=3,
    length_bytes=3_000_000,
    duration_ms=6500,
    rate_bps=4_000_000,
    held={"home": 3, "north": 1, "nowhere": 2},
)
HOME = StationFigures(station="home", home=True, director="127.0.0.1:80", epoch=1, engines=2, silent_ms=100)
NORTH = StationFigures(station="north", home=False, director="127.0.0.2:80", epoch=4, engines=3, silent_ms=100)
FIGURES = CenterFigures(
    name="center", home="home", programs=(FILM,), stations=(HOME, NORTH), counted=CenterCounters(registrations=7)
)
PROGRAM_TITLE = (*CENTER, 1, 3, 1, 3)


@pytest.mark.peer("snmpbulkwalk")
def test_programs_stations_and_where_the_programs_are(tmp_path):
    async def figures():
        return FIGURES

    async def story():
        async with center_snmp(settings(), "center", tmp_path, figures, rng=random.Random(3)) as agent:
            await until(lambda: len(agent.index.contexts[b""].type_of(PROGRAM_TITLE).rows))
            user = ("-v3", "-l", "authPriv", "-u", READER.user, "-a", "SHA-256", "-A", READER.auth_password)
            how = (*user, "-x", "AES", "-X", READER.priv_password, "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-OQs")
            return await run("snmpbulkwalk", *how, agent.service.address, "mediaStationCenterMIB")

    written = asyncio.run(story()).replace('"', "")
    for line in (
        "msdName.0 = center",
        "msdLocations.0 = 4 segments",
        "msdRegistrations.0 = 7 messages",
        "msdFullReports.0 = 0 messages",
        "msdProgramTitle.1 = A film",
        "msdProgramStations.1 = 1 stations",
        "msdStationName.2 = north",
        "msdStationPrograms.1 = 1 programs",
        "msdLocationSegments.1.2 = 1 segments",
    ):
        assert line in written


def test_a_station_that_falls_silent_and_an_ingest_that_fails():
    told = []
    alarms = Alarms(Uptime(lambda: 0.0), told.append, wall=lambda: 0.0)
    center = CenterObjects(alarms, told.append)

    def shown(figures):
        center.update(figures)
        names = [one.kind.name for one in told]
        told.clear()
        return names

    assert shown(FIGURES) == ["msdStationHeard", "msdStationHeard"]
    assert shown(FIGURES) == []
    silent = replace(FIGURES, stations=(HOME, replace(NORTH, silent_ms=16_000)))
    assert shown(silent) == ["msdStationSilent", "msaAlarmRaised"]
    assert shown(silent) == []
    assert shown(FIGURES) == ["msdStationHeard", "msaAlarmCleared"]
    never = replace(NORTH, station="south", silent_ms=None)
    assert shown(replace(FIGURES, stations=(HOME, NORTH, never))) == [], "known from before the center started"
    failed = IngestFigures(ingest="1", program="other", state="failed", cause="no video")
    assert shown(replace(FIGURES, ingests=(failed,))) == ["msdIngestFailed"]
    assert shown(replace(FIGURES, ingests=(failed,))) == []
