"""What is held is what its name says, byte for byte; whatever else lies beside it harms nothing."""

import asyncio
import errno
import logging
import os
import shutil
import threading
from pathlib import Path

import pytest

from blade_agent.main_board.engine.store import store as store_module
from blade_agent.main_board.engine.store.errors import ChannelFailed, NotHeld
from blade_agent.main_board.engine.store.layout import SegmentKey
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
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
from tests.patience import PATIENCE_S, until

DATA = make_segments(3)
SEGMENTS = [segment_of(number, data) for number, data in enumerate(DATA)]


async def stocked(folder):
    store = await SegmentStore.open(DiskFiles(), [folder])
    for number, data in enumerate(DATA):
        await put(store, CUT, number, data)
    store.close()


def make_folder(path):
    path.mkdir(parents=True)


def make_loop(path):
    path.symlink_to(path)


def make_file(path):
    path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        (f"{FOLDER}/3.ts", make_folder),
        (f"{FOLDER}/3.188.{'0' * 64}.ts", make_folder),
        (f"{FOLDER}/lost+found", make_folder),
        (f"{FOLDER}/3.188.{'0' * 64}.ts", make_loop),
        (f"{FOLDER}/3.188.{'0' * 64}.ts", os.mkfifo),
        (f"{FOLDER}/007.ts", make_file),
        (f"{FOLDER}/notes", make_file),
        (f".partial/{PROGRAM}.3.{'0' * 64}.x", make_file),
        (".partial/lost+found", make_folder),
        ("another", make_loop),
        ("a-file", make_file),
    ],
)
def test_a_strange_entry_takes_nothing_with_it_and_is_left(tmp_path, caplog, name, make):
    async def scan():
        await stocked(tmp_path)
        make(tmp_path / name)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        (channel,) = store.channels
        try:
            return inventory(store), channel.failure
        finally:
            store.close()

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(scan()) == ({PROGRAM: "0-2"}, None)
    assert os.path.lexists(tmp_path / name)
    assert [record for record in caplog.records if name in record.getMessage()]


def test_a_partial_is_found_again_and_other_folders_are_not_ours(tmp_path, caplog):
    partial, other = tmp_path / ".partial" / f"{PROGRAM}.3.{'0' * 64}", tmp_path / "lost+found" / "keep"

    async def scan():
        await stocked(tmp_path)
        partial.write_bytes(bytes(50))
        other.parent.mkdir()
        other.write_bytes(b"x")
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        store.close()

    asyncio.run(scan())
    assert (partial.read_bytes(), other.read_bytes(), caplog.records) == (bytes(50), b"x", [])


def test_a_channel_that_cannot_be_scanned_says_so(tmp_path, caplog):
    (tmp_path / "a").write_bytes(b"")

    async def scan():
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "a", tmp_path / "b"])
        store.close()
        return [bool(channel.failure) for channel in store.channels]

    assert asyncio.run(scan()) == [True, False]
    (record,) = caplog.records
    assert f"I/O channel {tmp_path / 'a'} is given up" in record.getMessage()


@pytest.mark.parametrize("packets", [-1, 1])
def test_a_segment_of_another_length_is_not_held(tmp_path, caplog, packets):
    async def scan():
        await stocked(tmp_path)
        path = path_of(tmp_path, SEGMENTS[1])
        path.write_bytes(DATA[1][:packets] + bytes(188) if packets > 0 else DATA[1][: packets * 188])
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        held = inventory(store)
        await put(store, CUT, 1, DATA[1])
        again = await read_all(store, 1)
        store.close()
        return held, again

    assert asyncio.run(scan()) == ({PROGRAM: "0,2"}, DATA[1])
    assert "segment 1 of" in caplog.text


@pytest.mark.parametrize("when", ["before the start", "after the start"])
def test_a_segment_that_was_cut_while_it_was_held_is_lost_when_it_is_opened(tmp_path, when):
    async def scan():
        await stocked(tmp_path)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        if when == "after the start":
            await read_all(store, 1)
        path = path_of(tmp_path, SEGMENTS[1])
        path.write_bytes(DATA[1][:-188])
        with pytest.raises(NotHeld):
            await store.read(CUT, 1)
        store.close()
        return inventory(store), store.losses

    assert asyncio.run(scan()) == ({PROGRAM: "0,2"}, 1)


