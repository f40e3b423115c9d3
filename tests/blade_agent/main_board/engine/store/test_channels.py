"""Independent I/O channels (claim 4): one that hangs is lost in a second, stalls no other, and comes back."""

import asyncio
import errno
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from blade_agent.main_board.engine.store import store as store_module
from blade_agent.main_board.engine.store.errors import ChannelFailed, NotHeld
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
from media_network.files import DiskFiles
from tests.blade_agent.main_board.engine.station import CUT, PROGRAM, inventory, make_segments, put, segment_of
from tests.blade_agent.main_board.engine.store.disks import Disks
from tests.blade_agent.main_board.engine.store.reading import read_all
from tests.patience import until

A, B = Path("/a"), Path("/b")
DATA = make_segments(4)
AGAIN_S = store_module._TRY_AGAIN_S + 1.0


def on_two_disks(story):
    """Play a story with a store on two disks, that holds segments 0 and 2 on one and 1 and 3 on the other."""
    with Simulation(1) as simulation:
        disks = Disks(simulation, simulation.host("127.1.1.2"), [A, B])

        async def tell():
            store = await SegmentStore.open(disks, [A, B])
            for number, data in enumerate(DATA):
                await put(store, CUT, number, data)
            where = {number: held.channel.folder for number, held in store._held[CUT].items()}
            assert where == {0: A, 1: B, 2: A, 3: B}, "each time to the one with more room"
            await story(store, disks.of[A], disks.of[B])

        simulation.run_until_complete(tell(), within_s=1000.0)


@asynccontextmanager
async def watched(store, found_again=lambda: asyncio.sleep(0)):
    watching = asyncio.create_task(store.watch_channels(found_again))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait([watching])


async def took(awaitable):
    begun = asyncio.get_running_loop().time()
    with pytest.raises(ChannelFailed) as failed:
        await awaitable
    return asyncio.get_running_loop().time() - begun, failed.value.cause


def test_a_disk_that_does_not_answer_is_lost_in_a_second_and_nobody_else_waits():
    async def story(store, disk, _):
        loop = asyncio.get_running_loop()
        disk.hangs = True
        begun = loop.time()
        reading = asyncio.create_task(took(store.read(CUT, 0)))
        await asyncio.sleep(0.1)
        assert await read_all(store, 1) == DATA[1]
        assert loop.time() - begun < 0.2
        took_s, cause = await reading
        assert (1.0 <= took_s < 1.1, cause) == (True, "the disk does not answer")
        assert inventory(store) == {PROGRAM: "1,3"}
        assert store.losses == 2
        with pytest.raises(NotHeld):
            await store.read(CUT, 2)
        a, b = store.figures()
        assert (a.working, a.counted.hangs, a.segments) == (False, 1, 0)
        assert (b.working, b.counted.hangs, b.segments) == (True, 0, 2)
        for number in (0, 2):
            await put(store, CUT, number, DATA[number])
        assert [figures.segments for figures in store.figures()] == [0, 4], "nothing is received on it"

    on_two_disks(story)


def test_what_was_on_it_is_held_again_when_it_answers():
    async def story(store, disk, _):
        told = []

        async def found_again():
            told.append(inventory(store))

        async with watched(store, found_again):
            disk.hangs = True
            await took(store.read(CUT, 0))
            losses = store.losses
            await asyncio.sleep(60.0)
            assert (inventory(store), told) == ({PROGRAM: "1,3"}, [])
            disk.hangs = False
            await asyncio.sleep(AGAIN_S)
            assert inventory(store) == {PROGRAM: "0-3"}
            assert told == [{PROGRAM: "0-3"}]
            assert store.losses > losses, "it is said anew"
            assert [await read_all(store, number) for number in range(4)] == DATA
            await put(store, CUT, 4, DATA[0])
            assert store.figures()[0].segments == 3

    on_two_disks(story)


def test_what_has_been_fetched_anew_meanwhile_is_not_there_twice():
    async def story(store, disk, _):
        async with watched(store):
            disk.hangs = True
            await took(store.read(CUT, 0))
            await put(store, CUT, 0, DATA[0])
            async with store.receive(CUT, segment_of(2, DATA[2])) as reception:
                await reception.write(DATA[2][:1880])
                disk.hangs = False
                await asyncio.sleep(AGAIN_S)
                assert inventory(store) == {PROGRAM: "0-3"}
                await reception.write(DATA[2][1880:])
                await reception.store()
            assert [figures.segments for figures in store.figures()] == [0, 4]
            assert set(store._damaged) == {(CUT, 0), (CUT, 2)}, "they are swept"

    on_two_disks(story)


