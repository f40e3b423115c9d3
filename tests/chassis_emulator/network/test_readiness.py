"""When `up` may say that a station serves: what its director believes and what its blades say of themselves."""

import asyncio
import os
import socket
from pathlib import Path
from random import Random

from msgspec import Struct

from blade_agent.backplane.role import Role
from chassis_emulator.network.launch import describe_missing
from chassis_emulator.network.readiness import look
from chassis_emulator.processes.nursery_client import NurseryClient
from chassis_emulator.processes.processes import Process, Processes, ProcessPlace
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import Center, StationTopology, Topology
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.registry import LIST_STATIONS, StationRow, Stations
from media_network.messages.watching import ASK_STATION, EngineView, StationView
from media_network.status import ProcessStatus, write_status
from tests.addresses import network_number


def blade_process(blade, role):
    """A process that lives, and what it says of itself."""
    blade.state.mkdir(parents=True)
    status = ProcessStatus(pid=os.getpid(), role=role, state="ready", epoch=1, control=str(blade.address))
    write_status(blade.state, status)
    place = ProcessPlace(role="blade", station=blade.station, slot=blade.slot, host=blade.address.host)
    return Process(blade.name, place, "blade", Struct(), blade.state, Path(os.devnull), pid=os.getpid())


def server_process(server, state):
    """An authentication server that says it is in that state."""
    server.state.mkdir(parents=True)
    write_status(server.state, ProcessStatus(pid=os.getpid(), role="authentication", state=state))
    place = ProcessPlace(role="authentication", station=None, slot=None, host=server.address.host)
    return Process(server.name, place, "authentication", Struct(), server.state, Path(os.devnull), pid=os.getpid())


def lacks(folder, role, server=None):
    """What a station of two lacks whose director and center believe in an engine at slot 2, which says it is `role`.

    `server`: the state of the network's authentication server; None: it has none.
    """
    north = StationTopology(name="north", slots=2)
    topology = Topology(
        network=network_number(),
        name="lab",
        center=Center(name="main", home="north"),
        stations=(north,),
        authentication=server is not None,
    )
    plan = plan_network(topology, folder)
    director, engine = plan.blades
    believed = EngineView(
        slot=2,
        engine=str(engine.address),
        media=str(engine.media),
        load_bps=0,
        capacity_bps=1,
        streams=0,
        segments=0,
    )
    row = StationRow(
        station="north",
        director=str(director.address),
        media=str(director.media),
        epoch=1,
        engines=1,
        programs=0,
        home=True,
        silent_ms=0,
    )

    async def view(_):
        return StationView(station="north", epoch=1, engines=(believed,))

    async def rows(_):
        return Stations((row,))

    async def ask():
        directing, registering = HandlerTable("a director"), HandlerTable("a center")
        directing.verb(ASK_STATION, view)
        registering.verb(LIST_STATIONS, rows)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, ours:
            async with (
                serve(directing, director.address),
                serve(registering, plan.center.address),
                HttpClient(Random(1)) as http,
            ):
                lives = [blade_process(director, Role.DIRECTOR), blade_process(engine, role)]
                lives += [server_process(plan.authentication, server)] if server else []
                return describe_missing(await look(http, plan, Processes(lives, NurseryClient(ours))))

    return asyncio.run(ask())


def test_a_station_serves_when_its_engine_is_one(tmp_path):
    assert lacks(tmp_path, Role.ENGINE) == []


def test_a_blade_that_came_back_and_has_no_role_yet_does_not_serve_whatever_its_director_believes(tmp_path):
    assert lacks(tmp_path, Role.UNASSIGNED) == ["north has 0 of 1 engines"]


def test_a_network_that_asks_for_tokens_serves_when_somebody_issues_them(tmp_path):
    assert lacks(tmp_path / "before", Role.ENGINE, "starting") == ["the authentication server does not serve"]
    assert lacks(tmp_path / "after", Role.ENGINE, "serving") == []
