"""What an engine and its store count, against the events that move it."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.engine import EngineDuty, open_engine
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.errors import NotHeld
from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.http.server import serve_ports
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    PROGRAM,
    TABLE,
    Console,
    begin,
    make_segments,
    media_of,
    preload,
    put,
    scripted,
    segment_of,
)

ENGINE, DIRECTOR = Address("127.1.1.2", 8081), Address("127.1.1.1", 8081)
CONSOLE = ("127.1.200.1", 5000)
RATE_BPS = 400_000
HANG_AT_S, HANG_S, END_S = 6.0, 0.5, 30.0
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "remove", "lose", "vanish", "reopen"]), st.integers(0, 1), st.integers(0, 3)),
    max_size=12,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=[("put", 0, 3), ("lose", 0, 3), ("vanish", 0, 3)])
def test_a_store_tells_what_it_holds_whatever_came_and_went(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("store")
    folders = [folder / "a", folder / "b"]
    data = make_segments(4, packets=3)

    async def story():
        store = await SegmentStore.open(DiskFiles(), folders)
        expected = {}
        for step, program, number in steps:
            key = SegmentKey(Cut(f"{PROGRAM}-{program}", TABLE.sha256), number)
            if step == "put":
                await put(store, *key, data[number])
                expected[key] = len(data[number])
            elif step == "reopen":
                store.close()
                store = await SegmentStore.open(DiskFiles(), folders)
            elif key in expected and step == "remove":
                await store.let_go(key.cut, [key.number])
                del expected[key]
            elif key in expected and step == "lose":
                store.lose(key)
                await put(store, *key, data[number])
            elif key in expected and step == "vanish":
                [path] = (path for path in folder.rglob("*") if path.is_file() and _is(path, key, len(data[number])))
                path.unlink()
                del expected[key]
                with suppress(NotHeld):
                    (await store.read(*key)).close()
            shown = store.figures()
            assert sum(channel.segments for channel in shown) == len(expected)
            assert sum(channel.stored_bytes for channel in shown) == sum(expected.values())
            assert frozenset().union(*(channel.programs for channel in shown)) == {key.cut.program for key in expected}
        store.close()

    asyncio.run(story())


def _is(path, key, length):
    return path.parent.name == f"{key.cut.program}.{key.cut.table}" and path.stat().st_size == length


def test_batches_that_leave_late_are_counted_and_no_others():
    """An engine that hung for half a second sends what was due for longer than a tick; then it is in time again."""
    [data] = make_segments(1, packets=3000)
    late, received = [], []

    async def be_engine(disk):
        store = await SegmentStore.open(disk, [Path("/channel")])
        await put(store, CUT, 0, data)
        media = media_of(ENGINE)
        duty = EngineDuty(
            slot=2,
            address=ENGINE,
            media=media,
            director=DIRECTOR,
            epoch=EPOCH,
            capacity_bps=10**8,
            allow_elsewhere=True,
        )
        catalogue = Catalogue(disk, Path("/channel/.catalogue"))
        async with (
            open_engine(duty, store, catalogue, random.Random(2), EngineCounters()) as engine,
            serve_ports(engine.table(), control=ENGINE, media=media),
        ):
            running = asyncio.create_task(engine.run())
            for moment in (HANG_AT_S - 0.5, HANG_AT_S + HANG_S + 0.5, END_S):
                await asyncio.sleep(moment - asyncio.get_running_loop().time())
                late.append((engine.counters.push_late, engine.counters.push_bytes))
            running.cancel()
            await asyncio.wait([running])
        store.close()

    async def be_director():
        async with scripted(address=DIRECTOR, interval_ms=1000, lease_ms=4000) as director:
            await asyncio.sleep(1.0)
            await begin(director, ENGINE, preload("s", 1, segment_of(0, data), "{}:{}".format(*CONSOLE), RATE_BPS))
            await asyncio.sleep(END_S)

    async def be_console():
        _, console = await asyncio.get_running_loop().create_datagram_endpoint(Console, local_addr=CONSOLE)
        received.append(console)

    with Simulation(1) as simulation:
        host = simulation.host(ENGINE.host)
        disk = simulation.disk("channel", host, Path("/channel"))
        simulation.start(host, lambda: be_engine(disk))
        simulation.start(simulation.host(DIRECTOR.host), be_director)
        simulation.start(simulation.host(CONSOLE[0]), be_console)
        simulation.run(HANG_AT_S)
        go_on = simulation.hang(host)
        simulation.run(HANG_AT_S + HANG_S)
        go_on()
        simulation.run(END_S + 1.0)

    (before, some), (after, _), (at_the_end, everything) = late
    assert before == 0 < some
    assert 1 <= after <= 4
    assert at_the_end == after
    assert everything == len(data)
    assert received[0].received == data
