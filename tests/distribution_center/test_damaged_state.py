"""Whatever befalls the files of a center or a network management system, it begins, says so, and works."""

import asyncio
import contextlib
import logging
import os
import re

import pytest

from distribution_center.network_management import run
from distribution_center.network_management.history import History, Sample
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.http.parts import part_response
from media_network.http.server import serve
from media_network.messages.content import ProgramState
from media_network.messages.program_information import ASK_STATION_PROGRAM, PART_PATH
from media_network.messages.registry import REPORT_LOCATIONS, ReportLocations
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.damages import DAMAGES, absurd, another_text, flipped, gone
from tests.distribution_center.world import CONTENTS, ScriptedDirector, film
from tests.patience import PATIENCE_S, until

# A single bit inside a page is not seen: SQLite has no checksum. What breaks its own structure is.
WHOLE = {"a bit in the middle", "a bit in the last byte"}
DATABASE_DAMAGES = {name: damage for name, damage in DAMAGES.items() if name not in WHOLE and damage is not absurd}
DATABASE_DAMAGES |= {"absurd": another_text, "a page": flipped(0.5, 4096)}


HEARD = 7
"""Number of the newest change that the station has heard of."""


def complaints(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


class Keeper(ScriptedDirector):
    """A director that keeps the information of the programs that it serves."""

    def __init__(self, station, center, http, program):
        super().__init__(station, center, http)
        self.program = program
        self.taken = {(program.name, number): content for number, content in enumerate(CONTENTS)}

    def table(self):
        table = super().table()
        table.verb(ASK_STATION_PROGRAM, self._tell)
        table.resource(PART_PATH, self._part)
        return table

    async def register(self):
        return await super().register(media=str(self.address), heard=HEARD)

    async def _tell(self, message):
        return self.program.header if message.program == self.program.name else Refused(Reason.UNKNOWN_PROGRAM)

    async def _part(self, request):
        async def read(sha256):
            return self.program.segments.octets if sha256 == self.program.header.table else None

        return await part_response(request, read)

    async def keep_registered(self):
        """As a real one does: everything is said again to who knows less than it was told."""
        said = 0
        while True:
            registered = await self.register()
            if registered.generation < said or not said:
                self.generation = said = max(said, registered.generation) + 1
                report = ReportLocations(
                    station=self.station, epoch=self.epoch, generation=said, holdings=self.holdings()
                )
                assert await self.http.ask(self.center, REPORT_LOCATIONS, report) == Done()
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def keeping(world, program):
    """A station that holds all of a program."""
    director = Keeper("north", world.address, world.http, program)
    async with serve(director.table(), Address("127.0.0.1", 0)) as director.address:
        registering = asyncio.create_task(director.keep_registered())
        try:
            yield director
        finally:
            registering.cancel()
            await asyncio.wait([registering])


async def known_at_north(world):
    """The row of the film, as soon as the registry knows where it is."""
    while True:
        row = await world.row("film")
        if row and row.stations == {"north": 4}:
            return row
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("damage", [*DATABASE_DAMAGES.values(), gone], ids=[*DATABASE_DAMAGES, "gone"])
def test_a_registry_that_is_lost_is_told_again_by_the_stations(told, caplog, damage):
    published = film(published=True)

    async def story(world):
        await world.put_in_spool(published)
        async with world.center(), keeping(world, published):
            assert await known_at_north(world)
        path = world.folder / "registry.sqlite"
        damage(path)
        caplog.clear()
        async with world.center(), keeping(world, published):
            async with asyncio.timeout(PATIENCE_S):
                row = await known_at_north(world)
            assert row.state is ProgramState.PUBLISHED
            header = await world.repository.program("film")
            assert header.version > HEARD, "or no station would hear of it"
            assert f"heard of change {HEARD}" in world.repository.troubles["copy"]
        lines = [line for line in complaints(caplog) if str(path) in line]
        assert len(lines) == 1, complaints(caplog)
        assert "stations say again what they hold" in lines[0]
        caplog.clear()
        async with world.center(), keeping(world, published):
            assert await known_at_north(world)
        assert complaints(caplog) == []

    told(story)


def test_what_a_whole_registry_does_not_know_is_not_asked_for(told):
    """It may have been forgotten on purpose."""

    async def story(world):
        async with world.center(), keeping(world, film()) as north:
            await until(lambda: north.generation)
            await asyncio.sleep(0.3)
            assert await world.row("film") is None

    told(story)


def test_a_registry_that_never_was_says_nothing(tmp_path, caplog):
    asyncio.run(SqliteRepository.open(tmp_path / "registry.sqlite").close())
    assert complaints(caplog) == []


@pytest.mark.parametrize("damage", DATABASE_DAMAGES.values(), ids=DATABASE_DAMAGES)
def test_a_history_that_is_damaged_begins_anew(tmp_path, caplog, damage):
    path = tmp_path / "history.sqlite"

    def note():
        history = History(path)
        history.add([Sample("north/3", "temperature_c", "CPU", 40.0)], [], 1_767_225_600.0)
        points = history.graph("north/3", "temperature_c", 1_767_225_600.0, 1_767_225_700.0)["CPU"]
        history.close()
        return len(points)

    assert note() == 1
    damage(path)
    assert note() == 1
    assert len(complaints(caplog)) == (0 if damage is DAMAGES["empty"] else 1)
    assert ("history.sqlite.damaged-1" in os.listdir(tmp_path)) != (damage is DAMAGES["empty"])


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_token_that_is_damaged_is_another_one(tmp_path, caplog, damage):
    path = tmp_path / run.TOKEN_FILE
    first = run._once(path, "0123456789abcdef" * 3)
    assert run._once(path, "another") == first
    damage(path)
    token = run._once(path, "fedcba9876543210" * 3)
    assert run._once(path, "another") == token
    assert re.fullmatch("[0-9a-z]{16,}", token)
    if token != first:
        assert path.stat().st_mode & 0o777 == 0o600
        assert len(complaints(caplog)) <= 1
