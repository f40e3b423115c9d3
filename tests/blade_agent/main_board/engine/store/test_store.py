"""The segment store: held means durable, interrupted means resumable, a bad disk hurts nobody else."""

import asyncio
import errno
import os
import signal
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blade_agent.main_board.engine.store.errors import ChannelFailed, NoSpace, NotHeld, WrongContent
from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.files import DiskFiles
from tests.blade_agent.main_board.engine.station import (
    CUT,
    FOLDER,
    PROGRAM,
    inventory,
    make_segments,
    path_of,
    put,
    segment_of,
)
from tests.blade_agent.main_board.engine.store.reading import read_all
from tests.patience import until


async def receive(store, segment, data, *, begins_at=0, breaks=False):
    async with store.receive(CUT, segment) as reception:
        assert reception.length_bytes == begins_at
        await reception.write(data)
        if breaks:
            raise ConnectionResetError
        await reception.store()


def test_what_is_stored_is_held_and_found_again_at_the_next_start(tmp_path):
    async def store_and_reopen():
        data = make_segments(5)
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "a", tmp_path / "b"])
        for number, each in enumerate(data):
            await put(store, CUT, number, each)
        counters = [channel.counters for channel in store.channels]
        assert sum(each.written_bytes for each in counters) == sum(map(len, data))
        store.close()
        again = await SegmentStore.open(DiskFiles(), [tmp_path / "b", tmp_path / "a"])
        assert inventory(again) == {PROGRAM: "0-4"}
        assert [await read_all(again, number) for number in range(5)] == data
        assert again.holds(CUT, segment_of(2, data[2]))
        assert not again.holds(CUT, segment_of(2, data[3]))
        await again.let_go(CUT, [3])
        assert inventory(again) == {PROGRAM: "0-2,4"}
        with pytest.raises(NotHeld):
            await again.read(CUT, 3)
        again.close()

    asyncio.run(store_and_reopen())
    assert sorted(path.name[0] for path in tmp_path.glob(f"*/{FOLDER}/*")) == ["0", "1", "2", "4"]


def test_wrong_content_is_refused_and_leaves_nothing(tmp_path):
    async def store_wrong():
        (data,) = make_segments(1)
        segment = segment_of(0, data)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        for wrong in (data[:-1] + b"x", data[:-188], data + data):
            with pytest.raises(WrongContent):
                await receive(store, segment, wrong)
        assert inventory(store) == {}
        store.close()

    asyncio.run(store_wrong())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 300 * 188), max_size=5), reopen=st.booleans())
def test_wherever_a_copy_is_interrupted_it_goes_on_from_there(tmp_path_factory, cuts, reopen):
    folder = tmp_path_factory.mktemp("store")

    async def interrupt():
        (data,) = make_segments(1)
        segment = segment_of(0, data)
        store = await SegmentStore.open(DiskFiles(), [folder / "a", folder / "b"])
        reached = 0
        for cut in sorted(cuts):
            with pytest.raises(ConnectionResetError):
                await receive(store, segment, data[reached:cut], begins_at=reached, breaks=True)
            reached = cut
            assert inventory(store) == {}
            if reopen:
                store.close()
                store = await SegmentStore.open(DiskFiles(), [folder / "b", folder / "a"])
        await receive(store, segment, data[reached:], begins_at=reached)
        assert await read_all(store, 0) == data
        store.close()

    asyncio.run(interrupt())


WRITER = """
import asyncio, sys
from pathlib import Path
from media_network.files import DiskFiles
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.segment_set import parse_segments
from tests.blade_agent.main_board.engine.station import CUT, make_segments, segment_of

async def write():
    store = await SegmentStore.open(DiskFiles(), [Path(sys.argv[1])])
    for number, data in enumerate(make_segments(400, packets=2000)):
        async with store.receive(CUT, segment_of(number, data)) as reception:
            for offset in range(reception.length_bytes, len(data), 16384):
                await reception.write(data[offset : offset + 16384])
            await reception.store()
        print(number, flush=True)

asyncio.run(write())
"""


def test_killed_in_the_middle_of_writing_it_holds_exactly_what_it_said_and_resumes(tmp_path):
    asyncio.run(_kill_and_resume(tmp_path))


async def _kill_and_resume(folder):
    root = Path(__file__).parents[5]
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(folder), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    said = -1
    while said < 3:
        said = int(await writer.stdout.readline())
    await until(lambda: any(path.stat().st_size for path in (folder / ".partial").iterdir()))
    writer.send_signal(signal.SIGKILL)
    said = max([said, *map(int, (await writer.stdout.read()).split())])
    await writer.wait()
    data = make_segments(said + 3, packets=2000)
    store = await SegmentStore.open(DiskFiles(), [folder])
    # The last may have been finished without a word of it.
    assert inventory(store) in ({PROGRAM: f"0-{said}"}, {PROGRAM: f"0-{said + 1}"})
    for number in range(said + 1):
        assert await read_all(store, number) == data[number]
    await put(store, CUT, said + 2, data[said + 2])
    assert await read_all(store, said + 2) == data[said + 2]
    store.close()


