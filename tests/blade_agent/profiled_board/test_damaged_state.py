"""Whatever befalls the files of a blade's controller, the blade is there, and it is said once for each file."""

import asyncio
import logging
from pathlib import Path

import pytest

from blade_agent.backplane.messages.device import GET_SELF_TEST_RESULTS, SelfTest
from tests.damages import DAMAGES as ALL_DAMAGES
from tests.damages import absurd

KEPT = ("events", "fru", "power")
# An inventory is written in pieces, between which it makes no sense: it has a checksum, and no grammar.
DAMAGES = {name: damage for name, damage in ALL_DAMAGES.items() if damage is not absurd}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("before", [True, False], ids=["the one before is whole", "nothing is whole"])
def test_a_blade_begins_with_what_is_left(emulated, play, caplog, damage, before):
    state = emulated.folder / "state"

    async def keep():
        async with emulated.running():
            kept = emulated.blade._kept
            for file in (kept.fru, kept.power, kept.events):
                for _ in range(2):
                    file.keep(file.read() or (emulated.cbc.blade.fru.image if file is kept.fru else b"{}"))
                    await file.settle()

    play(keep())
    for name in KEPT:
        damage(state / name)
        if not before:
            damage(state / f"{name}.before")
    caplog.clear()

    async def begin():
        async with emulated.running():
            await asyncio.sleep(1)
            assert emulated.ask(GET_SELF_TEST_RESULTS) == SelfTest(0x55, 0)
            assert emulated.cbc.blade.log.records

    play(begin())
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [Path(line.split()[0]).name for line in said if "set aside as" in line] == list(KEPT)
    assert len(said) == len(KEPT), said
    caplog.clear()
    play(begin())
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
