"""Bring a network up from a command, see it through until it serves, and end it."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

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
from chassis_emulator.network.start_report import Started, StartFailed
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import Topology
from media_network.callback import do_nothing

DAEMON = (sys.executable, "-m", "chassis_emulator.network.daemon")
_PACKAGES = Path(__file__).resolve().parents[2]
_LOOK_AGAIN_S = 0.05
_ANSWER_TIMEOUT_S = 20.0


def bring_up(folder: StateFolder, topology: Topology, daemon: Sequence[str] = DAEMON) -> tuple[str, ...] | None:
    """Bring `topology` up in `folder`: None if it was not up, else the names of the processes that had to be revived.

    Raises AnotherIsUp, StartRefused, EnvironmentLost, StateFolderError.
    """
    folder.prepare()
    running = _running(folder)
    if running is None:
        _start(folder, topology, daemon)
        return None
    if running.topology != topology:
        raise AnotherIsUp(running.topology.name, folder.path, folder.holder())
    return order(folder, REVIVE, Revive()).names


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
    if not folder.is_up():
        return False
    # Without an answer it is on its way up or down already, which is waited for below.
    with suppress(NotUp, EnvironmentLost):
        order(folder, END, EndNetwork())
    give_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
    while folder.is_up():
        if time.monotonic() > give_up_at:
            raise EnvironmentLost(folder.log("environment"), f"has not ended after {_ANSWER_TIMEOUT_S:g} s")
        time.sleep(_LOOK_AGAIN_S)
    return True


def describe_missing(readiness: Readiness) -> list[str]:
    """What the network lacks to serve, one clause a fact; empty when it serves."""
    missing = [f"{name} has ended" for name in readiness.ended]
    if not readiness.center:
        missing.append("the center does not answer")
    for station in readiness.stations:
        if not station.director:
            missing.append(f"{station.station} has no director")
        elif station.engines < station.engines_wanted:
            missing.append(f"{station.station} has {station.engines} of {station.engines_wanted} engines")
        elif readiness.center and not station.registered:
            missing.append(f"the center does not know all of {station.station} yet")
    return missing


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
    return "center"


def _running(folder: StateFolder) -> RunningNetwork | None:
    """The network that is up. One that is just starting, or ending, is waited for."""
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


def _start(folder: StateFolder, topology: Topology, daemon: Sequence[str]) -> None:
    log = folder.log("environment")
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
            [*daemon, str(folder.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            start_new_session=True,
            # The packages are found from here, in a checkout as in an installation.
            cwd=_PACKAGES,
        )
    if process.stdin is None or process.stdout is None:
        raise EnvironmentLost(log, "cannot be reached")
    with process.stdin as topology_in, process.stdout as report_out:
        topology_in.write(msgspec.json.encode(topology))
        topology_in.close()
        line = report_out.readline()
    if not line:
        raise EnvironmentLost(log, f"ended while it started: {last_line(log)}")
    report = msgspec.json.decode(line, type=Started | StartFailed)
    if isinstance(report, StartFailed):
        process.wait()
        raise StartRefused(report.sentence, report.hint)
    # It outlives this command on purpose; without this, Python would warn that it was not waited for.
    process.returncode = 0
