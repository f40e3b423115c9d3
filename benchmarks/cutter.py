"""The byte-exact cutter: how fast it cuts a real program, against the hashing that it cannot do without."""

import asyncio
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from benchmarks.figure import Figure, show
from benchmarks.network import CLIP
from distribution_center.content.cutter import Cutter
from distribution_center.content.ingest import ingest
from media_network.program import Program

SEGMENT_MS = 2000
CHUNK_BYTES = 1024 * 1024
PASSES = 20


def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as folder:
        program, stream = asyncio.run(make_program(Path(folder)))
    chunks = [stream[begin : begin + CHUNK_BYTES] for begin in range(0, len(stream), CHUNK_BYTES)]
    show(
        Figure(
            figure="cutting a program",
            value=rate_mb_s(lambda: cut(program, chunks), len(stream)),
            unit="MB/CPU s",
            peer=rate_mb_s(lambda: hash_twice(chunks), len(stream)),
            peer_name="SHA-256 of program and segments alone",
        )
    )


async def make_program(spool: Path) -> tuple[Program, bytes]:
    """A program of the clip, and its bytes."""
    program = await ingest(CLIP, spool, title="Benchmark", segment_ms=SEGMENT_MS, on_progress=lambda _: None)
    folder = spool / program.name
    return program, b"".join((folder / f"{segment.number}.ts").read_bytes() for segment in program.segments)


def rate_mb_s(work: Callable[[], None], length_bytes: int) -> float:
    """Megabytes a second of this process's CPU."""
    work()
    before_s = time.process_time()
    for _ in range(PASSES):
        work()
    return PASSES * length_bytes / 1e6 / (time.process_time() - before_s)


def cut(program: Program, chunks: list[bytes]) -> None:
    """Cut, and see that it is the program."""
    cutter = Cutter(target_ms=SEGMENT_MS, rate_bps=program.rate_bps)
    for chunk in chunks:
        cutter.feed(chunk)
    cutter.close(program.segments.duration_ticks)
    if cutter.sha256 != program.header.sha256:
        raise ValueError(f"the cutter lost bytes of {program.name}")


def hash_twice(chunks: list[bytes]) -> None:
    """Once for the program, once for the segments."""
    for digest in (sha256(), sha256()):
        for chunk in chunks:
            digest.update(chunk)


if __name__ == "__main__":
    main()
