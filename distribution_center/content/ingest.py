"""Ingest (claim 2): a film on disk becomes a program, cut into segments in a spool folder.

The work is done in a process of its own (`ingest_process`): it takes all of a core, and a hostile film may crash it.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

import distribution_center
from distribution_center.content.errors import INGEST_ERRORS, IngestCrashed
from distribution_center.content.ingest_report import (
    SEGMENTS,
    Failed,
    IngestOrder,
    IngestStep,
    Produced,
    Report,
    uri_of,
)
from media_network.callback import do_nothing
from media_network.files import DiskFiles
from media_network.program import Program

_WORK_PREFIX = ".ingest-"
_LONGEST_REPORT_BYTES = 1 << 24  # the report of a program: 128 bytes a segment
_LONGEST_DETAIL = 200


async def ingest(
    source: Path,
    spool: Path,
    *,
    title: str,
    segment_ms: int = 2000,
    longest_segment_ms: int = 12_000,
    on_progress: Callable[[float], None],
    admit: Callable[[Program], Awaitable[None]] | None = None,
    attach: Callable[[bytes], object] = do_nothing,
    name: str | None = None,
) -> Program:
    """Ingest the film at `source`: afterwards `spool/<program>/<number>.ts` are there and durable.

    A group of pictures up to `longest_segment_ms` is a segment as it is, longer ones are encoded anew. `on_progress`
    takes the fraction done. `admit` may raise `IngestError` before anything of the program that is there already is
    touched. `attach` is given the bytes of each attachment that the header names, in order. `name` is what errors call
    the source (default: its path). The same film gives the same program. Raises `IngestError`; then, or when
    cancelled, nothing is left behind.
    """
    with _work_folder(spool) as work:
        order = IngestOrder(
            path=uri_of(source),
            name=name or os.fsencode(source).decode(errors="replace"),
            folder=str(work),
            title=title,
            segment_ms=segment_ms,
            longest_segment_ms=longest_segment_ms,
        )
        made = await _run(order, on_progress)
        program = made.program
        if admit:
            await admit(program)
        for octets in made.attachments:
            attach(octets)
        target = spool / program.name
        if target.exists():  # from an ingest before: the same bytes, or what is left of them
            shutil.rmtree(target)
        (work / SEGMENTS).rename(target)
        DiskFiles().sync_folder(spool)
    return program


@contextmanager
def _work_folder(spool: Path) -> Iterator[Path]:
    DiskFiles().make_folder(spool)
    work = Path(tempfile.mkdtemp(prefix=_WORK_PREFIX, dir=spool))
    try:
        yield work
    finally:
        shutil.rmtree(work)


async def _run(order: IngestOrder, on_progress: Callable[[float], None]) -> Produced:
    """Run the process to its end and answer with what it produced."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "distribution_center.content.ingest_process", msgspec.json.encode(order).decode()),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LONGEST_REPORT_BYTES,
        env={**os.environ, "PYTHONPATH": str(Path(distribution_center.__file__).parents[1])},
    )
    try:
        return await _follow(process, order, on_progress)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _follow(process: Process, order: IngestOrder, on_progress: Callable[[float], None]) -> Produced:
    reports, complaints = process.stdout, process.stderr
    if reports is None or complaints is None:
        raise ValueError("the process must have been started with pipes")
    decoder = msgspec.json.Decoder(Report)
    async for line in reports:
        match decoder.decode(line):
            case IngestStep(fraction):
                on_progress(fraction)
            case Produced() as made:
                on_progress(1.0)
                await process.wait()
                return made
            case Failed(error, facts):
                raise msgspec.convert(facts, INGEST_ERRORS[error])
    detail = (await complaints.read()).decode(errors="replace").strip()
    raise IngestCrashed(order.name, await process.wait(), detail.rpartition("\n")[2][:_LONGEST_DETAIL])
