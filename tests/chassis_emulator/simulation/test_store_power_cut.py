"""The real segment store on a simulated disk: what it says is stored is there after every power cut."""

import hashlib
import random
from pathlib import Path

from blade_agent.main_board.engine.store.errors import WrongContent
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
from media_network.cut import Cut
from media_network.packets import TS_PACKET_BYTES
from media_network.segment_table import Segment

CUT = Cut("clip", "0" * 64)
CHANNELS = Path("/channels/0"), Path("/channels/1")
PIECE_BYTES = 20_000


def make_segment(number: int) -> tuple[Segment, bytes]:
    content = random.Random(number).randbytes(TS_PACKET_BYTES * (100 + 50 * (number % 7)))
    digest = hashlib.sha256(content).hexdigest()
    return Segment(number=number, length_bytes=len(content), duration_ticks=90_000, sha256=digest), content


class Engine:
    """Receives one segment after the other, and checks at each boot that it has what it said it has."""

    def __init__(self, simulation: Simulation) -> None:
        self.host = simulation.host("127.1.1.2")
        self.disk = simulation.disk("disk", self.host, Path("/channels"))
        self.acknowledged: set[int] = set()
        self.resumed = 0
        self.spoilt = 0
        self.checks = 0

    async def run(self) -> None:
        for folder in CHANNELS:
            self.disk.make_folder(folder)
        self.disk.sync_folder(Path("/channels"))
        store = await SegmentStore.open(self.disk, CHANNELS)
        await self.check(store)
        number = 0
        while True:
            segment, content = make_segment(number)
            while not store.holds(CUT, segment):
                await self.receive(store, segment, content)
            number += 1

    async def receive(self, store: SegmentStore, segment: Segment, content: bytes) -> None:
        try:
            async with store.receive(CUT, segment) as reception:
                self.resumed += reception.resumed_bytes > 0
                while reception.length_bytes < len(content):
                    start = reception.length_bytes
                    await reception.write(content[start : start + PIECE_BYTES])
                await reception.store()
        except WrongContent:  # a power cut left zeros in what a reception had written: it is to begin anew
            self.spoilt += 1
        else:
            self.acknowledged.add(segment.number)

    async def check(self, store: SegmentStore) -> None:
        held = set(store.numbers(CUT))
        assert self.acknowledged <= held
        for number in sorted(held):
            segment, content = make_segment(number)
            stored = await store.read(CUT, number)
            buffer = bytearray(segment.length_bytes)
            await stored.read_into(0, memoryview(buffer))
            stored.close()
            assert bytes(buffer) == content
        self.checks += len(held)


def live_through(seed: int) -> Engine:
    with Simulation(seed) as simulation:
        engine = Engine(simulation)
        simulation.start(engine.host, engine.run)
        rng = simulation.rng("power cuts")
        for _ in range(8):
            simulation.run(until_s=simulation.loop.time() + rng.uniform(0.01, 0.5))
            simulation.power_cut(engine.host)
            simulation.restart(engine.host)
        simulation.run(until_s=simulation.loop.time() + 0.5)
    return engine


def test_no_acknowledged_segment_is_lost_and_none_is_wrong():
    engines = [live_through(seed) for seed in range(12)]
    assert all(engine.checks for engine in engines)
    assert any(engine.resumed for engine in engines)
    assert any(engine.spoilt for engine in engines)
