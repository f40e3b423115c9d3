"""How long it takes to do without a blade that is pulled out without a word: without a sender, without a director.

At one station of a network the engine that sends is taken out as a hand would take it, at others the director (by the
order that `chassis-emulator pull --surprise` gives), and put back. A measurement begins with the end of the
blade's process, as the kernel tells it, and ends with the first datagram of the same stream from another engine, by
the kernel's time of arrival, or with the first playlist that another blade hands out as director. What lies between
the two engines' datagrams in the program is lost. Beside it stands what is aimed at.
"""

import argparse
import os
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self, TypeVar

from benchmarks.figure import Figure, show
from benchmarks.network import CLIP, Network, laptop
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.orders import CHASSIS, AskChassis, ChassisState, SlotState
from chassis_emulator.chassis.orders import INSERT, PULL, InsertBlade, PullBlade
from chassis_emulator.network.control import PROCESSES, ListProcesses, ProcessRow, order
from chassis_emulator.network.state_folder import StateFolder
from media_network import local_orders
from media_network.refusal import Refused
from media_network.schedule import TICK_S

TOPOLOGY = """\
network: 67
name: surprise-pull
center: {name: main, home: home}
stations:
  - {name: home, slots: 2}
  - {name: north, slots: 6}
  - {name: south, slots: 4}
  - {name: west, slots: 4}
"""
SENDERS_AT = "north"
DIRECTORS_AT = ("south", "west")
RUNS = 50
CONSOLES = 3
SEGMENT_MS = 800
STREAM_GOAL_MS = 200
DIRECTOR_GOAL_MS = 1000
_PATIENCE_S = 15.0
"""A blade that nobody has taken over from by then is given up."""
_LOOK_EVERY_S = 0.01
_STREAMS_S = 0.15
"""A console that got nothing for so long gets no stream just now."""
_TO_COME = 0.4
"""Share of the film of which a console that loses its sender has received nothing: with what was lost before, and with
what is passed over now, there has to be something to go on with."""
_LONGEST_DATAGRAM_BYTES = 65_536
_BUFFER_BYTES = 8 * 1024 * 1024
_SO_TIMESTAMPNS = 35
"""Linux, include/uapi/asm-generic/socket.h."""
_Found = TypeVar("_Found")


class Film(NamedTuple):
    """What is played."""

    program: str
    content: bytes
    duration_ms: int


class Gap(NamedTuple):
    """What a pull meant to a console."""

    waited_ms: float
    """From the end of the sender's process to the next datagram."""
    lost_ms: float
    """Of the stream: what lies between the last datagram of the one sender and the first of the other."""


