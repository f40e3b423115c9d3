"""Chassis that are polled once a minute: what all their SNMP agents together take, in cores and in memory.

The agents are whole ones, in a process of their own: each with its socket, its engine, its chassis of 14 blades whose
temperatures move, and a context for each blade. A manager asks each, authenticated and encrypted, by GETBULK-25, for
what a management system graphs: slots, sensors, fans, supplies, states and alarms. It does so as fast as it can, and
the CPU of a round is what a minute of polling takes.
"""

import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from benchmarks.figure import Figure, show
from benchmarks.served import Control, served
from benchmarks.snmp_manager import SnmpManager, questions
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.hardware.reading import KnownReading, Quantity
from blade_agent.snmp.agent import manager_facts, manager_snmp
from blade_agent.snmp.sources import ChassisPicture, HardwareFigures, SensorFigures, SlotPicture, SupplyFigures
from chassis_emulator.processes.memory import pss_bytes
from media_network.address import Address
from media_network.snmp.ber import Oid
from media_network.snmp.objects.arcs import ALARM, CHASSIS, MIB_2
from media_network.snmp.pdu import PduType
from media_network.snmp.settings import CommunitySettings, UserSettings
from media_network.snmp.targets import AgentSettings

FLEETS = (100, 1_000)
SLOTS = 14
EVERY_S = 60.0
REPETITIONS = 25
PORT = 16_161
POLLED: tuple[Oid, ...] = (
    (*CHASSIS, 1),
    (*ALARM, 1),
    (*MIB_2, 47, 1, 1, 1, 1, 7),
    (*MIB_2, 99, 1, 1, 1, 4),
    (*MIB_2, 99, 1, 1, 1, 5),
    (*MIB_2, 131, 1, 1, 1, 3),
)
"""Our own objects, names of parts, values and states of sensors, and the states of parts."""
COMMUNITY = "walked"
USER = UserSettings(user="reader", auth_password="reader-secret", priv_password="reader-hidden")
BOUND_CORES = 1.0
BOUND_MIB = 2_048.0
"""Less than this is to be enough for 1,000, beside the interpreter itself."""
_AT_ONCE = 32
_MIB = 1 << 20


async def main() -> None:
    """Measure each fleet and print."""
    for count in FLEETS:
        async with served(SERVERS[count]) as fleet:
            memory_mib = pss_bytes(fleet.pid) / _MIB
            rounds = await asyncio.to_thread(prepare, count)
            await fleet.cost_s()
            await asyncio.to_thread(poll, rounds)
            spent_s = await fleet.cost_s()
            share = count / FLEETS[-1]
            named = f"{count:,} chassis polled by SNMPv3 every minute"
            show(
                Figure(
                    figure=named, value=spent_s / EVERY_S, unit="cores", peer=BOUND_CORES * share, peer_name="bound"
                ),
                Figure(
                    figure=f"memory of {count:,} agents in one process",
                    value=memory_mib,
                    unit="MiB",
                    peer=BOUND_MIB * share,
                    peer_name="bound",
                ),
            )
    sys.stdout.flush()


def address_of(number: int) -> Address:
    """Where the agent of a chassis answers."""
    return Address(f"127.68.{number // 250}.{number % 250 + 1}", PORT)


def prepare(count: int) -> list[tuple[SnmpManager, list[bytes]]]:
    """Write down what each agent is asked. All have the same objects; what is encrypted is good for two minutes."""
    names = SnmpManager(address_of(0), COMMUNITY, USER).walk(POLLED)
    asked = questions(PduType.GET_BULK, [POLLED[0], *names[REPETITIONS - 1 : -1 : REPETITIONS]], REPETITIONS)
    managers = [SnmpManager(address_of(number), COMMUNITY, USER) for number in range(count)]
    return [(manager, manager.secure(asked)) for manager in managers]


def poll(rounds: list[tuple[SnmpManager, list[bytes]]]) -> None:
    """Ask every agent for everything, once."""
    for manager, messages in rounds:
        manager.ask_all(messages, len(messages))


async def serve_fleet(count: int, control: Control) -> None:
    """So many agents."""
    room = asyncio.Semaphore(_AT_ONCE)
    with tempfile.TemporaryDirectory() as state:
        async with asyncio.TaskGroup() as tasks:
            ready = [asyncio.Event() for _ in range(count)]
            agents = [tasks.create_task(answer(number, Path(state), room, ready[number])) for number in range(count)]
            for event in ready:
                await event.wait()
            await control.report(address_of(0))
            for agent in agents:
                agent.cancel()


async def answer(number: int, state: Path, room: asyncio.Semaphore, ready: asyncio.Event) -> None:
    """Be the agent of a chassis until cancelled."""
    at, folder = address_of(number), state / str(number)
    folder.mkdir()
    settings = AgentSettings(
        host=at.host, port=at.port, users=(USER,), communities=(CommunitySettings(community=COMMUNITY),)
    )
    pictures = moving(number)
    opened = manager_snmp(
        settings,
        manager_facts(settings, f"station-{number}"),
        folder,
        lambda: next(pictures),
        slots=tuple(range(1, SLOTS + 1)),
        orders=None,
        rng=random.Random(number),
    )
    async with AsyncExitStack() as stack:
        async with room:
            await stack.enter_async_context(opened)
        ready.set()
        await asyncio.Event().wait()


def moving(number: int) -> Iterator[ChassisPicture]:
    """A chassis whose blades get warmer and cooler."""
    rng = random.Random(number)
    supplies = tuple(SupplyFigures(name=f"Supply {n}", capacity_w=250.0, works=True, output_w=90.0) for n in (1, 2))
    while True:
        yield ChassisPicture(
            station=f"station-{number}",
            epoch=1,
            director=1,
            slots=tuple(blade(slot, rng) for slot in range(1, SLOTS + 1)),
            budget_w=500.0,
            granted_w=168.0,
            hardware=HardwareFigures(sensors=(temperature("Inlet", rng),), supplies=supplies),
        )


def blade(slot: int, rng: random.Random) -> SlotPicture:
    """A blade at work."""
    return SlotPicture(
        slot=slot,
        hot_swap=HotSwapState.M4_ACTIVE,
        role=Role.DIRECTOR if slot == 1 else Role.ENGINE,
        epoch=1,
        main_board=MainBoardState.READY,
        address=Address(f"10.0.0.{slot}", 8080),
        boot_id=slot,
        granted_w=12.0,
        frame_faults=0,
        message_faults=0,
        hardware=HardwareFigures(sensors=(temperature("SoC temp", rng), temperature("Inlet temp", rng))),
    )


def temperature(name: str, rng: random.Random) -> SensorFigures:
    """A sensor with limits, as a chassis manager knows it."""
    reading = KnownReading(40.0 + rng.random() * 10)
    return SensorFigures(
        name=name, quantity=Quantity.TEMPERATURE, reading=reading, high_warning=70.0, high_critical=85.0
    )


SERVERS = {count: partial(serve_fleet, count) for count in FLEETS}


if __name__ == "__main__":
    asyncio.run(main())
