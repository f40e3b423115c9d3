"""A daemon whose parts are small: they enlist, register and serve as the real ones do, and store and stream nothing.

Run as a script by the tests of the machinery; whatever the machinery asks of a part is real here: processes, loopback
addresses, messages, status files.
"""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

import msgspec

from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.settings import BladeSettings
from chassis_emulator.network.daemon import run_daemon
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.processes.parts import ProcessPart
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages import enlisting, registry, watching
from media_network.messages.holdings import Holdings
from media_network.status import ProcessStatus, write_status


async def run_center(settings: CenterSettings, rng: random.Random) -> None:
    rows: dict[str, registry.StationRow] = {}

    async def register(message: registry.RegisterStation) -> registry.StationRegistered:
        facts = {key: getattr(message, key) for key in ("station", "director", "media", "epoch", "engines")}
        rows[message.station] = registry.StationRow(**facts, programs=0, home=False, silent_ms=0)
        return registry.StationRegistered(media=message.media, newest=0, now_ms=0, generation=0)

    async def stations(_: registry.ListStations) -> registry.Stations:
        return registry.Stations(tuple(rows.values()))

    table = HandlerTable("center")
    table.verb(registry.REGISTER_STATION, register)
    table.verb(registry.LIST_STATIONS, stations)
    async with serve(table, Address(settings.address, settings.control_port)):
        await asyncio.Event().wait()


async def run_blade(settings: BladeSettings, rng: random.Random) -> None:
    ours = Address(settings.address, settings.control_port)
    state = Path(settings.state)
    _count_start(state)
    async with HttpClient(rng, settings.address) as client:
        if settings.slot == 1:
            await _direct(client, ours, state, settings)
        else:
            await _enlist(client, ours, state, settings)


def _count_start(state: Path) -> None:
    starts = state / "starts"
    starts.write_text(str(int(starts.read_text()) + 1 if starts.exists() else 1))
    if (state / "fail").exists():
        raise RuntimeError("told to fail")
    if (state / "hang").exists():
        signal.pause()


async def _direct(client: HttpClient, ours: Address, state: Path, settings: BladeSettings) -> None:
    network = ours.host.split(".")[1]
    station = state.parent.parent.name
    engines: dict[str, watching.EngineView] = {}

    async def enlist(message: enlisting.Enlist) -> enlisting.Enlisted:
        engines[message.engine] = watching.EngineView(
            slot=message.slot,
            engine=message.engine,
            media=message.media,
            load_bps=0,
            capacity_bps=1,
            streams=0,
            segments=0,
        )
        return enlisting.Enlisted(ticket_key="00", media=_media(settings), report_interval_ms=500, lease_ms=1000)

    async def ask(_: watching.AskStation) -> watching.StationView:
        return watching.StationView(station=station, epoch=1, engines=tuple(engines.values()))

    table = HandlerTable("director")
    table.verb(enlisting.ENLIST, enlist)
    table.verb(watching.ASK_STATION, ask)
    async with serve(table, ours):
        _tell(state, "director", settings)
        while True:
            registration = registry.RegisterStation(
                station=station, director=str(ours), media=_media(settings), epoch=1, engines=len(engines), heard=0
            )
            await client.tell(Address(f"127.{network}.0.1", 8081), registry.REGISTER_STATION, registration)
            await asyncio.sleep(0.1)


async def _enlist(client: HttpClient, ours: Address, state: Path, settings: BladeSettings) -> None:
    async with serve(HandlerTable("engine"), ours):
        _tell(state, "engine", settings)
        first = Address(ours.host.rpartition(".")[0] + ".1", 8081)
        message = enlisting.Enlist(
            slot=settings.slot,
            engine=str(ours),
            media=_media(settings),
            boot="1",
            epoch=1,
            capacity_bps=1,
            holdings=Holdings(holdings=()),
        )
        while True:
            await client.tell(first, enlisting.ENLIST, message)
            await asyncio.sleep(0.2)


def _media(settings: BladeSettings) -> str:
    return str(Address(settings.address, settings.media_port))


def _tell(state: Path, role: str, settings: BladeSettings) -> None:
    status = ProcessStatus(
        pid=os.getpid(),
        role=role,
        state="ready",
        epoch=1,
        control=str(Address(settings.address, settings.control_port)),
        media=_media(settings),
        service_port=settings.backplane,
    )
    write_status(state, status)


async def run_manager(settings: ManagerSettings, rng: random.Random) -> None:
    print(f"managing {sorted(settings.slots)} of {settings.station}")
    await asyncio.Event().wait()


STAND_INS: dict[str, ProcessPart[msgspec.Struct]] = {
    "center": ProcessPart(CenterSettings, run_center),
    "manager": ProcessPart(ManagerSettings, run_manager),
    "blade": ProcessPart(BladeSettings, run_blade),
}


def load_parts(state: Path) -> dict[str, ProcessPart[msgspec.Struct]]:
    """Takes as long as there is a file `hold` beside the state folder, for a test that wants to come in between."""
    while state.with_name("hold").exists():
        time.sleep(0.01)
    return STAND_INS


if __name__ == "__main__":
    state_folder = Path(sys.argv[1])
    run_daemon(StateFolder(state_folder), lambda: load_parts(state_folder))