def main() -> None:
    """Pull and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surprise_pull")
    parser.add_argument("--runs", type=int, default=RUNS, help="measurements of either kind (default: %(default)s)")
    runs = parser.parse_args().runs
    with laptop() as network, tempfile.TemporaryDirectory() as folder:
        film = bring_up(network, Path(folder) / "topology.yaml")
        with ThreadPoolExecutor() as stations:
            resuming = stations.submit(pull_senders, network, film, runs)
            of_each = -(-runs // len(DIRECTORS_AT))
            replacing = [stations.submit(pull_directors, network, film, station, of_each) for station in DIRECTORS_AT]
            gaps = resuming.result()
            replaced_ms = [waited_ms for station in replacing for waited_ms in station.result()]
    show(
        *spread("surprise pull of the sender to the next packet", [gap.waited_ms for gap in gaps], STREAM_GOAL_MS),
        *spread(
            "surprise pull of the sender, lost of the stream", [gap.lost_ms for gap in gaps], TICK_S * 1000, "a batch"
        ),
        *spread("surprise pull of the director to another one", replaced_ms, DIRECTOR_GOAL_MS),
    )


def bring_up(network: Network, plan: Path) -> Film:
    """A network with a film in service at every station."""
    plan.write_text(TOPOLOGY)
    network.run("chassis-emulator", "up", plan)
    film = network.json("distribution-center", "ingest", CLIP, "--segment-ms", SEGMENT_MS)
    for station in (SENDERS_AT, *DIRECTORS_AT):
        network.run("distribution-center", "distribute", film["program"], station, "--copies", 3)
    network.run("distribution-center", "publish", film["program"])
    whole = network.state / "whole.ts"
    network.run(
        *("media-console", "play", film["program"], "--station", SENDERS_AT, "--by", "hls", "--output", whole),
    )
    return Film(film["program"], whole.read_bytes(), film["duration_ms"])


def spread(what: str, waited_ms: Sequence[float], goal_ms: float, goal: str = "goal") -> Iterator[Figure]:
    """The middle and the end of a distribution."""
    for which, value in (("median", median(waited_ms)), ("worst", max(waited_ms))):
        yield Figure(
            figure=f"{what}, {which}", value=value, unit="ms", peer=goal_ms, peer_name=goal, runs=len(waited_ms)
        )


def pull_senders(network: Network, film: Film, runs: int) -> list[Gap]:
    """Pull whichever engine sends; what each of its consoles missed."""
    chassis = Chassis(network, SENDERS_AT)
    gaps: list[Gap] = []
    with viewers(network, film) as consoles:
        while len(gaps) < runs:
            wait_for(chassis.settled_director, "a chassis does not settle")
            sender = wait_for(lambda: chassis.sender(consoles), "nobody sends")
            died_at_s = chassis.pull_by_surprise(sender)
            cut_off = [console for console in consoles if console.sent_to_by(died_at_s) == sender.address]
            gaps += [console.wait_for_another(sender.address, died_at_s) for console in cut_off]
            chassis.put_back(sender)
    return gaps


def pull_directors(network: Network, film: Film, station: str, runs: int) -> list[float]:
    """Pull the director of a station; how long it took until another blade answered as director, in ms."""
    chassis = Chassis(network, station)
    path = f"/programs/{film.program}/playlist.m3u8"
    waited_ms = []
    for _ in range(runs):
        director = wait_for(chassis.settled_director, "a chassis does not settle")
        others = [row.address for row in chassis.rows() if row.slot != director.slot]
        died_at_s = chassis.pull_by_surprise(director)
        wait_for(partial(any_hands_out, others, path), "nobody becomes director")
        waited_ms.append((time.time() - died_at_s) * 1000)
        chassis.put_back(director)
    return waited_ms


def hands_out(host: str, path: str) -> bool:
    """Whether a blade answers as director: others redirect."""
    connection = HTTPConnection(host, 8080, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def any_hands_out(hosts: Sequence[str], path: str) -> bool:
    """Whether one of these blades does."""
    return any(hands_out(host, path) for host in hosts)


def wait_for(found: Callable[[], _Found | None], otherwise: str) -> _Found:
    """Look until something is found. Raises TimeoutError."""
    give_up_at_s = time.monotonic() + _PATIENCE_S
    while not (what := found()):
        if time.monotonic() > give_up_at_s:
            raise TimeoutError(otherwise)
        time.sleep(_LOOK_EVERY_S)
    return what


class Chassis:
    """One chassis of the network, its manager asked and its blades pulled."""

    def __init__(self, network: Network, station: str) -> None:
        self._folder = StateFolder(network.state)
        self._manager = network.state / "stations" / station / "manager" / "orders.sock"
        self._station = station
        self._gone: set[str | None] = set()
        """Boots that have been pulled: the chassis manager may show one as in service until it has noticed."""

    def rows(self) -> list[ProcessRow]:
        """The blades' processes."""
        rows = order(self._folder, PROCESSES, ListProcesses()).processes
        return [row for row in rows if row.station == self._station and row.slot]

    def settled_director(self) -> ProcessRow | None:
        """The director, if every main board has a role."""
        state = self._state()
        serving = [slot for slot in state.slots if slot.epoch == state.epoch and self._serves(slot)]
        director = next((slot.slot for slot in serving if slot.role is Role.DIRECTOR), None)
        if director is None or len(serving) < len(state.slots):
            return None
        return next((row for row in self.rows() if row.slot == director), None)

    def sender(self, consoles: "Sequence[Console]") -> ProcessRow | None:
        """The engine that sends to most of the consoles."""
        hosts = Counter(host for console in consoles if (host := console.sent_to_by(time.time())))
        if not hosts:
            return None
        ((host, _),) = hosts.most_common(1)
        return next((row for row in self.rows() if row.address == host and row.role == Role.ENGINE), None)

    def pull_by_surprise(self, row: ProcessRow) -> float:
        """Take a blade out; returns when its process ended, in seconds since 1970."""
        self._gone |= {slot.boot_id for slot in self._state().slots if slot.slot == row.slot}
        with Death(row.pid or 0) as death:
            order(self._folder, PULL, PullBlade(blade=row.name, surprise=True))
            return death.at_s

    def put_back(self, row: ProcessRow) -> None:
        """Put it back; it boots."""
        order(self._folder, INSERT, InsertBlade(row.name))

    def _state(self) -> ChassisState:
        state = local_orders.order(self._manager, CHASSIS, AskChassis())
        if isinstance(state, Refused):
            raise OSError(str(state))
        return state

    def _serves(self, slot: SlotState) -> bool:
        in_service = slot.hot_swap == "M4" and slot.main_board is MainBoardState.READY
        return in_service and slot.role is not Role.UNASSIGNED and slot.boot_id not in self._gone


