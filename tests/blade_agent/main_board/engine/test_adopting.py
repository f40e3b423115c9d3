"""Segments of a release whose folders named programs only are held on, as far as they are of what is known now."""

import asyncio
import logging

import pytest

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.engine.adopting import adopt_earlier
from blade_agent.main_board.engine.discarding import Discarding
from blade_agent.main_board.engine.store.layout import content_of
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.files import DiskFiles
from media_network.messages.program_information import ProgramChange
from tests.blade_agent.main_board.engine.station import PROGRAM, make_segments, put, segment_of
from tests.blade_agent.main_board.engine.store.reading import read_all
from tests.programs import program_with

DATA = make_segments(4, packets=3)
SEGMENTS = [segment_of(number, data) for number, data in enumerate(DATA)]
RIVER = program_with(SEGMENTS, program=PROGRAM, version=4)


def leave(channel, number, data, segment=None, program=PROGRAM):
    """A file as that release has written it."""
    content = content_of(segment or segment_of(number, data))
    (channel / program).mkdir(parents=True, exist_ok=True)
    path = channel / program / f"{number}.{content.length_bytes}.{content.digest.hex()}.ts"
    path.write_bytes(data)
    return path


async def started(folder, *programs, tables=True):
    """A store, as a blade has it that knows these programs."""
    catalogue = Catalogue(DiskFiles(), folder / "catalogue")
    await catalogue.load()
    for program in programs:
        await catalogue.learn([change_of(program.header)])
        if tables:
            await catalogue.parts.keep(program.header, program.segments.octets)
    store = await SegmentStore.open(DiskFiles(), [folder / "a", folder / "b"])
    await adopt_earlier(store, catalogue)
    return store


def test_what_is_of_the_program_is_held_on_and_what_is_not_stays(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    leave(a, 0, DATA[0])
    leave(b, 2, DATA[2])
    strangers = [
        leave(a, 1, DATA[3]),
        leave(a, 9, DATA[3]),
        leave(b, 3, DATA[3][:188], SEGMENTS[3]),
        leave(b, 0, DATA[0], program="unknown"),
    ]
    (a / PROGRAM / "notes").write_text("of somebody")

    async def story():
        for _ in range(2):
            store = await started(tmp_path, RIVER)
            assert store.cuts() == [RIVER.cut]
            assert sorted(store.numbers(RIVER.cut)) == [0, 2]
            assert [await read_all(store, number, RIVER.cut) for number in (0, 2)] == [DATA[0], DATA[2]]
            store.close()

    asyncio.run(story())
    assert all(path.exists() for path in strangers)
    assert (a / PROGRAM / "notes").exists()


@pytest.mark.parametrize("programs", [(), (RIVER,)], ids=["unknown", "without a table"])
def test_what_nobody_knows_anything_of_is_left_and_named(tmp_path, caplog, programs):
    path = leave(tmp_path / "a", 0, DATA[0])

    async def story():
        store = await started(tmp_path, *programs, tables=False)
        store.close()
        return store.cuts()

    with caplog.at_level(logging.WARNING):
        assert asyncio.run(story()) == []
    assert path.exists()
    assert f"segments of {PROGRAM}, of an earlier release, are not held" in caplog.text


@pytest.mark.parametrize("anew", [0, 1], ids=["on the same channel", "on the other channel"])
def test_what_was_copied_here_anew_meanwhile_is_held_once(tmp_path, anew):
    """The segment table was away at the first start."""

    async def story():
        # What was left is not verified, and must not take the place of what was.
        earlier = leave(tmp_path / "a", 0, bytes(len(DATA[0])), SEGMENTS[0])
        first = await started(tmp_path)
        first.channels[1 - anew].free_bytes = 0  # so it was measured last
        await put(first, RIVER.cut, 0, DATA[0])
        first.close()
        store = await started(tmp_path, RIVER)
        assert sorted(store.numbers(RIVER.cut)) == [0]
        # What is on the other channel is swept with what is damaged.
        swept = {channel for files in store._damaged.values() for channel, _ in files}
        assert swept == ({store.channels[0]} if anew else set())
        assert await read_all(store, 0, RIVER.cut) == DATA[0]
        store.close()
        return earlier.exists()

    assert asyncio.run(story()) is False


def test_what_was_withdrawn_meanwhile_goes_and_nothing_beside_it(tmp_path):
    earlier = leave(tmp_path / "a", 0, DATA[0])
    beside = earlier.with_name("notes")
    beside.write_text("of somebody")

    async def story():
        catalogue = Catalogue(DiskFiles(), tmp_path / "catalogue")
        await catalogue.load()
        await catalogue.learn([ProgramChange(version=5, program=PROGRAM)])
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "a"])
        await Discarding(store).discard_gone(catalogue)
        store.close()
        return store.earlier_programs

    assert asyncio.run(story()) == set()
    assert (earlier.exists(), beside.exists()) == (False, True)
