"""Bring a network up from a command, see it through until it serves, and end it."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from chassis_emulator.network.binding import changes
from chassis_emulator.network.control import (
    END,
    NETWORK,
    READINESS,
    REVIVE,
    AskNetwork,
    AskReadiness,
    EndNetwork,
    Readiness,
    Revive,
    RunningNetwork,
    order,
)
from chassis_emulator.network.errors import AnotherIsUp, EnvironmentLost, NotServing, NotUp, StartRefused
from chassis_emulator.network.known_networks import remember
from chassis_emulator.network.start_report import Started, StartFailed, StartOrder
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import Topology
from media_network.callback import do_nothing

DAEMON = (sys.executable, "-m", "chassis_emulator.network.daemon")
_PACKAGES = Path(__file__).resolve().parents[2]
_LOOK_AGAIN_S = 0.05
_ANSWER_TIMEOUT_S = 20.0


class BroughtUp(NamedTuple):
    """A network that is up."""

    topology: Topology
    """With the number that it has."""
    revived: tuple[str, ...] | None = None
    """Processes that had to be started again; None if it was not up."""
    changes: tuple[str, ...] = ()
    """What is otherwise than when it was last up in its folder, a clause each."""


def bring_up(
    folder: StateFolder, topology: Topology, daemon: Sequence[str] = DAEMON, *, any_number: bool = False
) -> BroughtUp:
    """Bring `topology` up in `folder`, or what has ended of it; by another number if its own is taken and `any_number`.

    Raises AnotherIsUp, StartRefused, EnvironmentLost, StateFolderError.
    """
    running = find_running(folder)
    if running is None:
        return start(spawn_daemon(folder, daemon), folder, topology, any_number=any_number)
    return revive(folder, running, topology, any_number=any_number)


def find_running(folder: StateFolder) -> RunningNetwork | None:
    """The network that is up. One that is just starting, or ending, is waited for.

    Raises EnvironmentLost, StateFolderError.
    """
    give_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
    while True:
        try:
            return order(folder, NETWORK, AskNetwork())
        except NotUp:
            if not folder.is_up():
                return None
        if time.monotonic() > give_up_at:
            raise EnvironmentLost(folder.log("environment"), "does not answer")
        time.sleep(_LOOK_AGAIN_S)


def revive(folder: StateFolder, running: RunningNetwork, topology: Topology, *, any_number: bool = False) -> BroughtUp:
    """Start what has ended of a network that is up. Raises AnotherIsUp: it is another one; EnvironmentLost."""
    wanted = replace(topology, network=running.topology.network) if any_number else topology
    if running.topology.name != wanted.name:
        raise AnotherIsUp(running.topology.name, folder.path, folder.holder())
    if running.topology != wanted:
        different = changes(running.topology, wanted)
        raise AnotherIsUp(running.topology.name, folder.path, folder.holder(), different)
    return BroughtUp(running.topology, order(folder, REVIVE, Revive()).names)


def wait_until_serving(folder: StateFolder, timeout_s: float, show: Callable[[Readiness], None] = do_nothing) -> None:
    """Return when every station serves and the center knows it. Raises NotServing, NotUp, EnvironmentLost."""
    give_up_at = time.monotonic() + timeout_s
    while True:
        readiness = order(folder, READINESS, AskReadiness())
        show(readiness)
        missing = describe_missing(readiness)
        if not missing:
            return
        if readiness.ended or time.monotonic() > give_up_at:
            culprit = readiness.ended[0] if readiness.ended else _first_silent(readiness)
            raise NotServing(missing, folder.log(culprit), last_line(folder.log(culprit)) if readiness.ended else "")
        time.sleep(_LOOK_AGAIN_S)


def take_down(folder: StateFolder) -> bool:
    """End the network and return when all its processes are gone; False if none was up. Raises EnvironmentLost."""
    if not tell_to_end(folder):
        return False
    wait_until_ended(folder)
    return True


def tell_to_end(folder: StateFolder) -> bool:
    """Order the network to end, also one that is just starting; False if none was up. Raises EnvironmentLost."""
    give_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
    was_up = False
    while folder.is_up():
        was_up = True
        with suppress(NotUp, EnvironmentLost):
            order(folder, END, EndNetwork())
            return True
        _sleep_unless(give_up_at, folder)
    return was_up


def wait_until_ended(folder: StateFolder) -> None:
    """Return when all processes of the network are gone. Raises EnvironmentLost: not in time."""
    give_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
    while folder.is_up():
        _sleep_unless(give_up_at, folder)


def _sleep_unless(give_up_at: float, folder: StateFolder) -> None:
    if time.monotonic() > give_up_at:
        raise EnvironmentLost(folder.log("environment"), f"has not ended after {_ANSWER_TIMEOUT_S:g} s")
    time.sleep(_LOOK_AGAIN_S)


def describe_missing(readiness: Readiness) -> list[str]:
    """What the network lacks to serve, one clause a fact; empty when it serves."""
    missing = [f"{name} has ended" for name in readiness.ended]
    missing += [f"{_the(name)} does not answer" for name in readiness.silent]
    if not readiness.authentication:
        missing.append("the authentication server does not serve")
    for station in readiness.stations:
        if not station.director:
            missing.append(f"{station.station} has no director")
        elif station.engines < station.engines_wanted:
            missing.append(f"{station.station} has {station.engines} of {station.engines_wanted} engines")
        elif readiness.center and not station.registered:
            missing.append(f"the center does not know all of {station.station} yet")
    return missing


def _the(name: str) -> str:
    return f"the {name}" if name == "center" else name


def last_line(log: Path) -> str:
    """The last line of a log that says something; empty if there is none."""
    try:
        lines = log.read_text(errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _first_silent(readiness: Readiness) -> str:
    """The process whose log to read first."""
    for station in readiness.stations:
        if not station.director:
            return f"{station.station}/1"
        if station.engines < station.engines_wanted:
            return f"{station.station}/manager"
    return readiness.silent[0] if readiness.silent else "environment"


def spawn_daemon(folder: StateFolder, daemon: Sequence[str]) -> subprocess.Popen[bytes]:
    """Start the process that a network will come from. It waits for `start`, and ends if that is not called.

    Raises StateFolderError.
    """
    folder.prepare()
    with folder.log("environment").open("ab") as output:
        return subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [*daemon, str(folder.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            # The packages are found from here, in a checkout as in an installation.
            cwd=_PACKAGES,
        )


def start(
    process: subprocess.Popen[bytes], folder: StateFolder, topology: Topology, *, any_number: bool = False
) -> BroughtUp:
    """Have a daemon start a network. If this is interrupted the daemon ends by itself, with all that it has started.

    Raises StartRefused, EnvironmentLost.
    """
    line = _converse(process, msgspec.json.encode(StartOrder(topology=topology, any_number=any_number)) + b"\n")
    if not line:
        log = folder.log("environment")
        raise EnvironmentLost(log, f"ended while it started: {last_line(log)}")
    report = msgspec.json.decode(line, type=Started | StartFailed)
    if isinstance(report, StartFailed):
        process.wait()
        raise StartRefused(report.sentence, report.hint)
    # It outlives this command on purpose; without this, Python would warn that it was not waited for.
    process.returncode = 0
    remember(folder)
    return BroughtUp(report.topology, changes=report.changes)


def _converse(process: subprocess.Popen[bytes], order: bytes) -> bytes:
    """Give the order, and read the report; nothing if the daemon has ended without one.

    Its standard input stays open until then: it is the daemon's lifeline.
    """
    line = b""
    if process.stdin and process.stdout:
        with suppress(BrokenPipeError), process.stdin as lifeline, process.stdout as report:
            with suppress(BrokenPipeError):
                lifeline.write(order)
                lifeline.flush()
            line = report.readline()
    return line
