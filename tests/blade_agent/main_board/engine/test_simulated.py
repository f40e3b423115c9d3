"""The same engines in virtual time: long programs, and the same run again from the same seed."""

import asyncio
import random
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.engine import EngineDuty, run_engine
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
from media_network.address import Address
from media_network.messages.streaming import StopCause, Stopped
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    Console,
    begin,
    hand_over,
    make_segments,
    media_of,
    preload,
    put,
    scripted,
    segment_of,
)

ENGINES = [Address(f"127.1.1.{slot}", 8081) for slot in (2, 3, 4)]
CONSOLE = ("127.1.200.1", 5000)
RATE_BPS = 400_000
SEGMENTS = 12
STORY_S = 80.0


def play(seed: int):
    """Play a program of a minute over three engines; returns what the console heard, when, and the trace."""
    data = make_segments(SEGMENTS, packets=1330)
    segments = [segment_of(number, each) for number, each in enumerate(data)]
    heard, told = [], []

    async def be_engine(address, disk, slot):
        store = await SegmentStore.open(disk, [Path("/channel")])
        for number, each in enumerate(data):
            if number % 3 == slot - 2:
                await put(store, CUT, number, each)
        duty = EngineDuty(
            slot=slot,
            address=address,
            media=media_of(address),
            director=Address("127.1.1.1", 8081),
            epoch=EPOCH,
            capacity_bps=10**8,
            allow_elsewhere=True,
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(STORY_S):
                await run_engine(duty, store, Catalogue(disk, Path("/channel/.catalogue")), random.Random(slot))
        store.close()

    async def be_director():
        async with scripted(address=Address("127.1.1.1", 8081), interval_ms=1000, lease_ms=4000) as director:
            for number in range(1, SEGMENTS):
                director.plan[number] = [hand_over(number + 1, ENGINES[number % 3], segments[number])]
            await asyncio.sleep(1.0)
            await begin(director, ENGINES[0], preload("s", 1, segments[0], "{}:{}".format(*CONSOLE), RATE_BPS))
            await asyncio.sleep(STORY_S)
            told.extend(director.of(Stopped))

    class TimedConsole(Console):
        def datagram_received(self, data, addr):
            heard.append((asyncio.get_running_loop().time(), data, addr[0]))

    async def be_console():
        await asyncio.get_running_loop().create_datagram_endpoint(TimedConsole, local_addr=CONSOLE)

    with Simulation(seed) as simulation:
        for slot, address in enumerate(ENGINES, start=2):
            host = simulation.host(address.host)
            disk = simulation.disk(f"channel {slot}", host, Path("/channel"))
            simulation.start(host, lambda address=address, disk=disk, slot=slot: be_engine(address, disk, slot))
        simulation.start(simulation.host("127.1.1.1"), be_director)
        simulation.start(simulation.host(CONSOLE[0]), be_console)
        simulation.run(STORY_S + 10.0)
        return data, heard, told, simulation.trace_hash


def test_a_long_stream_keeps_its_rate_over_many_hand_overs():
    data, heard, told, _ = play(1)
    assert [each.cause for each in told] == [StopCause.END_OF_PROGRAM]
    assert b"".join(datagram for _, datagram, _ in heard) == b"".join(data)
    hosts = [host for _, _, host in heard]
    assert sum(one != other for one, other in pairwise(hosts)) == SEGMENTS - 1
    lasted_s = heard[-1][0] - heard[0][0]
    nominal_s = sum(map(len, data)) * 8 / RATE_BPS
    assert abs(lasted_s - nominal_s) < 0.01 * nominal_s
    gaps_s = [after - before for (before, *_), (after, *_) in pairwise(heard)]
    assert max(gaps_s) < 0.2


def test_the_same_seed_is_the_same_run():
    assert play(2)[3] == play(2)[3]
