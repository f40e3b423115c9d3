"""OpenIPMI takes a shelf at its word: it gives up, and shows no hot swap, where a promised command is missing."""

import asyncio

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from tests.blade_agent.chassis_manager.lan.openipmi import OpenIpmi
from tests.patience import until

MANAGER, SLOT_2 = "shelf(r0.32.240.0)", "shelf(r0.132.160.0)"


@pytest.mark.peer("openipmish")
def test_openipmi_takes_the_chassis_for_a_shelf_and_moves_its_blades(board):
    async def story():
        async with board as running:
            shell = await OpenIpmi.open(running.server.address)
            blade = running.blades[2].blade
            shelf = await shell.shows("entity tree shelf", r"shelf\(23\.1\)")
            assert all(name in shelf for name in (MANAGER, "shelf(r0.130.160.0)", SLOT_2, "shelf(r0.134.160.0)"))
            told = await shell.shows(f"entity info {SLOT_2}", "Supports managed hot swap")
            assert "Hot swappable: true" in told
            assert "Supports managed hot swap: true" in told
            assert "Physical Slot: 2" in told
            assert "Value: 4.0" in await shell.shows(f'sensor get "{SLOT_2}.CPU temp"', "Value: ")
            await shell.shows("control get shelf(23.1).power_feeds", r"Num: 0\s+Value: 18\s+Value\s+Num: 1\s+Value: 18")
            await shell.shows(f"entity hs state {SLOT_2}", "State: active")
            await shell.tell(f"entity hs deactivate {SLOT_2}", "Deactivated:")
            await until(lambda: blade.hot_swap.state is HotSwapState.M1_INACTIVE)
            assert not running.manager.state().slots[1].wanted_in_service
            await shell.shows(f"entity hs state {SLOT_2}", "State: inactive")
            await shell.tell(f"entity hs activate {SLOT_2}", "Activated:")
            await until(lambda: blade.hot_swap.state is HotSwapState.M4_ACTIVE)
            await shell.shows(f"entity hs state {SLOT_2}", "State: active")
            # Whoever tells controllers where events go tells them 20h, which says that it takes events.
            receivers = {blade.blade.event_sender.receiver.address for blade in running.blades.values()}
            assert receivers == {0x20}
            await shell.close()

    asyncio.run(story())