class Death(threading.Thread):
    """Notes when a process ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = os.pidfd_open(pid)
        self._ended_at_s = 0.0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._process)

    def run(self) -> None:
        """Until it has ended."""
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        poll.poll()
        self._ended_at_s = time.time()

    @property
    def at_s(self) -> float:
        """When it ended; waits for it."""
        self.join()
        return self._ended_at_s


class Arrival(NamedTuple):
    """A datagram, as the kernel took it in."""

    at_s: float
    host: str
    data: bytes
    to_come_bytes: int
    """What the film has after it, if nothing was lost."""


class Console(threading.Thread):
    """Has a film played to a port of its own, over and over, and notes when what came from whom."""

    def __init__(self, network: Network, film: Film) -> None:
        super().__init__(daemon=True)
        self._network = network
        self._film = film
        self._arrivals: list[Arrival] = []
        self._to_come_bytes = 0
        self._closing = threading.Event()
        self._player: subprocess.Popen[bytes] | None = None
        self._ear = socket.socket(type=socket.SOCK_DGRAM)
        self._ear.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        self._ear.settimeout(_STREAMS_S)
        self._ear.bind(("127.0.0.1", 0))
        self.start()

    def run(self) -> None:
        """Until it is closed."""
        with self._ear:
            while not self._closing.is_set():
                if self._player is None or self._player.poll() is not None:
                    self._play()
                try:
                    data, ancillary, _, (host, _) = self._ear.recvmsg(_LONGEST_DATAGRAM_BYTES, 256)
                except TimeoutError:
                    continue
                ((_, _, stamp),) = ancillary
                seconds, nanoseconds = struct.unpack("=qq", stamp)
                self._to_come_bytes -= len(data)
                self._arrivals.append(Arrival(seconds + nanoseconds / 1e9, host, data, self._to_come_bytes))

    def close(self) -> None:
        """Stop playing."""
        self._closing.set()
        self.join()
        if self._player:
            self._player.terminate()
            self._player.wait()

    def sent_to_by(self, at_s: float) -> str | None:
        """Who was sending to it at that moment; None where nobody was, or not for much longer."""
        before = bisect_right(self._arrivals, at_s, key=lambda arrival: arrival.at_s)
        last = self._arrivals[before - 1] if before else None
        if last is None or at_s - last.at_s > _STREAMS_S or last.to_come_bytes < len(self._film.content) * _TO_COME:
            return None
        return last.host

    def wait_for_another(self, host: str, after_s: float) -> Gap:
        """What lies between an engine that ended at that moment and the one that goes on."""

        def first() -> int | None:
            later = range(bisect_right(self._arrivals, after_s, key=lambda arrival: arrival.at_s), len(self._arrivals))
            return next((number for number in later if self._arrivals[number].host != host), None)

        number = wait_for(first, f"the stream from {host} does not resume")
        before, after = self._arrivals[number - 1], self._arrivals[number]
        content = self._film.content
        begin = content.index(before.data, max(0, len(content) - before.to_come_bytes - len(before.data)))
        lost_bytes = content.index(after.data, begin) - begin - len(before.data)
        return Gap((after.at_s - after_s) * 1000, lost_bytes * self._film.duration_ms / len(content))

    def _play(self) -> None:
        self._to_come_bytes = len(self._film.content)
        port = self._ear.getsockname()[1]
        self._player = self._network.start(
            *("media-console", "play", self._film.program, "--station", SENDERS_AT, "--by", "push"),
            *("--to", f"127.0.0.1:{port}"),
        )


@contextmanager
def viewers(network: Network, film: Film) -> Iterator[Sequence[Console]]:
    """A few consoles that play."""
    consoles = [Console(network, film) for _ in range(CONSOLES)]
    try:
        yield consoles
    finally:
        for console in consoles:
            console.close()


if __name__ == "__main__":
    main()
