"""CPU of a stream at another speed: key pictures packed anew at the program's rate, against ffmpeg copying them alone.

The peer does less: it keeps neither the rate nor the clock.
"""

import asyncio
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, show
from benchmarks.network import CLIP
from blade_agent.main_board.director.sessions.course import Course
from blade_agent.main_board.engine.sending.trick_play import TrickPlay
from distribution_center.content.ingest import ingest
from distribution_center.content.segment_folder import index_path, segment_path
from media_network.packets import DATAGRAM_BYTES, TS_PACKET_BYTES
from media_network.program import Program
from media_network.segment_index import SegmentIndex, parse_index

SEGMENT_MS = 800
SCALES = (2, 16)
PASSES = 20


def main() -> None:
    """Measure both and print."""
    with tempfile.TemporaryDirectory() as folder:
        spool = Path(folder)
        program = asyncio.run(ingest(CLIP, spool, title="Benchmark", segment_ms=SEGMENT_MS, on_progress=lambda _: None))
        held = [read(spool / program.name, program, number) for number in range(len(program.segments))]
        figures = []
        for scale in SCALES:
            lasts_s = PASSES * program.header.duration_ms / 1000 / scale
            figures.append(
                Figure(
                    figure=f"fast forward, {scale} x, of {program.rate_bps / 1e6:.1f} Mbit/s",
                    value=play_cpu_s(program, held, scale) / lasts_s * 100,
                    unit="% of a core",
                    peer=ffmpeg_cpu_s(spool, held) / lasts_s * 100,
                    peer_name="ffmpeg -discard nokey -c copy",
                )
            )
    show(*figures)


def read(folder: Path, program: Program, number: int) -> tuple[bytes, SegmentIndex]:
    """A segment and its index."""
    segment = program.segments[number]
    index = parse_index(
        index_path(folder, number).read_bytes(),
        packets=segment.packets,
        ticks=segment.duration_ticks,
        length_bytes=segment.length_bytes,
    )
    return segment_path(folder, number).read_bytes(), index


def play_cpu_s(program: Program, held: list[tuple[bytes, SegmentIndex]], scale: int) -> float:
    """Make the whole program at a speed, a few times, as an engine makes it; returns CPU seconds."""
    course, before_s = Course(scale, 0), time.process_time()
    for _ in range(PASSES):
        number: int | None = 0
        while number is not None:
            content, index = held[number]
            trick = course.trick(program, number)
            if trick is None or make(TrickPlay(index, trick, program.rate_bps, len(content)), content) != trick.packets:
                raise ValueError(f"a turn of segment {number} is not what it is to be")
            number = course.after(program, number)
    return time.process_time() - before_s


def make(play: TrickPlay, content: bytes) -> int:
    """Take a turn datagram by datagram; returns how many packets it has."""
    made_bytes = 0
    while True:
        part = play.ask(len(content))
        if part:
            part.buffer[:] = content[part.offset : part.offset + len(part.buffer)]
            play.put(part)
        taken = len(play.take(DATAGRAM_BYTES))
        if not (taken or part):
            return made_bytes // TS_PACKET_BYTES
        made_bytes += taken


def ffmpeg_cpu_s(folder: Path, held: list[tuple[bytes, SegmentIndex]]) -> float:
    """The same pictures, copied by ffmpeg as often; returns CPU seconds."""
    film = folder / "film.ts"
    film.write_bytes(b"".join(content for content, _ in held) * PASSES)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "quiet", "-y", "-discard", "nokey", "-i", film),
            *("-map", "0:v", "-c", "copy", "-f", "mpegts", "/dev/null"),
        ],
        check=True,
        timeout=60,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
