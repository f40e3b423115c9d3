"""One program more is published, and distributed, among 100, 10,000 and 50,000: CPU at the center and at a director.

Center and director are processes with real sockets and files; an engine stores at once what it is ordered to. Each
length is measured in a run of its own, `python -m benchmarks.growth PROGRAMS`.
"""

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from pathlib import Path
from statistics import median

import msgspec
import psutil

from benchmarks.center import HOME, keep, serve_center
from benchmarks.figure import Figure, show
from benchmarks.parties import Engine, HomeDirector, film
from benchmarks.redirect import answers
from benchmarks.served import Control, Served, served
from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.director import direct
from blade_agent.main_board.director.duty import DirectorDuty
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.server import serve
from media_network.messages.content import (
    ASK_PROGRAM_ROW,
    DISTRIBUTE,
    PUBLISH,
    WITHDRAW,
    AskProgramRow,
    Distribute,
    Publish,
    Withdraw,
)
from media_network.messages.verb import Reply, Request, Verb

LENGTHS = (100, 10_000, 50_000)
PUBLISHED, DISTRIBUTED, SEGMENTS = 10, 4, 60
IDLE_S = 6.0
STATION = "north"
DIRECTOR, ENGINE = Address("127.255.7.1", 8081), Address("127.255.7.2", 8081)
HOME_DIRECTOR = Address("127.255.7.9", 8081)
_LOOK_EVERY_S = 0.005
_MIB = 1024 * 1024
RATIO_MAX = 1.5
"""What was promised: at the greatest length, to the smallest."""


class Grown(msgspec.Struct):
    """A network with a catalogue of some length. CPU is in milliseconds a program."""

    publish_at_center_ms: float
    publish_at_director_ms: float
    distribute_at_center_ms: float
    distribute_at_director_ms: float
    withdrawn_ms: float
    """Until an engine of the station knows of a withdrawal, which is told by the feed alone."""
    idle_percent: float
    center_mib: float


def main() -> None:
    """Measure each length and print."""
    grown = {length: _measured(length) for length in LENGTHS}
    short, long = grown[LENGTHS[0]], grown[LENGTHS[-1]]
    show(
        *(figure for what, of in _CPU.items() for figure in _beside_the_first(what, of, grown, short)),
        Figure(
            figure=f"until a station's engine knows of a withdrawal, among {LENGTHS[-1]:,}",
            value=long.withdrawn_ms,
            unit="ms",
            peer=1000.0,
            peer_name="the mean of a question every 2 s",
        ),
        Figure(
            figure=f"an idle center, {LENGTHS[-1]:,} programs",
            value=long.idle_percent,
            unit="% of a core",
            peer=1.0,
            peer_name="promised",
        ),
        Figure(figure="its memory", value=long.center_mib, unit="MiB", peer=300.0, peer_name="promised"),
    )


_CPU: dict[str, Callable[[Grown], float]] = {
    "the center publishes one more": lambda grown: grown.publish_at_center_ms,
    "a director hears of it": lambda grown: grown.publish_at_director_ms,
    f"the center has one more of {SEGMENTS} segments distributed": lambda grown: grown.distribute_at_center_ms,
    "a director obtains it": lambda grown: grown.distribute_at_director_ms,
}


def _beside_the_first(what: str, of: Callable[[Grown], float], grown: dict[int, Grown], short: Grown) -> list[Figure]:
    return [
        Figure(
            figure=f"{what}, among {length:,}",
            value=of(each),
            unit="CPU ms",
            peer=of(short) * (RATIO_MAX if length != LENGTHS[0] else 1.0),
            peer_name=f"{RATIO_MAX:g} x that among {LENGTHS[0]}" if length != LENGTHS[0] else "itself",
        )
        for length, each in grown.items()
    ]


def _measured(length: int) -> Grown:
    command = [sys.executable, "-m", "benchmarks.growth", str(length)]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return msgspec.json.decode(told, type=Grown)


async def grow(length: int, folder: Path) -> Grown:
    """Fill a registry, have a station know all of it, and measure."""
    programs = [film(number, 2) for number in range(length)]
    further = [film(1_000_000 + number, SEGMENTS) for number in range(DISTRIBUTED)]
    await keep(folder, [*programs, *further])
    await fill(folder)
    async with AsyncExitStack() as stack:
        center = await stack.enter_async_context(served(partial(serve_center, str(folder))))
        http = await stack.enter_async_context(HttpClient(random.Random(1)))
        home = HomeDirector(HOME, HOME_DIRECTOR, center.address)
        await stack.enter_async_context(serve(home.table(), HOME_DIRECTOR))
        held = {each.cut: range(each.header.segments) for each in (*programs[:PUBLISHED], *further)}
        await home.register(http, held, heard=length)
        engine = Engine(ENGINE, DIRECTOR, {})
        await engine.serve(http, stack)
        director = await stack.enter_async_context(served(partial(serve_director, str(folder), str(center.address))))
        tasks = await stack.enter_async_context(asyncio.TaskGroup())
        duty = tasks.create_task(engine.be_on_duty())
        await until(lambda: engine.known_until >= length + DISTRIBUTED)
        await asyncio.sleep(2.0)
        measuring = Measuring(center, director, http, engine)
        idle = await measuring.idle()
        published = await measuring.each(programs[:PUBLISHED], measuring.publish, idle)
        distributed = await measuring.each(further, measuring.distribute, idle)
        withdrawn_s = [await measuring.withdraw(program.name) for program in programs[:PUBLISHED]]
        memory_mib = psutil.Process(center.pid).memory_info().rss / _MIB
        duty.cancel()
    return Grown(*published, *distributed, median(withdrawn_s) * 1e3, idle[0] * 100, memory_mib)


