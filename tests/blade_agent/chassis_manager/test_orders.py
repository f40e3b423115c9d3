"""Orders to a chassis manager: a real process, its UNIX socket, the commands that people type, and kill -9."""

import asyncio
import contextlib
import json
import signal
import sys
from pathlib import Path

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.udp_line import udp_listener
from blade_agent.cbc.hardware import BoardAction
from blade_agent.chassis_manager.orders import CHASSIS, DEACTIVATE, EVENTS, AskChassis, AskEvents, DeactivateBlade
from media_network.local_orders import NobodyListens, OrderLost, send_order
from media_network.messages.verb import Done
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware
from tests.patience import PATIENCE_S

AGENT = Path(sys.executable).parent / "blade-agent"
SLOTS = (1, 2, 3)


class Rack:
    """Blades on a switched backplane in this process, and their manager in another."""

    def __init__(self, folder, make_blade):
        self.folder = folder
        self.socket = folder / "chassis.sock"
        self.make_blade = make_blade
        self.blades, self.hardware = {}, {}
        self.process = None

    async def open(self):
        wires = {slot: await udp_listener("127.0.0.1", 0) for slot in SLOTS}
        for slot, wire in wires.items():
            self.hardware[slot] = DeskHardware()
            self.blades[slot] = self.make_blade(slot, slot, hardware=self.hardware[slot])
            self.blades[slot].serve_backplane(wire, Rmcp())
        slots = "\n".join(f'[slots.{slot}]\ntype = "udp"\naddress = "{wire.address}"' for slot, wire in wires.items())
        (self.folder / "chassis.toml").write_text(
            f'station = "north"\nepoch_file = "{self.folder}/state/epoch"\norders = "{self.socket}"\n{slots}\n'
        )

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            AGENT, "manage", "--settings", self.folder / "chassis.toml", stderr=asyncio.subprocess.DEVNULL
        )

    async def kill(self):
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def command(self, *words):
        process = await asyncio.create_subprocess_exec(
            *(AGENT, "chassis", words[0], "--socket", self.socket, *map(str, words[1:])),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode, out.decode(), err.decode()

    async def order_out(self, slot):
        """Order a blade out; tell whether that was acknowledged."""
        with contextlib.suppress(NobodyListens, OrderLost):
            return isinstance(await send_order(self.socket, DEACTIVATE, DeactivateBlade(slot=slot)), Done)
        return False

    async def state(self):
        with contextlib.suppress(NobodyListens, OrderLost):
            return await send_order(self.socket, CHASSIS, AskChassis())
        return None

    async def until_told(self, after, condition):
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
        while asyncio.get_running_loop().time() < give_up_at:
            events = await send_order(self.socket, EVENTS, AskEvents(after))
            if condition(events.events):
                return
            await asyncio.sleep(0.02)
        pytest.fail("it never came about")

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                state = await self.state()
                if state is not None and condition(state):
                    return state
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def racked(folder, make_blade):
    rack = Rack(folder, make_blade)
    await rack.open()
    await rack.start()
    try:
        yield rack
    finally:
        await rack.kill()
        for blade in rack.blades.values():
            blade.close()


def in_service(*slots):
    return lambda state: [slot.slot for slot in state.slots if slot.hot_swap == "M4"] == list(slots)


@pytest.fixture
def rack(tmp_path, make_blade):
    return lambda: racked(tmp_path, make_blade)


def test_what_people_order_is_done_and_remembered_by_a_manager_that_was_killed(rack):
    async def story():
        async with rack() as here:
            await here.until(in_service(1, 2, 3))
            assert (await here.command("deactivate", 3))[0] == 0
            await here.kill()
            assert (await here.command("status"))[2].startswith(
                f"Error: no chassis manager takes orders at {here.socket}"
            )
            await here.start()
            await here.until(lambda state: in_service(1, 2)(state) and state.slots[2].hot_swap == "M1")
            assert here.blades[3].blade.hot_swap.state is HotSwapState.M1_INACTIVE
            assert (await here.command("power", 2, "off"))[0] == 0
            assert here.hardware[2].acted == [BoardAction.POWER_OFF]
            assert (await here.command("reset", 1))[0] == 0
            assert here.hardware[1].acted == [BoardAction.HARD_RESET]
            returned, _, error = await here.command("identify", 1, "--seconds", 3)
            assert (returned, "completion code D5h" in error, "Hint:" in error) == (1, True, True)
            returned, _, error = await here.command("power", 3, "on")
            assert (returned, error.splitlines()[0]) == (1, "Error: no blade is in service in slot 3")
            assert "this chassis has no slot 9" in (await here.command("activate", 9))[2]
            returned, out, _ = await here.command("status")
            assert "out of service by order" in out
            await here.until(lambda state: state.director == 1)
            shown = json.loads((await here.command("status", "--json"))[1])
            assert (shown["director"], shown["slots"][2]["wanted_in_service"]) == (1, False)
            assert (await here.command("activate", 3))[0] == 0
            await here.until(in_service(1, 2, 3))
            # The blade tells it in its own time: it may be in service before that is in the log.
            await here.until_told(0, lambda rows: any((row.slot, row.event) == (3, "M3 to M4") for row in rows))
            events = json.loads((await here.command("events", "--json"))[1])
            later = json.loads((await here.command("events", "--json", "--after", str(events["last"])))[1])
            assert later["events"] == []
            assert "slot 3" in (await here.command("events"))[1]

    asyncio.run(story())


@pytest.mark.parametrize("moment_s", [0.0, 0.002, 0.01, 0.05])
def test_a_manager_that_is_killed_while_it_is_given_an_order_forgets_nothing_that_it_acknowledged(rack, moment_s):
    async def story():
        async with rack() as here:
            await here.until(in_service(1, 2, 3))
            order = asyncio.create_task(here.order_out(2))
            await asyncio.sleep(moment_s)
            await here.kill()
            acknowledged = await order
            await here.start()
            state = await here.until(lambda state: {slot.hot_swap for slot in state.slots} in ({"M1", "M4"}, {"M4"}))
            assert acknowledged <= (not state.slots[1].wanted_in_service)
            if not state.slots[1].wanted_in_service:
                await here.until(in_service(1, 3))

    asyncio.run(story())


def test_blades_serve_on_and_their_events_are_not_lost_while_the_manager_is_away(rack):
    async def story():
        async with rack() as here:
            await here.until(in_service(1, 2, 3))
            before = (await send_order(here.socket, EVENTS, AskEvents())).last
            await here.kill()
            here.hardware[2].temperature.celsius = 75.0
            here.blades[2].settle()
            await here.start()
            await here.until(in_service(1, 2, 3))

            over = "at or above its upper non-critical threshold"
            await here.until_told(before, lambda rows: [row.event for row in rows if row.slot == 2].count(over) == 1)

    asyncio.run(story())