def rot(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_segment_whose_bytes_changed_is_found_at_its_first_reading(tmp_path, caplog):
    async def read():
        await stocked(tmp_path)
        rot(path_of(tmp_path, SEGMENTS[1]))
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        assert inventory(store) == {PROGRAM: "0-2"}
        readers = await asyncio.gather(*(read_all(store, number) for number in (1, 1, 0, 1)), return_exceptions=True)
        store.close()
        return [type(each) for each in readers], inventory(store), store.losses

    assert asyncio.run(read()) == ([NotHeld, NotHeld, bytes, NotHeld], {PROGRAM: "0,2"}, 1)
    assert "its bytes have changed" in caplog.text


class BadSector(DiskFiles):
    """One file cannot be read."""

    bad = None

    def read(self, path):
        if path == self.bad:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(path)


def test_one_bad_sector_is_not_the_disk(tmp_path):
    files = BadSector()

    async def read():
        await stocked(tmp_path)
        store = await SegmentStore.open(files, [tmp_path])
        files.bad = path_of(tmp_path, SEGMENTS[1])
        with pytest.raises(ChannelFailed):
            await store.read(CUT, 1)
        (channel,) = store.channels
        assert channel.failure is None
        assert await read_all(store, 0) == DATA[0]
        store.close()
        return inventory(store)

    assert asyncio.run(read()) == {PROGRAM: "0,2"}
    assert not (tmp_path / ".probe").exists()


@pytest.mark.parametrize(
    ("trouble", "said"), [("unreadable", "it cannot be read: Input/output error"), ("gone", "its file has gone")]
)
def test_what_cannot_be_read_is_found_while_nobody_reads(tmp_path, monkeypatch, caplog, trouble, said):
    monkeypatch.setattr(store_module, "_BEFORE_FIRST_ROUND_S", 0.01)
    files = BadSector()

    async def watch():
        await stocked(tmp_path)
        held = await SegmentStore.open(files, [tmp_path])
        if trouble == "gone":
            path_of(tmp_path, SEGMENTS[1]).unlink()
        else:
            files.bad = path_of(tmp_path, SEGMENTS[1])
        watching = asyncio.create_task(held.watch_content())
        await until(lambda: held.losses)
        watching.cancel()
        await asyncio.wait([watching])
        held.close()
        return inventory(held), held.losses

    assert asyncio.run(watch()) == ({PROGRAM: "0,2"}, 1)
    assert said in caplog.text


CHANNEL = Path("/blade/channel")


def simulated(seed, story):
    """A store on a simulated disk that is taken care of, for a story in virtual time."""
    with Simulation(seed) as simulation:
        disk = simulation.disk("disk", simulation.host("127.1.1.1"), Path("/blade"))

        async def run():
            store = await SegmentStore.open(disk, [CHANNEL])
            for number, data in enumerate(DATA):
                await put(store, CUT, number, data)
            caring = asyncio.create_task(store.watch_content())
            told = await story(store, disk, simulation.rng("story"))
            caring.cancel()
            await asyncio.wait([caring])
            store.close()
            return told

        return simulation.run_until_complete(run())


def test_bytes_that_rot_while_nobody_reads_are_found_and_removed():
    async def story(store, disk, _):
        await asyncio.sleep(30)
        assert (inventory(store), store.losses) == ({PROGRAM: "0-2"}, 0)
        disk.rot(path_of(CHANNEL, SEGMENTS[1]))
        await asyncio.sleep(700)
        return inventory(store), store.losses, disk.list_folder(CHANNEL / FOLDER)

    whole = sorted(path_of(CHANNEL, segment).name for segment in (SEGMENTS[0], SEGMENTS[2]))
    assert simulated(1, story) == ({PROGRAM: "0,2"}, 1, whole)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_received_again_while_damage_is_cleared_away_stays(seed):
    """Under whatever order: who receives and who sweeps must not meet at one file."""

    async def story(store, disk, rng):
        lost, lose = asyncio.Event(), store.lose
        store.lose = lambda *key: (lose(*key), lost.set())
        for checks_left in (2, 1, 1, 1, 1):
            disk.rot(path_of(CHANNEL, SEGMENTS[1]))
            await lost.wait()
            lost.clear()
            # The round goes on with those that come after it, a second each, and ends with the clearing away.
            await asyncio.sleep(checks_left + rng.uniform(-0.03, 0.03))
            await put(store, CUT, 1, DATA[1])
            await asyncio.sleep(rng.choice((0, 0.1, 5.0)))
            assert inventory(store) == {PROGRAM: "0-2"}
            assert await read_all(store, 1) == DATA[1]

    simulated(seed, story)


@pytest.mark.parametrize("seed", range(3))
def test_a_segment_is_read_through_once_however_many_come_for_it(seed):
    async def story(store, disk, _):
        store.close()
        again = await SegmentStore.open(disk, [CHANNEL])
        before = disk.read_bytes
        for stored in await asyncio.gather(*(again.read(CUT, 1) for _ in range(50))):
            stored.close()
        again.close()
        return disk.read_bytes - before

    assert simulated(seed, story) == len(DATA[1])


class SlowToRemove(DiskFiles):
    """Removing waits for a word."""

    def __init__(self):
        self.asked, self.may = threading.Event(), threading.Event()

    def remove(self, path):
        self.asked.set()
        assert self.may.wait(PATIENCE_S)
        super().remove(path)


def test_who_receives_a_segment_waits_until_its_damaged_file_is_gone(tmp_path, monkeypatch):
    """Both have the same name: a removal that came late would take the new one."""
    monkeypatch.setattr(store_module, "_BEFORE_FIRST_ROUND_S", 0)
    monkeypatch.setattr(store_module, "_CHECK_PAUSE_S", 0)
    files = SlowToRemove()

    async def story():
        await stocked(tmp_path)
        rot(path_of(tmp_path, SEGMENTS[1]))
        store = await SegmentStore.open(files, [tmp_path])
        caring = asyncio.create_task(store.watch_content())
        await until(files.asked.is_set)
        receiving = asyncio.create_task(put(store, CUT, 1, DATA[1]))
        done, _ = await asyncio.wait([receiving], timeout=0.5)
        files.may.set()
        await receiving
        await until(lambda: not store._damaged)
        caring.cancel()
        await asyncio.wait([caring])
        again = await read_all(store, 1)
        store.close()
        return done, again

    assert asyncio.run(story()) == (set(), DATA[1])


def test_who_receives_a_segment_waits_until_what_is_let_go_of_is_gone(tmp_path):
    """It is directed to let go of thousands, and to fetch one of them again meanwhile."""
    files = SlowToRemove()

    async def story():
        await stocked(tmp_path)
        store = await SegmentStore.open(files, [tmp_path])
        letting_go = asyncio.create_task(store.let_go(CUT))
        await until(files.asked.is_set)
        assert store.cuts() == [], "nothing is said of them from now on"
        last = max(range(len(DATA)))
        receiving = asyncio.create_task(put(store, CUT, last, DATA[last]))
        await asyncio.sleep(0.2)
        files.may.set()
        await asyncio.gather(letting_go, receiving)
        assert sorted(store.numbers(CUT)) == [last]
        again = await read_all(store, last)
        store.close()
        return again

    assert asyncio.run(story()) == DATA[-1]


def test_whoever_waits_while_a_segment_is_checked_gets_it(tmp_path):
    """The checker and a first reader meet at one segment: it is good for both."""

    async def story():
        await stocked(tmp_path)
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        (channel,) = store.channels
        keys = [SegmentKey(CUT, number) for number in store.numbers(CUT)]
        checks = [store._check(key, channel) for key in keys]
        read = await asyncio.gather(*(read_all(store, number) for number in (0, 1, 2, 0)), *checks)
        await asyncio.gather(*(store._check(key, channel) for key in keys))
        assert all(held.read_through for held in store._held[CUT].values())
        store.close()
        return read[:4]

    assert asyncio.run(story()) == [*DATA, DATA[0]]


def test_a_channel_whose_folder_has_gone_is_given_up_and_the_other_takes_what_comes(tmp_path):
    async def story():
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "a", tmp_path / "b"])
        a, b = store.channels
        b.receptions = 9  # busier: the other one is tried first
        shutil.rmtree(tmp_path / "a")
        await put(store, CUT, 0, DATA[0])
        store.close()
        return a.failure, b.failure, inventory(store)

    assert asyncio.run(story()) == ("its folder has gone", None, {PROGRAM: "0"})


def test_a_partial_that_is_taken_up_again_is_not_dropped_for_its_age(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "_PARTIALS_KEPT", 2)

    async def break_off(store, number):
        async with store.receive(CUT, segment_of(number, DATA[number % 3])) as reception:
            await reception.write(DATA[number % 3][:188])
            raise ConnectionResetError

    async def story():
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        with pytest.raises(ConnectionResetError):
            await break_off(store, 0)
        async with store.receive(CUT, SEGMENTS[0]) as oldest:
            for number in range(1, 6):
                with pytest.raises(ConnectionResetError):
                    await break_off(store, number)
            await oldest.write(DATA[0][oldest.length_bytes :])
            await oldest.store()
        store.close()
        left = len(list((tmp_path / ".partial").iterdir()))
        again = await SegmentStore.open(DiskFiles(), [tmp_path])
        again.close()
        return oldest.resumed_bytes, left, inventory(again)

    assert asyncio.run(story()) == (188, 2, {PROGRAM: "0"})
