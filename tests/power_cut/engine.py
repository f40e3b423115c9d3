"""What a blade keeps: programs and segments."""

import asyncio
import random

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.engine.store.errors import WrongContent
from blade_agent.main_board.engine.store.layout import SegmentKey, content_of, segment_path
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.parts import Parts
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.messages.program_information import ProgramChange
from media_network.packets import TS_PACKET_BYTES
from tests.programs import index_octets, program_with
from tests.programs import segment_of as segment_with

_PIECE_BYTES = 5000
_CUT = Cut("film", "0" * 64)


def program_of(name, segments=3, **facts):
    return program_with([segment_of(number)[0] for number in range(segments)], program=name, **facts)


def segment_of(number):
    content = random.Random(number).randbytes(TS_PACKET_BYTES * (40 + 20 * number))
    return segment_with(content, number, indexed=number % 2 == 1), content


CHANGES = (
    change_of(program_of("a", version=1, published=False).header),
    change_of(program_of("b", version=2, segments=200).header),
    change_of(program_of("a", version=3).header),
    ProgramChange(version=4, program="b"),
)


def write_catalogue(folder, record):
    async def write():
        catalogue = Catalogue(DiskFiles(), folder / "state" / "catalogue")
        await catalogue.load()
        known = {}
        for change in CHANGES:
            known[change.program] = change
            record.begin(dict(known))
            await catalogue.learn([change], until=change.version)
            record.acknowledge(dict(known))

    asyncio.run(write())


def read_catalogue(folder):
    async def read():
        catalogue = Catalogue(DiskFiles(), folder / "state" / "catalogue")
        await catalogue.load()
        found = {change.program: change for change in catalogue.since(0).changes}
        for change in CHANGES[: catalogue.heard]:
            assert found[change.program].version >= change.version, "what it says to have heard it knows"
        later = change_of(program_of("later", version=5).header)
        await catalogue.learn([later])
        assert catalogue.get("later")
        return found or None

    return asyncio.run(read())


TABLES = tuple(program_of(f"film-{segments}", segments=segments) for segments in (1, 3, 60))


def write_tables(folder, record):
    async def write():
        parts = Parts(DiskFiles(), folder / "state" / "parts")
        held = set()
        for program in TABLES:
            held.add(program.name)
            record.begin(frozenset(held))
            await parts.keep(program.header, program.segments.octets)
            record.acknowledge(frozenset(held))

    asyncio.run(write())


def read_tables(folder):
    async def read():
        parts = Parts(DiskFiles(), folder / "state" / "parts")
        found = frozenset([program.name for program in TABLES if await parts.program(program.header)])
        for program in TABLES:
            await parts.keep(program.header, program.segments.octets)
        return found or None

    return asyncio.run(read())


async def _open(folder):
    return await SegmentStore.open(DiskFiles(), [folder / "channel-1", folder / "channel-2"])


async def _receive(store, number):
    segment, content = segment_of(number)
    async with store.receive(_CUT, segment) as reception:
        if not reception.has_index:
            await reception.put_index(index_octets(content))
        while reception.length_bytes < len(content):
            await reception.write(content[reception.length_bytes : reception.length_bytes + _PIECE_BYTES])
        await reception.store()


def write_segments(folder, record):
    async def write():
        store = await _open(folder)
        held = set()
        for number in range(4):
            held.add(number)
            record.begin(frozenset(held))
            await _receive(store, number)
            record.acknowledge(frozenset(held))
        held.remove(1)
        record.begin(frozenset(held))
        await store.let_go(_CUT, [1])
        record.acknowledge(frozenset(held))
        store.close()

    asyncio.run(write())


def read_segments(folder):
    async def read():
        store = await _open(folder)
        held = frozenset(store.numbers(_CUT))
        for number in sorted(held):
            stored = await store.read(_CUT, number)
            buffer = bytearray(segment_of(number)[0].length_bytes)
            await stored.read_into(0, memoryview(buffer))
            stored.close()
            assert bytes(buffer) == segment_of(number)[1]
            if segment_of(number)[0].index:
                assert await store.read_index(_CUT, number) == index_octets(segment_of(number)[1])
        # Whatever was left of one that was on its way, it comes: at once, or anew where what was left was rotten.
        for number in set(range(4)) - held:
            try:
                await _receive(store, number)
            except WrongContent:
                await _receive(store, number)
        store.close()
        return held or None

    return asyncio.run(read())


def _make_earlier(folder, number):
    """As an earlier release has left it."""
    segment, content = segment_of(number)
    channel = folder / "channel-1"
    name = segment_path(channel, SegmentKey(_CUT, number), content_of(segment)).name
    DiskFiles().make_folder(channel / "film")
    file = DiskFiles().append(channel / ".on-its-way")
    file.write(content)
    file.sync()
    file.close()
    DiskFiles().rename(channel / ".on-its-way", channel / "film" / name)
    DiskFiles().sync_folder(channel / "film")
    DiskFiles().sync_folder(channel)


def write_earlier_segments(folder, record):
    async def write():
        for number in range(3):
            record.begin(frozenset(range(number + 1)))
            _make_earlier(folder, number)
            record.acknowledge(frozenset(range(number + 1)))
        store = await SegmentStore.open(DiskFiles(), [folder / "channel-1"])
        assert await store.adopt(program_of("film"))
        store.close()

    asyncio.run(write())


def read_earlier_segments(folder):
    async def read():
        store = await SegmentStore.open(DiskFiles(), [folder / "channel-1"])
        program = program_of("film")
        await store.adopt(program)
        held = frozenset(store.numbers(program.cut))
        for number in held:
            (await store.read(program.cut, number)).close()
        store.close()
        return held or None

    return asyncio.run(read())
