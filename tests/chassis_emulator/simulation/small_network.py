"""A small network on aiohttp with all kinds of faults.

`python -m tests.chassis_emulator.simulation.small_network SEED ...` prints the trace hash of each run.

Each of four hosts serves what it has on its disk, fetches from the others in turn, pushes datagrams to its neighbour
and talks to it over a serial wire.
"""

import asyncio
import logging
import sys
import uuid
from pathlib import Path

import aiohttp
from aiohttp import web

from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import schedule
from chassis_emulator.simulation.simulation import Simulation
from media_network.http.client import LoopConnector

ADDRESSES = tuple(f"127.1.1.{slot}" for slot in (1, 2, 3, 4))
PORT = 8080
CONTENT = bytes(range(256)) * 1000
STORE = Path("/store")


class Blade:
    def __init__(self, simulation: Simulation, slot: int) -> None:
        self.address = ADDRESSES[slot]
        self.neighbour = ADDRESSES[slot - 1]
        self.simulation = simulation
        self.host = simulation.host(self.address)
        self.disk = simulation.disk(f"disk {slot}", self.host, STORE)
        self.rng = simulation.rng(f"blade {slot}")
        self.fetched = 0
        self.failed = 0
        self.heard = bytearray()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.serve())
            group.create_task(self.push())
            group.create_task(self.talk())
            for address in ADDRESSES:
                group.create_task(self.fetch(address))

    def store(self) -> None:
        file = self.disk.append(STORE / "partial")
        file.write(CONTENT)
        file.sync()
        file.close()
        self.disk.rename(STORE / "partial", STORE / "segment")
        self.disk.sync_folder(STORE)

    async def serve(self) -> None:
        application = web.Application()
        application.router.add_get("/segment", self.answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, self.address, PORT).start()
        await asyncio.Event().wait()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        try:
            if "segment" not in await loop.run_in_executor(None, self.disk.list_folder, STORE):
                await loop.run_in_executor(None, self.store)
            file = await loop.run_in_executor(None, self.disk.read, STORE / "segment")
            response = web.StreamResponse(headers={"Content-Length": str(len(CONTENT)), "X-Id": str(uuid.uuid4())})
            await response.prepare(request)
            assert request.transport
            await loop.sendfile(request.transport, file, 0, len(CONTENT))
        except ConnectionError:
            raise
        except OSError as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        return response

    async def fetch(self, address: str) -> None:
        timeout = aiohttp.ClientTimeout(total=3)
        async with aiohttp.ClientSession(connector=LoopConnector(), timeout=timeout) as session:
            while True:
                await asyncio.sleep(self.rng.uniform(0.1, 1))
                try:
                    async with session.get(f"http://{address}:{PORT}/segment") as response:
                        whole = await response.read() == CONTENT
                except (aiohttp.ClientError, TimeoutError):
                    self.failed += 1
                else:
                    self.fetched += whole

    async def push(self) -> None:
        loop = asyncio.get_running_loop()
        local, remote = (self.address, 5000), (self.neighbour, 5000)
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=local, remote_addr=remote
        )
        transport.get_extra_info("socket").setsockopt(17, 103, 1316)
        while True:
            await asyncio.sleep(0.5)
            transport.sendto(CONTENT[: 1316 * 10])

    async def talk(self) -> None:
        ours = self.simulation.wires[self.address].open(0)
        theirs = self.simulation.wires[self.neighbour].open(1)
        theirs.attach(self.heard.extend)
        while True:
            await asyncio.sleep(0.25)
            ours.write(b"\xa0the quick brown fox\xa5")


def tell(seed: int, duration_s: float = 20.0) -> tuple[Simulation, list[Blade]]:
    """Let it run; the simulation is closed."""
    with Simulation(seed) as simulation:
        wires = [simulation.wire(address).name for address in ADDRESSES]
        blades = [Blade(simulation, slot) for slot in range(len(ADDRESSES))]
        plan = FaultPlan(
            hosts=ADDRESSES,
            wires=tuple(wires),
            disks=tuple(simulation.disks),
            until_s=duration_s,
            kills_per_minute=6,
            power_cuts_per_minute=6,
            partitions_per_minute=6,
            bad_links_per_minute=12,
            noisy_wires_per_minute=6,
            cut_wires_per_minute=6,
            slow_disks_per_minute=6,
            failed_disks_per_minute=6,
        )
        schedule(simulation, plan.draw(simulation.rng("faults")))
        for blade in blades:
            simulation.start(blade.host, blade.run)
        simulation.run(until_s=duration_s)
    return simulation, blades


def summary(simulation: Simulation) -> str:
    """What must be the same in every run with a seed."""
    return f"{simulation.seed} {simulation.trace_hash} {simulation.trace.records} {simulation.loop.callbacks_run}"


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # aiohttp logs each connection that broke in its hands: here they all do
    for argument in sys.argv[1:]:
        print(summary(tell(int(argument))[0]))
