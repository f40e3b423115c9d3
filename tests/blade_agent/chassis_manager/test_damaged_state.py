"""Whatever befalls the files of a chassis manager, the station has a director, and it is said once for each file."""

import asyncio
import logging
from pathlib import Path

import pytest

from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.role import Role
from blade_agent.backplane.udp_line import udp_listener
from blade_agent.chassis_manager.keeping.epoch_file import keep_epoch, read_epoch
from blade_agent.chassis_manager.keeping.journal import Hold, Journal, SlotEntry, journal_octets, read_journal
from blade_agent.chassis_manager.settings import UdpPeer
from media_network.durable_file import DurableFile
from tests.blade_agent.chassis_manager.test_manager import directed_by, managed, settings_of
from tests.damages import DAMAGES
from tests.patience import until

KEPT = ("epoch", "journal.json", "events")


@pytest.fixture
def chassis(make_blade, tmp_path):
    """Tell a story of a chassis of two blades."""

    def tell(story):
        async def run():
            wires = {slot: await udp_listener("127.0.0.1", 0) for slot in (1, 2)}
            settings = settings_of(tmp_path, {slot: UdpPeer(address=str(wire.address)) for slot, wire in wires.items()})
            blades = {slot: make_blade(slot, boot_id=slot) for slot in wires}
            for slot, blade in blades.items():
                blade.serve_backplane(wires[slot], Rmcp())
            await story(settings, blades)
            for blade in blades.values():
                blade.close()

        asyncio.run(run())

    return tell


def epoch_beside_its_writer(folder):
    """What is kept while a manager may be keeping the next: only the manager may read with `read_epoch`."""
    try:
        return int((folder / "epoch").read_bytes().split()[0])
    except FileNotFoundError:
        return None


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("before", [True, False], ids=["the one before is whole", "nothing is whole"])
def test_blades_at_work_go_on_and_say_which_epoch_is_theirs(chassis, tmp_path, caplog, damage, before):
    keep_epoch(tmp_path / "epoch", 40)

    async def story(settings, blades):
        async with managed(settings):
            await until(lambda: directed_by(blades, 1))
        assert read_epoch(tmp_path / "epoch") == 41
        at_work = {slot: blade.board.assignment for slot, blade in blades.items()}
        for name in KEPT:
            files = [tmp_path / name, tmp_path / f"{name}.before"]
            assert files[0].exists() or name == "journal.json"
            for file in files[: 1 if before else 2]:
                if file.exists():
                    damage(file)
        caplog.clear()
        async with managed(settings, seed=2) as manager:
            await until(lambda: [slot.role for slot in manager.snapshot()] == [Role.DIRECTOR, Role.ENGINE])
            await until(lambda: 41 <= manager.state().epoch == epoch_beside_its_writer(tmp_path))
            await until(lambda: directed_by(blades, 1))
            assert {blade.board.assignment.epoch for blade in blades.values()} == {manager.state().epoch}
            if not before:
                assert {slot: blade.board.assignment for slot, blade in blades.items()} == at_work
        said = warnings(caplog)
        assert all("set aside as" in line for line in said), said
        assert sorted(Path(line.split()[0]).name for line in said) == sorted(
            name for name in KEPT if list(tmp_path.glob(f"{name}.damaged-*"))
        )
        assert "epoch" in {Path(line.split()[0]).name for line in said}

    chassis(story)


def test_where_nobody_knows_the_epoch_that_was_lost_another_is_not_given_twice(chassis, tmp_path):
    """Blades that were off know none. The damaged file held 41 at least, and its director may be known elsewhere."""
    for epoch in (40, 41):
        keep_epoch(tmp_path / "epoch", epoch)
    (tmp_path / "epoch").write_bytes(b"")

    async def story(settings, blades):
        async with managed(settings):
            await until(lambda: directed_by(blades, 1))
        assert read_epoch(tmp_path / "epoch") == 42

    chassis(story)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_was_ordered_before_is_still_known(tmp_path, damage):
    held = Journal(slots={3: SlotEntry(hold=Hold.ORDER)})
    file = DurableFile(tmp_path / "journal.json", read_journal, rebuilt="")
    for journal in (held, held.changed(4, SlotEntry(hold=Hold.HEAT))):
        file.keep(journal_octets(journal))
    damage(file.path)
    assert file.read().value == held