def test_one_that_hangs_again_and_again_is_tried_less_and_less_often():
    async def story(store, disk, _):
        loop, waited = asyncio.get_running_loop(), []
        async with watched(store):
            for _ in range(4):
                disk.hangs = True
                await took(store.read(CUT, 0))
                disk.hangs = False
                begun = loop.time()
                await until(lambda: 0 in store.numbers(CUT))
                waited.append(loop.time() - begun)
        assert waited == pytest.approx([5.0, 10.0, 20.0, 40.0], abs=1.0)

    on_two_disks(story)


def test_a_disk_that_is_broken_when_it_answers_is_given_up():
    async def story(store, disk, _):
        async with watched(store):
            disk.hangs = True
            await took(store.read(CUT, 0))
            disk.hangs, disk.failure = False, errno.EIO
            await asyncio.sleep(AGAIN_S)
            assert store.channels[0].failure
            assert inventory(store) == {PROGRAM: "1,3"}

    on_two_disks(story)


def test_a_disk_that_hangs_at_the_start_is_tried_again_too():
    with Simulation(1) as simulation:
        disks = Disks(simulation, simulation.host("127.1.1.2"), [A, B])

        async def tell():
            store = await SegmentStore.open(disks, [A])
            await put(store, CUT, 0, DATA[0])
            disks.of[A].hangs = True
            again = await SegmentStore.open(disks, [A, B])
            assert inventory(again) == {}
            async with watched(again):
                disks.of[A].hangs = False
                await asyncio.sleep(AGAIN_S)
                assert inventory(again) == {PROGRAM: "0"}

        simulation.run_until_complete(tell(), within_s=1000.0)


def test_segments_go_to_the_channel_with_less_to_do():
    async def story(store, *_):
        _, b = store.channels
        b.receptions += 1
        await put(store, CUT, 4, DATA[0])
        await put(store, CUT, 5, DATA[0])
        b.receptions -= 1
        assert [figures.segments for figures in store.figures()] == [4, 2]
        await put(store, CUT, 6, DATA[0])
        assert [figures.segments for figures in store.figures()] == [4, 3], "the other has more room"

    on_two_disks(story)


class StuckWrites(DiskFiles):
    """A disk whose writes are held up while it is told so."""

    def __init__(self):
        self.go_on = threading.Event()
        self.go_on.set()

    def append(self, path):
        self.go_on.wait()
        return super().append(path)


def test_who_reads_does_not_wait_for_who_writes(tmp_path):
    async def story():
        files = StuckWrites()
        store = await SegmentStore.open(files, [tmp_path])
        await put(store, CUT, 0, DATA[0])
        files.go_on.clear()
        writing = asyncio.create_task(put(store, CUT, 1, DATA[1]))
        await until(lambda: store.channels[0].waiting == 1)
        assert await read_all(store, 0) == DATA[0]
        assert not writing.done()
        files.go_on.set()
        await writing
        assert inventory(store) == {PROGRAM: "0-1"}
        store.close()

    asyncio.run(story())


def test_one_that_does_not_take_what_is_written_is_read_from_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_TRY_AGAIN_S", 0.01)

    async def story():
        files = StuckWrites()
        store = await SegmentStore.open(files, [tmp_path])
        await put(store, CUT, 0, DATA[0])
        [channel] = store.channels
        channel._writes.hang_s = 0.5
        files.go_on.clear()
        with pytest.raises(ChannelFailed):
            await put(store, CUT, 1, DATA[1])
        assert (channel.usable, channel.takes_writes, channel.counters.hangs) == (True, False, 1)
        assert await read_all(store, 0) == DATA[0]
        async with watched(store):
            files.go_on.set()
            await until(lambda: channel.takes_writes and not channel.hung.is_set())
            await put(store, CUT, 1, DATA[1])
        assert inventory(store) == {PROGRAM: "0-1"}
        store.close()

    asyncio.run(story())
