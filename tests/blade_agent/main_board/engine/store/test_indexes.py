"""The index of a segment in the store: it comes first, stays beside its segment, and goes with it."""

import asyncio
from hashlib import sha256
from inspect import signature
from pathlib import Path

import pytest

from blade_agent.main_board.engine.store.errors import NotHeld, WrongContent
from blade_agent.main_board.engine.store.layout import partial_index_path, partial_key, partial_path
from blade_agent.main_board.engine.store.store import SegmentStore
from chassis_emulator.simulation.simulation import Simulation
from media_network.files import DiskFiles
from media_network.segment_index import BLOCK_BYTES, index_bytes_max
from tests.blade_agent.main_board.engine.station import CUT, PROGRAM, inventory, make_segments, path_of, put
from tests.blade_agent.main_board.engine.store.reading import read_all
from tests.programs import index_octets, segment_of

(DATA,) = make_segments(1, packets=4000)
SEGMENT = segment_of(DATA, indexed=True)
INDEX = index_octets(DATA)


def told(story):
    """Run a story with the store of a folder, which it may open again."""

    def test(tmp_path):
        async def open_store():
            return await SegmentStore.open(DiskFiles(), [tmp_path / "disk"])

        asked = {"open_store": open_store, "folder": tmp_path / "disk"}
        asyncio.run(story(**{name: asked[name] for name in signature(story).parameters}))

    return test


async def receive(store, data, *, index=True, breaks=False):
    async with store.receive(CUT, SEGMENT) as reception:
        if index:
            await reception.put_index(INDEX)
        await reception.write(data)
        if breaks:
            raise ConnectionResetError
        await reception.store()


@told
async def test_an_index_stays_beside_its_segment_and_goes_with_it(open_store, folder):
    store = await open_store()
    await put(store, CUT, 0, DATA, indexed=True)
    await put(store, CUT, 1, DATA)
    for again in (store, await open_store()):
        assert await again.read_index(CUT, 0) == INDEX
        assert len(INDEX) <= index_bytes_max(len(DATA))
        with pytest.raises(NotHeld):
            await again.read_index(CUT, 1)
    beside = path_of(folder, SEGMENT).with_suffix(".index")
    assert beside.read_bytes() == INDEX
    await again.let_go(CUT, [0])
    assert not beside.exists()
    await again.discard({PROGRAM: None})
    assert not list(beside.parent.iterdir())


@told
async def test_nothing_is_stored_without_the_index_that_its_row_names(open_store, folder):
    store = await open_store()
    with pytest.raises(WrongContent, match="its index has not come"):
        await receive(store, DATA, index=False)
    assert inventory(store) == {}
    assert not list((folder / ".partial").iterdir())


@told
async def test_a_wrong_block_is_noticed_as_soon_as_it_is_here(open_store):
    store = await open_store()
    wrong = bytearray(DATA)
    wrong[BLOCK_BYTES + 5] ^= 1
    async with store.receive(CUT, SEGMENT) as reception:
        await reception.put_index(INDEX)
        await reception.write(bytes(wrong[: BLOCK_BYTES - 1]))
        assert reception.verified_bytes == 0
        await reception.write(bytes(wrong[BLOCK_BYTES - 1 : BLOCK_BYTES + 9]))
        assert reception.verified_bytes == BLOCK_BYTES
        with pytest.raises(WrongContent, match="block 1 is not"):
            await reception.write(bytes(wrong[BLOCK_BYTES + 9 :]))
        assert reception.verified_bytes == BLOCK_BYTES


@told
async def test_an_interrupted_reception_goes_on_with_its_index_and_what_is_verified(open_store):
    store = await open_store()
    with pytest.raises(ConnectionResetError):
        await receive(store, DATA[: BLOCK_BYTES + 9], breaks=True)
    for again in (store, await open_store()):
        async with again.receive(CUT, SEGMENT) as reception:
            assert (reception.has_index, reception.verified_bytes) == (True, BLOCK_BYTES)
            assert reception.length_bytes == BLOCK_BYTES + 9
    await put(store, CUT, 0, DATA, indexed=True)
    assert await read_all(store, 0) == DATA


@told
async def test_what_was_left_and_is_wrong_is_begun_anew(open_store, folder):
    store = await open_store()
    with pytest.raises(ConnectionResetError):
        await receive(store, DATA[: BLOCK_BYTES + 9], breaks=True)
    partial = partial_path(folder, partial_key(PROGRAM, SEGMENT))
    partial.write_bytes(bytes(BLOCK_BYTES + 9))
    async with store.receive(CUT, SEGMENT) as reception:
        assert (reception.length_bytes, reception.verified_bytes) == (0, 0)
    await put(store, CUT, 0, DATA, indexed=True)
    assert await read_all(store, 0) == DATA