class FaultyFiles(DiskFiles):
    """The real disk, but one folder's fails with an errno once it is told to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0

    def _check(self, path):
        if self.number and path.is_relative_to(self.folder):
            raise OSError(self.number, os.strerror(self.number))

    def append(self, path):
        self._check(path)
        return super().append(path)

    def read(self, path):
        self._check(path)
        return super().read(path)

    def sync_folder(self, folder):
        self._check(folder)
        super().sync_folder(folder)


def test_a_broken_channel_is_given_up_and_the_other_serves(tmp_path):
    asyncio.run(_break_a_channel(tmp_path))


async def _break_a_channel(folder):
    data = make_segments(8)
    files = FaultyFiles(folder / "a")
    store = await SegmentStore.open(files, [folder / "a", folder / "b"])
    (a, b) = store.channels
    for number in range(8):
        (a if number % 2 else b).receptions += 1  # the other channel is busier
        await put(store, CUT, number, data[number])
        (a if number % 2 else b).receptions -= 1
    files.number = errno.EIO
    with pytest.raises(ChannelFailed):
        await store.read(CUT, 0)
    assert a.failure
    assert inventory(store) == {PROGRAM: "1,3,5,7"}
    assert store.losses == 4
    assert await read_all(store, 1) == data[1]
    await put(store, CUT, 0, data[0])
    assert await read_all(store, 0) == data[0]
    assert b.counters.failures == 0
    store.close()


def test_a_full_disk_is_said_so_and_cleaned_up(tmp_path):
    asyncio.run(_fill(tmp_path))


async def _fill(folder):
    (data,) = make_segments(1)
    files = FaultyFiles(folder)
    store = await SegmentStore.open(files, [folder])

    async def run_full():
        async with store.receive(CUT, segment_of(0, data)) as reception:
            await reception.write(data)
            files.number = errno.ENOSPC
            await reception.store()

    with pytest.raises(NoSpace):
        await run_full()
    assert not store.channels[0].failure
    files.number = 0
    assert inventory(store) == {}
    assert not list((folder / ".partial").iterdir())
    await put(store, CUT, 0, data)
    assert await read_all(store, 0) == data
    huge = msgspec.structs.replace(segment_of(1, data), length_bytes=188 << 50)
    with pytest.raises(NoSpace):
        await receive(store, huge, data)
    store.close()


def test_a_damaged_segment_is_gone_once_it_is_there_again_whatever_the_channel(tmp_path):
    asyncio.run(_damage_and_receive_again(tmp_path))


async def _damage_and_receive_again(folder):
    (data,) = make_segments(1)
    folders = [folder / "a", folder / "b"]
    store = await SegmentStore.open(DiskFiles(), folders)
    await put(store, CUT, 0, data)
    [damaged] = folder.rglob("0.*.ts")
    damaged.write_bytes(bytes(len(data)))
    store.lose(SegmentKey(CUT, 0))
    for channel in store.channels:
        channel.free_bytes = int(channel.folder not in damaged.parents)
    await put(store, CUT, 0, data)
    store.close()
    [whole] = folder.rglob("0.*.ts")
    assert whole != damaged
    store = await SegmentStore.open(DiskFiles(), folders)
    assert await read_all(store, 0) == data
    store.close()


def test_a_damaged_segment_that_is_removed_does_not_come_back_at_the_next_start(tmp_path):
    async def damage_and_remove():
        (data,) = make_segments(1)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        await put(store, CUT, 0, data)
        store.lose(SegmentKey(CUT, 0))
        await store.let_go(CUT, [0])
        store.close()
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        assert inventory(store) == {}
        store.close()

    asyncio.run(damage_and_remove())


def test_a_segment_that_vanished_is_received_anew(tmp_path):
    async def vanish_unnoticed():
        (data,) = make_segments(1)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        await put(store, CUT, 0, data)
        path_of(tmp_path, segment_of(0, data)).unlink()
        await put(store, CUT, 0, data)
        assert await read_all(store, 0) == data
        store.close()

    asyncio.run(vanish_unnoticed())


def test_a_segment_that_vanished_is_no_longer_held(tmp_path):
    async def vanish():
        (data,) = make_segments(1)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        await put(store, CUT, 0, data)
        stored = await store.read(CUT, 0)
        path_of(tmp_path, segment_of(0, data)).unlink()
        with pytest.raises(NotHeld):
            await store.read(CUT, 0)
        assert inventory(store) == {}
        buffer = bytearray(len(data))
        await stored.read_into(0, memoryview(buffer))
        assert buffer == data
        stored.close()
        store.close()

    asyncio.run(vanish())
