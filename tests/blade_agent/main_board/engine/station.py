"""A station for the tests of its engines: real engines and real HTTP, with a director that the test scripts."""

import asyncio
import random
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.engine import EngineDuty, run_engine
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.layout import SegmentKey, content_of, segment_path
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.cut import Cut
from media_network.files import DiskFiles, Files
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve
from media_network.messages.enlisting import ENLIST, REPORT, Enlisted, Report, Reported
from media_network.messages.obtaining import COPY_DONE, Fetch
from media_network.messages.program_information import PART_PATH
from media_network.messages.streaming import (
    ASSUMED,
    NEXT_SEGMENT,
    PRELOAD,
    STOPPED,
    STREAM,
    HandOver,
    Next,
    Preload,
    Stream,
)
from media_network.messages.verb import Done
from media_network.segment_set import format_segments
from media_network.segment_table import Segment, SegmentTable
from media_network.ticket import TicketKey
from tests import programs
from tests.addresses import network_number
from tests.patience import PATIENCE_S

NETWORK = network_number()
EPOCH = 7
KEY = TicketKey(b"k" * 32)
PROGRAM = "river-0a1b"
TICKET = KEY.sign("copy", PROGRAM)
TABLE = SegmentTable.of(programs.empty_segments(3))
"""Of the program, as far as engines look at it: they hold it as it comes."""
CUT = Cut(PROGRAM, TABLE.sha256)
FOLDER = f"{PROGRAM}.{TABLE.sha256}"
"""Where a channel has it."""


def engine_at(slot: int) -> Address:
    """Where machines speak to an engine on real sockets."""
    return Address(f"127.{NETWORK}.0.{slot}", 8081)


def media_of(engine: Address) -> Address:
    """The media address of an engine."""
    return engine._replace(port=8080)


def segment_of(number: int, data: bytes) -> Segment:
    return programs.segment_of(data, number)


def make_segments(count: int, packets: int = 300, seed: int = 1) -> list[bytes]:
    """Segments of slightly different lengths; every packet is unlike every other."""
    rng = random.Random(seed)
    return [rng.randbytes((packets + 3 * number) * 188) for number in range(count)]


def path_of(channel: Path, segment: Segment, cut: Cut = CUT) -> Path:
    """Where a store holds a segment."""
    return segment_path(channel, SegmentKey(cut, segment.number), content_of(segment))


def inventory(store: SegmentStore) -> dict[str, str]:
    """All that is held, by program, of which there is one cut; as `segment_set` writes it."""
    programs = [cut.program for cut in store.cuts()]
    assert len(programs) == len(set(programs)), store.cuts()
    return {cut.program: format_segments(store.numbers(cut)) for cut in store.cuts()}


async def put(store: SegmentStore, cut: Cut, number: int, data: bytes, *, indexed: bool = False) -> Segment:
    segment = programs.segment_of(data, number, indexed=indexed)
    async with store.receive(cut, segment) as reception:
        if not reception.has_index:
            await reception.put_index(programs.index_octets(data))
        await reception.write(data[reception.length_bytes :])
        await reception.store()
    return segment


@dataclass
class ScriptedDirector:
    """Answers as the test told it, and remembers what it heard."""

    lease_ms: int = 2000
    token_keys: str = ""
    """Of engine tokens."""
    interval_ms: int = 100
    refuse_reports: object = None
    before_it_enlists: Callable[[], object] = do_nothing
    """What happens between an enlistment and its answer."""
    revoked: tuple = ()
    clock_us: int | None = None
    """What its answers to reports say of its clock."""
    plan: dict = field(default_factory=dict)
    """What to answer to NEXT_SEGMENT: by turn, a list of answers; the last is repeated."""
    assumed_answer: object = field(default_factory=Done)
    heard: list = field(default_factory=list)
    parts: dict = field(default_factory=lambda: {TABLE.sha256: TABLE.octets})
    """By their digests: what it gives of programs."""
    parts_asked: list = field(default_factory=list)
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    hears_of_copies: asyncio.Event = field(default_factory=asyncio.Event)
    """Until it is set, if a test clears it, nobody who says what became of a copy is answered."""
    address: Address = field(default_factory=lambda: Address("127.0.0.1", 0))

    def of(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]

    def table(self) -> HandlerTable:
        table = HandlerTable("scripted director")
        for verb, answer in {
            ENLIST: self._enlist,
            REPORT: self._report,
            COPY_DONE: self._copy_done,
            NEXT_SEGMENT: self._next,
            ASSUMED: self._assumed,
            STOPPED: self._done,
        }.items():
            table.verb(verb, answer)
        table.resource(PART_PATH, partial(part_response, read=self._part), "Parts of programs.")
        return table

    def fetch(self, segment: Segment, source: Address, **facts) -> Fetch:
        """An order to copy a segment, whose program's table is here."""
        order = Fetch(
            epoch=EPOCH,
            program=PROGRAM,
            segment=segment,
            table=TABLE.sha256,
            table_bytes=len(TABLE.octets),
            parts=str(self.address),
            source=str(source),
            ticket=TICKET,
        )
        return msgspec.structs.replace(order, **facts)

    async def _part(self, sha256):
        self.parts_asked.append(sha256)
        return self.parts.get(sha256)

    async def _hear(self, message):
        if self.silent.is_set():
            await asyncio.Event().wait()
        self.heard.append(message)

    async def _enlist(self, message):
        await self._hear(message)
        self.before_it_enlists()
        return Enlisted(
            ticket_key=(b"k" * 32).hex(),
            media="127.0.0.1:8080",
            report_interval_ms=self.interval_ms,
            lease_ms=self.lease_ms,
            token_keys=self.token_keys,
        )

    async def _report(self, message):
        await self._hear(message)
        if self.refuse_reports is not None:
            return self.refuse_reports
        return Reported(self.revoked, self.clock_us)

    def __post_init__(self):
        self.hears_of_copies.set()

    async def _copy_done(self, message):
        await self.hears_of_copies.wait()
        return await self._done(message)

    async def _done(self, message):
        await self._hear(message)
        return Done()

    async def _assumed(self, message):
        await self._hear(message)
        return self.assumed_answer

    async def _next(self, message):
        await self._hear(message)
        answers = self.plan.get(message.turn, [Next(None)])
        return answers.pop(0) if len(answers) > 1 else answers[0]


