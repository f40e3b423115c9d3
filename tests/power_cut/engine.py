"""What a blade keeps: programs and segments."""

import asyncio
import hashlib
import random

import msgspec

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.store.errors import WrongContent
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.files import DiskFiles
from media_network.program import TS_PACKET_BYTES, Program, ProgramState, Segment
from media_network.segment_set import parse_segments

_PIECE_BYTES = 5000
_NAME = "film"


def program_of(name, segments=3, **changes):
    parts = tuple(segment_of(number)[0] for number in range(segments))
    program = Program(program=name, title=name, rate_bps=1, sha256="0" * 64, segments=parts)
    return msgspec.structs.replace(program, **changes)


def segment_of(number):
    content = random.Random(number).randbytes(TS_PACKET_BYTES * (40 + 20 * number))
    digest = hashlib.sha256(content).hexdigest()
    return Segment(number=number, length_bytes=len(content), duration_ms=1000, sha256=digest), content


def write_catalogue(folder, record):
    async def write():
        catalogue = Catalogue(DiskFiles(), folder / "state" / "catalogue")
        await catalogue.load()
        known = {}

        async def fact(change, work):
            change(known)
            record.begin(dict(known))
            await work
            record.acknowledge(dict(known))

        for program in (
            program_of("a"),
            program_of("b", segments=200),
            program_of("a", state=ProgramState.PUBLISHED),
        ):
            await fact(
                lambda known, program=program: known.update({program.program: program}), catalogue.learn([program])
            )
        await fact(lambda known: known.pop("b"), catalogue.forget(["b"]))

    asyncio.run(write())


def read_catalogue(folder):
    async def read():
        catalogue = Catalogue(DiskFiles(), folder / "state" / "catalogue")
        await catalogue.load()
        found = {program.program: program for program in catalogue}
        await catalogue.learn([program_of("later")])
        assert catalogue.get("later")
        return found or None

    return asyncio.run(read())


async def _open(folder):
    return await SegmentStore.open(DiskFiles(), [folder / "channel-1", folder / "channel-2"])


async def _receive(store, number):
    segment, content = segment_of(number)
    async with store.receive(_NAME, segment) as reception:
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
        await store.remove(_NAME, 1)
        record.acknowledge(frozenset(held))
        store.close()

    asyncio.run(write())


def read_segments(folder):
    async def read():
        store = await _open(folder)
        held = parse_segments(store.inventory().get(_NAME, ""))
        for number in sorted(held):
            stored = await store.read(_NAME, number)
            buffer = bytearray(segment_of(number)[0].length_bytes)
            await stored.read_into(0, memoryview(buffer))
            stored.close()
            assert bytes(buffer) == segment_of(number)[1]
        # Whatever was left of one that was on its way, it comes: at once, or anew where what was left was rotten.
        for number in set(range(4)) - held:
            try:
                await _receive(store, number)
            except WrongContent:
                await _receive(store, number)
        store.close()
        return held or None

    return asyncio.run(read())