@told
async def test_one_without_the_other_is_no_trouble_at_the_next_start(open_store, folder):
    store = await open_store()
    await put(store, CUT, 0, DATA, indexed=True)
    store.close()
    held = path_of(folder, SEGMENT)
    lone = partial_index_path(folder, partial_key(PROGRAM, SEGMENT))
    lone.write_bytes(INDEX)
    held.with_suffix(".index").unlink()
    store = await open_store()
    assert not lone.exists()
    assert inventory(store) == {PROGRAM: "0"}
    with pytest.raises(NotHeld):
        await store.read_index(CUT, 0)
    store.close()
    held.with_suffix(".index").write_bytes(INDEX)
    held.unlink()
    store = await open_store()
    assert inventory(store) == {}
    assert not list(held.parent.iterdir())
    await put(store, CUT, 0, DATA, indexed=True)
    assert await store.read_index(CUT, 0) == INDEX


async def as_its_row_says(_cut, _number):
    return sha256(INDEX).hexdigest()


def rotted(path):
    octets = bytearray(path.read_bytes())
    octets[20] ^= 1
    path.write_bytes(octets)


def gone(path):
    path.unlink()


def shorter(path):
    path.write_bytes(INDEX[:-1])


@pytest.mark.parametrize("damage", [rotted, gone, shorter])
@pytest.mark.parametrize("when", ["while it is held", "before a start"])
def test_a_segment_whose_index_is_no_good_is_lost_and_only_the_index_comes_anew(tmp_path, caplog, damage, when):
    async def story():
        store = await SegmentStore.open(DiskFiles(), [tmp_path])
        await put(store, CUT, 0, DATA, indexed=True)
        damage(path_of(tmp_path, SEGMENT).with_suffix(".index"))
        if when == "before a start":
            store.close()
            store = await SegmentStore.open(DiskFiles(), [tmp_path])
        with pytest.raises(NotHeld):
            await store.read_index(CUT, 0, as_its_row_says)
        assert (inventory(store), store.losses) == ({}, 1)
        assert "its index is damaged" in caplog.text
        with pytest.raises(ConnectionResetError):
            async with store.receive(CUT, SEGMENT) as reception:
                raise ConnectionResetError
        async with store.receive(CUT, SEGMENT) as reception:
            assert (reception.length_bytes, reception.has_index) == (len(DATA), False)
            await reception.put_index(INDEX)
            await reception.store()
        assert await store.read_index(CUT, 0, as_its_row_says) == INDEX
        assert await read_all(store, 0) == DATA
        assert not list((tmp_path / ".partial").iterdir())
        store.close()

    asyncio.run(story())


@told
async def test_bytes_that_wait_for_their_index_are_let_go_of_with_their_program(open_store, folder):
    for discards in (True, False):
        store = await open_store()
        await put(store, CUT, 0, DATA, indexed=True)
        rotted(path_of(folder, SEGMENT).with_suffix(".index"))
        with pytest.raises(NotHeld):
            await store.read_index(CUT, 0, as_its_row_says)
        await (store.discard({PROGRAM: None}) if discards else store.let_go(CUT))
        assert not list(path_of(folder, SEGMENT).parent.iterdir())
        assert not list((folder / ".partial").iterdir())
        store.close()


@told
async def test_bytes_that_wait_for_their_index_and_rot_meanwhile_come_anew(open_store, folder):
    store = await open_store()
    await put(store, CUT, 0, DATA, indexed=True)
    rotted(path_of(folder, SEGMENT).with_suffix(".index"))
    rotted(path_of(folder, SEGMENT))
    with pytest.raises(NotHeld):
        await store.read_index(CUT, 0, as_its_row_says)
    with pytest.raises(WrongContent, match="block 0 is not"):
        await receive(store, b"")
    await put(store, CUT, 0, DATA, indexed=True)
    assert await read_all(store, 0) == DATA


def test_an_index_that_rots_while_nobody_asks_for_it_is_found():
    channel = Path("/blade/channel")
    with Simulation(1) as simulation:
        disk = simulation.disk("disk", simulation.host("127.1.1.1"), Path("/blade"))

        async def story():
            store = await SegmentStore.open(disk, [channel])
            await put(store, CUT, 0, DATA, indexed=True)
            caring = asyncio.create_task(store.watch_content(as_its_row_says))
            await asyncio.sleep(700)
            assert (inventory(store), store.losses) == ({PROGRAM: "0"}, 0)
            disk.rot(path_of(channel, SEGMENT).with_suffix(".index"))
            await asyncio.sleep(700)
            assert (inventory(store), store.losses) == ({}, 1)
            await put(store, CUT, 0, DATA, indexed=True)
            await asyncio.sleep(700)
            assert (inventory(store), store.losses) == ({PROGRAM: "0"}, 1)
            caring.cancel()
            await asyncio.wait([caring])
            store.close()

        simulation.run_until_complete(story(), within_s=3000)
