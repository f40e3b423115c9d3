"""Every figure, in one table: `python -m benchmarks [--json] [NAME ...]`.

Each file of this folder measures one thing in a process of its own, beside somebody else's way or what bounds it, and
is run several times; the table shows medians.
"""

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.figure import Figure

ROOT = Path(__file__).resolve().parents[1]
RUNS = {
    "starts": 1,
    "idle_agent": 1,
    "chassis_up": 3,
    "thousand_blades": 3,
    "controller": 3,
    "pull": 3,
    "push": 2,
    "hand_over": 1,
    "steering": 1,
    "fast_forward": 3,
    "surprise_pull": 1,
    "redirect": 3,
    "catalogue": 1,
    "growth": 1,
    "director_restart": 3,
    "center": 2,
    "registry_size": 1,
    "fleet": 1,
    "viewers": 1,
    "on_demand": 1,
    "control_call": 3,
    "mutual_tls": 3,
    "tokens": 3,
    "entitlement": 1,
    "copy": 3,
    "cutter": 3,
    "snmp": 3,
    "snmp_strangers": 1,
    "strangers": 1,
    "nms_poll": 1,
    "snmp_walk": 1,
    "snmp_fleet": 1,
}
"""Benchmarks, and how often each is run; one that takes many measurements by itself is run once."""
HEADINGS = ("FIGURE", "VALUE", "UNIT", "BESIDE", "WHICH IS", "RUNS")
_TIMEOUT_S = 600


def main() -> None:
    """Run what was named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, beside peers or bounds.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(RUNS)} (default: all)")
    parser.add_argument("--json", action="store_true", help="a list of objects")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in RUNS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(RUNS)}")
    figures, failed = [], []
    for name in options.names or RUNS:
        try:
            figures += measure(name)
        except NotMeasured as error:
            # What was measured before, and what comes after, is worth its time all the same.
            failed.append(str(error))
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(figures)).decode() + "\n")
    elif figures:
        sys.stdout.write(f"{table(figures)}\n\nMedians of RUNS measurements on {machine()}.\n")
    if failed:
        raise SystemExit("\n".join(failed))


class NotMeasured(Exception):
    """A benchmark has failed."""


def measure(name: str) -> list[Figure]:
    """The medians of one benchmark's figures. Raises NotMeasured."""
    runs = []
    for number in range(RUNS[name]):
        progress(f"{name} ({number + 1} of {RUNS[name]})")
        runs.append(run_once(name))
    progress("")
    return [combine(list(same)) for same in zip(*runs, strict=True)]


def run_once(name: str) -> list[Figure]:
    """Run a benchmark in a process of its own. Raises NotMeasured."""
    try:
        finished = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"benchmark {name} has not ended within {_TIMEOUT_S} s") from error
    if finished.returncode:
        raise NotMeasured(f"benchmark {name} failed:\n{finished.stderr}")
    return [msgspec.json.decode(line, type=Figure) for line in finished.stdout.splitlines()]


def combine(runs: list[Figure]) -> Figure:
    """The median run of a figure, and the median of what stands beside it."""
    peers = [run.peer for run in runs if run.peer is not None]
    return msgspec.structs.replace(
        runs[0],
        value=median(run.value for run in runs),
        peer=median(peers) if peers else None,
        runs=sum(run.runs for run in runs),
    )


def table(figures: list[Figure]) -> str:
    """Figures for a person."""
    rows = [HEADINGS, *(cells(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    right = {1, 3, 5}
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def machine() -> str:
    """What it was measured on."""
    cores = len(os.sched_getaffinity(0))
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{cores} cores of {platform.machine()}, Linux {kernel}, Python {platform.python_version()}"


def cells(figure: Figure) -> tuple[str, ...]:
    """One row."""
    beside = "" if figure.peer is None else number(figure.peer)
    return (figure.figure, number(figure.value), figure.unit, beside, figure.peer_name, str(figure.runs))


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def progress(what: str) -> None:
    """Say what is being measured, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{what}")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