class Measuring:
    """What center and director spend on what they are ordered."""

    def __init__(self, center: Served, director: Served, http: HttpClient, engine: Engine) -> None:
        self._center, self._director, self._http, self._engine = center, director, http, engine

    async def idle(self) -> tuple[float, float]:
        """CPU seconds a second of both while nothing happens."""
        await self._costs()
        await asyncio.sleep(IDLE_S)
        center_s, director_s = await self._costs()
        return center_s / IDLE_S, director_s / IDLE_S

    async def each(self, programs: list, order: Callable, idle: tuple[float, float]) -> tuple[float, float]:
        """CPU milliseconds of both for a program, beyond what they spend anyway."""
        loop = asyncio.get_running_loop()
        await self._costs()
        began_s = loop.time()
        for program in programs:
            await order(program.name)
        took_s = loop.time() - began_s
        spent = await self._costs()
        beyond = [(cost_s - share * took_s) / len(programs) * 1e3 for cost_s, share in zip(spent, idle, strict=True)]
        return beyond[0], beyond[1]

    async def publish(self, name: str) -> None:
        """Until an engine of the station has heard of it."""
        known = self._engine.known_until
        await self._ask(PUBLISH, Publish(name))
        await until(lambda: self._engine.known_until > known)

    async def distribute(self, name: str) -> None:
        """Until the registry knows that it is there."""
        stored = self._engine.stored
        await self._ask(DISTRIBUTE, Distribute(program=name, stations=(STATION,), copies=1))
        await until(lambda: self._engine.stored >= stored + SEGMENTS)
        to_do: tuple[str, ...] = (STATION,)
        while to_do:
            await asyncio.sleep(40 * _LOOK_EVERY_S)
            to_do = (await self._ask(ASK_PROGRAM_ROW, AskProgramRow(name))).to_be_carried_out

    async def withdraw(self, name: str) -> float:
        """Seconds until an engine of the station has heard of it."""
        loop, known = asyncio.get_running_loop(), self._engine.known_until
        began_s = loop.time()
        await self._ask(WITHDRAW, Withdraw(name))
        await until(lambda: self._engine.known_until > known)
        return loop.time() - began_s

    async def _costs(self) -> tuple[float, float]:
        return await self._center.cost_s(), await self._director.cost_s()

    async def _ask(self, verb: Verb[Request, Reply], message: Request) -> Reply:
        answer = await self._http.tell(self._center.address, verb, message, deadline_s=20.0)
        if answer is None:
            raise OSError(f"{verb.path} is refused")
        return answer


async def fill(folder: Path) -> None:
    """Every program is at an archive, by an order that stands."""
    repository = SqliteRepository.open(folder / "registry.sqlite")
    writer = repository.store.writer
    with writer:
        writer.execute(
            "INSERT INTO stations (station, number, director, media, epoch, generation)"
            " VALUES ('archive', 1, $1, $1, 1, 1)",
            (str(HOME_DIRECTOR),),
        )
        writer.execute("INSERT INTO locations (program, chunk, station, mask) SELECT number, 0, 1, 3 FROM programs")
        writer.execute(
            "INSERT INTO orders (program, station, state, copies, reached)"
            " SELECT number, 'archive', 'distributed', 1, 1 FROM programs"
        )
    await repository.close()


async def serve_director(folder: str, center: str, control: Control) -> None:
    """A director as a main board runs it."""
    state = Path(folder) / "director"
    state.mkdir()
    duty = DirectorDuty(
        station=STATION,
        address=DIRECTOR,
        media=DIRECTOR._replace(port=8080),
        epoch=1,
        center=Address.parse(center),
        state=state,
    )
    catalogue = Catalogue(DiskFiles(), state / "catalogue")
    await catalogue.load()
    directing = asyncio.create_task(direct(duty, catalogue, random.Random(1)))
    await answers(DIRECTOR)
    await control.report(DIRECTOR)
    directing.cancel()
    with suppress(asyncio.CancelledError):
        await directing


async def until(look: Callable[[], object]) -> None:
    """Look until it is so."""
    while True:
        if look():
            return
        await asyncio.sleep(_LOOK_EVERY_S)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as place:
            measured = asyncio.run(grow(int(sys.argv[1]), Path(place)))
        sys.stdout.buffer.write(msgspec.json.encode(measured))
    else:
        main()
