"""Copying segments from one engine to another, each durable before it counts, against `cp` and a sync of each file."""

import asyncio
import random
import subprocess
import tempfile
import time
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from benchmarks.figure import Figure, show
from benchmarks.served import Control, served
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.engine import EngineDuty, run_engine
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import ENLIST, REPORT, Enlist, Enlisted, Report, Reported
from media_network.messages.obtaining import COPY_DONE, FETCH, CopyDone, CopyResult, Fetch
from media_network.messages.program_information import PART_PATH
from media_network.messages.verb import Done
from media_network.packets import TS_PACKET_BYTES
from media_network.refusal import Refused
from media_network.segment_table import Segment, SegmentTable
from media_network.ticket import TicketKey

SEGMENTS = 16
SEGMENT_BYTES = 8 * 1024 * 1024 // TS_PACKET_BYTES * TS_PACKET_BYTES
PROGRAM = "benchmark"
KEY = bytes(32)
EPOCH = 1
MEDIA_PORT = 8080
CONTROL_PORT = 8081


class Parties(NamedTuple):
    """Where they speak to each other."""

    director: Address
    source: Address
    receiving: Address


class Director:
    """What two engines need of a director to copy."""

    def __init__(self, address: Address, table: SegmentTable) -> None:
        self.address = address
        self.table = table
        self.enlisted: set[str] = set()
        self.done: list[CopyDone] = []
        self.news = asyncio.Condition()

    def handlers(self) -> HandlerTable:
        """Its verbs."""
        table = HandlerTable("benchmark")
        table.verb(ENLIST, self._enlist)
        table.verb(REPORT, self._report)
        table.verb(COPY_DONE, self._copy_done)
        table.resource(PART_PATH, self._part)
        return table

    async def _part(self, request: web.Request) -> web.StreamResponse:
        async def read(_: str) -> bytes:
            return self.table.octets

        return await part_response(request, read)

    async def _enlist(self, message: Enlist) -> Enlisted:
        async with self.news:
            self.enlisted.add(message.engine)
            self.news.notify_all()
        return Enlisted(ticket_key=KEY.hex(), media=str(media(self.address)), report_interval_ms=500, lease_ms=3000)

    async def _report(self, _: Report) -> Reported:
        return Reported()

    async def _copy_done(self, message: CopyDone) -> Done:
        async with self.news:
            self.done.append(message)
            self.news.notify_all()
        return Done()


async def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        segments = await put_segments(root / "source")
        copied_s = await copy(root, segments)
        plain_s = await asyncio.to_thread(plain_copy, root)
    megabytes = SEGMENTS * SEGMENT_BYTES / 1e6
    show(
        Figure(
            figure="copying 16 segments of 8 MiB, engine to engine",
            value=megabytes / copied_s,
            unit="MB/s",
            peer=megabytes / plain_s,
            peer_name="cp and fsync, one by one",
        )
    )


async def put_segments(folder: Path) -> list[Segment]:
    """Store the segments at the source."""
    rng = random.Random(1)
    contents = [rng.randbytes(SEGMENT_BYTES) for _ in range(SEGMENTS)]
    segments = [
        Segment(number=number, length_bytes=len(data), duration_ticks=90_000, sha256=sha256(data).hexdigest())
        for number, data in enumerate(contents)
    ]
    cut = Cut(PROGRAM, SegmentTable.of(segments).sha256)
    store = await SegmentStore.open(DiskFiles(), [folder])
    for segment, data in zip(segments, contents, strict=True):
        async with store.receive(cut, segment) as reception:
            await reception.write(data)
            await reception.store()
    store.close()
    return segments


async def copy(root: Path, segments: list[Segment]) -> float:
    """Seconds from the first order to fetch to the last word that a segment is durable."""
    loop = asyncio.get_running_loop()
    at = parties()
    table = SegmentTable.of(segments)
    director = Director(at.director, table)
    async with (
        HttpClient(random.Random(1), at.director.host) as http,
        serve(director.handlers(), at.director),
        served(partial(serve_engine, root / "source", at.source, at.director)),
        served(partial(serve_engine, root / "receiving", at.receiving, at.director)),
    ):
        async with director.news:
            await director.news.wait_for(lambda: len(director.enlisted) == 2)
        began_s = loop.time()
        for segment in segments:
            answer = await http.ask(at.receiving, FETCH, order(segment, table, at.source, at.director))
            if isinstance(answer, Refused):
                raise OSError(str(answer))
        async with director.news:
            await director.news.wait_for(lambda: len(director.done) == SEGMENTS)
        took_s = loop.time() - began_s
    failed = [done for done in director.done if done.result is not CopyResult.STORED]
    if failed:
        raise OSError(failed[0].detail)
    return took_s


def parties() -> Parties:
    """Hosts of their own, so that two may measure at once."""
    net = random.SystemRandom().randrange(1, 255)
    return Parties(*(Address(f"127.255.{net}.{host}", CONTROL_PORT) for host in (1, 2, 3)))


def order(segment: Segment, table: SegmentTable, source: Address, parts: Address) -> Fetch:
    """The director's order."""
    ticket = TicketKey(KEY).sign(f"copy-{segment.number}", PROGRAM)
    return Fetch(
        epoch=EPOCH,
        program=PROGRAM,
        segment=segment,
        table=table.sha256,
        table_bytes=len(table.octets),
        parts=str(parts),
        source=str(media(source)),
        ticket=ticket,
    )


def plain_copy(root: Path) -> float:
    """Seconds of the same by other means."""
    target = root / "plain"
    target.mkdir()
    began_s = time.monotonic()
    for path in sorted((root / "source").rglob("*.ts")):
        subprocess.run(["cp", path, target], check=True)
        subprocess.run(["sync", target / path.name, target], check=True)
    return time.monotonic() - began_s


def media(address: Address) -> Address:
    """The media address of a party."""
    return address._replace(port=MEDIA_PORT)


async def serve_engine(folder: Path, address: Address, director: Address, control: Control) -> None:
    """An engine as a main board runs it."""
    store = await SegmentStore.open(DiskFiles(), [folder])
    duty = EngineDuty(slot=2, address=address, media=media(address), director=director, epoch=EPOCH, capacity_bps=10**9)
    catalogue = Catalogue(DiskFiles(), folder / "catalogue")
    await catalogue.load()
    running = asyncio.create_task(run_engine(duty, store, catalogue, random.Random()))
    await control.report(address)
    running.cancel()
    await asyncio.wait([running])
    store.close()


if __name__ == "__main__":
    asyncio.run(main())