@asynccontextmanager
async def scripted(**options):
    director = ScriptedDirector(**options)
    async with serve(director.table(), director.address) as director.address, HttpClient(random.Random(5)) as client:
        director.client = client
        yield director


def _reports(messages):
    return [message for message in messages if isinstance(message, Report)]


def duty_of(director: ScriptedDirector, address: Address, slot: int, capacity_bps: int = 10**9) -> EngineDuty:
    return EngineDuty(
        slot=slot,
        address=address,
        media=media_of(address),
        director=director.address,
        epoch=EPOCH,
        capacity_bps=capacity_bps,
    )


@asynccontextmanager
async def engine(
    director: ScriptedDirector,
    folder: Path,
    address: Address,
    capacity_bps: int = 10**9,
    slot: int = 2,
    files: Files | None = None,
    counters: EngineCounters | None = None,
):
    """A real engine that has enlisted, and adds to `counters`; yields its store, which is on `files`."""
    store = await SegmentStore.open(files or DiskFiles(), [folder])
    duty = duty_of(director, address, slot, capacity_bps)
    catalogue = Catalogue(DiskFiles(), folder.parent / f"{folder.name} catalogue")
    await catalogue.load()
    task = asyncio.create_task(run_engine(duty, store, catalogue, random.Random(slot), counters))
    before = len(director.heard)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not any(message.engine == str(address) for message in _reports(director.heard[before:])):
                assert not task.done(), task.exception()
                await asyncio.sleep(0.005)
        yield store
    finally:
        task.cancel()
        await asyncio.wait([task])
        store.close()


class Console(asyncio.DatagramProtocol):
    """A media console's ear: every datagram with the one who sent it."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, tuple[str, int]]] = []

    def datagram_received(self, data, addr):
        self.datagrams.append((data, addr))

    @property
    def received(self) -> bytes:
        return b"".join(data for data, _ in self.datagrams)

    @property
    def senders(self) -> list[str]:
        """Hosts in the order in which they began to send."""
        hosts = [addr[0] for _, addr in self.datagrams]
        return [host for host, before in zip(hosts, [None, *hosts], strict=False) if host != before]


@asynccontextmanager
async def console():
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024 * 1024)
    ear.bind(("127.0.0.1", 0))
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(Console, sock=ear)
    protocol.address = "{}:{}".format(*transport.get_extra_info("sockname"))
    try:
        yield protocol
    finally:
        transport.abort()


def preload(session: str, turn: int, segment: Segment, console_address: str, rate_bps: int, epoch: int = EPOCH):
    return Preload(
        epoch=epoch,
        session=session,
        turn=turn,
        redirected=turn == 1,
        program=PROGRAM,
        table=TABLE.sha256,
        segment=segment,
        rate_bps=rate_bps,
        console=console_address,
    )


async def begin(director: ScriptedDirector, engine_address: Address, order: Preload):
    """Preload the first segment as the director, and ask for it as the console."""
    ready = await director.client.ask(engine_address, PRELOAD, order)
    stream = Stream(session=order.session, turn=order.turn, ticket=KEY.sign(order.session, order.program))
    return ready, await director.client.ask(media_of(engine_address), STREAM, stream)


def hand_over(turn: int, engine_address: Address, segment: Segment) -> Next:
    return Next(HandOver(turn=turn, engine=str(engine_address), segment=segment))
