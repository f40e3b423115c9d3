"""Program information survives what befalls the blade."""

import asyncio
import random
from pathlib import Path

import pytest

from blade_agent.main_board.catalogue import Catalogue
from chassis_emulator.simulation.simulation import Simulation
from media_network.files import DiskFiles
from media_network.program import ProgramState
from tests.blade_agent.main_board.director.stage import program_of
from tests.damages import DAMAGES

INACTIVE = program_of(state=ProgramState.INACTIVE)


async def opened(files, folder):
    catalogue = Catalogue(files, folder)
    await catalogue.load()
    return catalogue


def test_what_was_learnt_is_known_after_a_restart(tmp_path):
    async def story():
        folder = tmp_path / "catalogue"
        catalogue = await opened(DiskFiles(), folder)
        assert catalogue.get("film") is None
        await catalogue.learn([INACTIVE, program_of(name="epic")])
        assert (catalogue.get("film"), catalogue.published("film")) == (INACTIVE, None)
        await catalogue.learn([program_of()])
        again = await opened(DiskFiles(), folder)
        assert again.published("film") == program_of()
        assert again.published("epic") == program_of(name="epic")
        assert again.version is None  # it has to ask the center
        assert sorted(path.name for path in folder.iterdir()) == ["epic.json", "film.json"]

    asyncio.run(story())


@pytest.mark.parametrize("older", [Catalogue.meet, Catalogue.recall], ids=["an order", "another blade"])
def test_an_older_word_that_comes_while_a_newer_one_is_written_changes_nothing(tmp_path, older):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await asyncio.gather(catalogue.learn([program_of()]), older(catalogue, INACTIVE))
        assert catalogue.published("film") == program_of()
        assert (await opened(DiskFiles(), tmp_path)).published("film") == program_of()
        assert catalogue.changes == 1

    asyncio.run(story())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_costs_only_its_program_and_is_said(tmp_path, caplog, damage):
    async def story():
        catalogue = await opened(DiskFiles(), tmp_path)
        await catalogue.learn([program_of(), program_of(name="news")])
        damage(tmp_path / "film.json")
        again = await opened(DiskFiles(), tmp_path)
        assert again.get("film") is None
        assert again.published("news")
        assert len(caplog.records) == 1
        assert "film.json.damaged-1: the center, or another blade" in caplog.text
        await again.learn([program_of()])
        assert (await opened(DiskFiles(), tmp_path)).published("film")
        assert len(caplog.records) == 1

    asyncio.run(story())


def test_information_under_another_name_is_not_believed(tmp_path):
    async def story():
        await (await opened(DiskFiles(), tmp_path)).learn([program_of(name="news")])
        (tmp_path / "news.json").rename(tmp_path / "film.json")
        assert list(await opened(DiskFiles(), tmp_path)) == []

    asyncio.run(story())


def test_what_was_acknowledged_survives_every_power_cut():
    for seed in range(20):
        acknowledged, checks = {}, []

        with Simulation(seed) as simulation:
            host = simulation.host("127.1.1.1")
            disk = simulation.disk("state", host, Path("/state"))

            async def direct(disk=disk, acknowledged=acknowledged, checks=checks):
                catalogue = await opened(disk, Path("/state/catalogue"))
                for name, title in acknowledged.items():
                    checks.append(name)
                    assert int(catalogue.get(name).title) >= title
                rng, title = random.Random(len(checks)), max(acknowledged.values(), default=0)
                while True:
                    title += 1
                    program = program_of(name=rng.choice(["film", "epic", "news"]))
                    await catalogue.learn([type(program)(**{**_fields(program), "title": str(title)})])
                    acknowledged[program.program] = title

            simulation.start(host, direct)
            rng = simulation.rng("power cuts")
            for _ in range(6):
                simulation.run(until_s=simulation.loop.time() + rng.uniform(0.01, 0.3))
                simulation.power_cut(host)
                simulation.restart(host)
            simulation.run(until_s=simulation.loop.time() + 0.3)
        assert checks


def _fields(program):
    return {name: getattr(program, name) for name in program.__struct_fields__}
