"""A blade's catalogue as it grows: what one program more costs among 100, 10,000 and 50,000, beside writing its bytes.

Each length is measured in a process of its own, `python -m benchmarks.catalogue PROGRAMS`, for its memory.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import msgspec
import psutil

from benchmarks.figure import Figure, show
from blade_agent.main_board.catalogue import Catalogue, change_of
from media_network.files import DiskFiles
from media_network.messages.program_information import ProgramChange
from media_network.program import make_program
from media_network.segment_table import Segment, SegmentTable

LENGTHS = (100, 10_000, 50_000)
PAGE = 400
"""Changes that a message of half a mebibyte has."""
MORE = 40
"""Programs that come afterwards, one by one."""
_KIB, _MIB = 1024, 1024 * 1024
_SEGMENTS = SegmentTable.of(
    [Segment(number=number, length_bytes=188, duration_ticks=90_000, sha256="0" * 64) for number in range(2)]
)


class Grown(msgspec.Struct):
    """A catalogue of some length."""

    caught_up_s: float
    one_more_cpu_us: float
    one_more_ms: float
    memory_bytes: int
    load_s: float
    written_ms: float
    """Until the bytes of one program, in a file of their own, are on the disk."""


def main() -> None:
    """Measure each length and print."""
    grown = {length: _measured(length) for length in LENGTHS}
    short, long = grown[LENGTHS[0]], grown[LENGTHS[-1]]
    among = [f"among {length:,}" for length in LENGTHS]
    show(
        *(
            Figure(
                figure=f"a blade learns one more program {among[at]}",
                value=grown[length].one_more_cpu_us,
                unit="CPU us",
                peer=short.one_more_cpu_us,
                peer_name=among[0],
            )
            for at, length in enumerate(LENGTHS)
        ),
        Figure(
            figure=f"until it is on the disk, {among[-1]}",
            value=long.one_more_ms,
            unit="ms",
            peer=long.written_ms,
            peer_name="a file written, synced and renamed",
        ),
        Figure(
            figure=f"{LENGTHS[-1]:,} programs are caught up with",
            value=long.caught_up_s,
            unit="s",
            peer=long.written_ms * LENGTHS[-1] / 1000,
            peer_name="a file each",
        ),
        Figure(
            figure=f"memory of a program {among[-1]}",
            value=(long.memory_bytes - short.memory_bytes) / (LENGTHS[-1] - LENGTHS[0]) / _KIB,
            unit="KiB",
            peer=len(_octets(_change(1))) / _KIB,
            peer_name="its header as JSON",
        ),
        Figure(
            figure=f"a blade reads {LENGTHS[-1]:,} programs at its start",
            value=long.load_s,
            unit="s",
            peer=3.0,
            peer_name="what a director may take",
        ),
    )


def _measured(length: int) -> Grown:
    command = [sys.executable, "-m", "benchmarks.catalogue", str(length)]
    told = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return msgspec.json.decode(told, type=Grown)


async def _grow(length: int, folder: Path) -> Grown:
    process = psutil.Process()
    catalogue = Catalogue(DiskFiles(), folder / "catalogue")
    await catalogue.load()
    before_bytes = process.memory_info().rss
    began_s = time.perf_counter()
    for first in range(1, length + 1, PAGE):
        numbers = range(first, min(first + PAGE, length + 1))
        await catalogue.learn([_change(number) for number in numbers], until=numbers[-1])
    caught_up_s = time.perf_counter() - began_s
    memory_bytes = process.memory_info().rss - before_bytes
    costs, durations, written = [], [], []
    for number in range(length + 1, length + 1 + MORE):
        change = _change(number)
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await catalogue.learn([change], until=number)
        costs.append(time.process_time() - began_cpu_s)
        durations.append(time.perf_counter() - began_s)
        written.append(_write(folder / "one", _octets(change)))
    again = Catalogue(DiskFiles(), folder / "catalogue")
    began_s = time.perf_counter()
    await again.load()
    return Grown(
        caught_up_s=caught_up_s,
        one_more_cpu_us=median(costs) * 1e6,
        one_more_ms=median(durations) * 1e3,
        memory_bytes=memory_bytes,
        load_s=time.perf_counter() - began_s,
        written_ms=median(written) * 1e3,
    )


def _write(path: Path, octets: bytes) -> float:
    began_s = time.perf_counter()
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
    DiskFiles().sync_folder(path.parent)
    return time.perf_counter() - began_s


def _change(number: int) -> ProgramChange:
    program = make_program(
        _SEGMENTS,
        program=f"program-{number}",
        title=f"The film of a title that somebody has thought of, number {number}",
        rate_bps=8_000_000,
        sha256=f"{number:064x}",
        version=number,
    )
    return change_of(program.header)


def _octets(change: ProgramChange) -> bytes:
    return msgspec.json.encode(change)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        with tempfile.TemporaryDirectory() as place:
            grown = asyncio.run(_grow(int(sys.argv[1]), Path(place)))
        sys.stdout.buffer.write(msgspec.json.encode(grown))
    else:
        main()
