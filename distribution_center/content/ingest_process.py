"""The process in which a film becomes a program: demuxers and decoders meet what strangers made, and may crash.

`python -m distribution_center.content.ingest_process ORDER` (JSON) writes the segments below the order's folder and
reports on standard output, a JSON object a line. `distribution_center.content.ingest` starts it.
"""

import errno
import os
import re
import resource
import shutil
import sys
import unicodedata
from dataclasses import asdict
from pathlib import Path

import av
import msgspec

from distribution_center.content.cutter import Cutter
from distribution_center.content.encode import encode
from distribution_center.content.errors import DiskFull, IngestError
from distribution_center.content.ingest_report import SEGMENTS, Failed, IngestOrder, IngestStep, Produced, Report
from distribution_center.content.multiplex import multiplex
from distribution_center.content.rate import required_rate_bps
from distribution_center.content.segment_folder import SegmentFolder
from distribution_center.content.source import open_source
from distribution_center.content.survey import OnProgress, SourceSurvey, survey
from media_network.callback import do_nothing
from media_network.program import Program

_INTERMEDIATE = "intermediate.mp4"
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PRIORITY_STEP = 5
_PROGRESS_STEP = 0.005
_LONGEST_SLUG = 48
_SURVEYED = 0.1
_ENCODED = 0.85


def produce(order: IngestOrder, on_progress: OnProgress) -> Program:
    """Make the program's segments. Raises `IngestError`."""
    folder = Path(order.folder)
    try:
        return _produce(order, folder, on_progress)
    except (OSError, av.FFmpegError) as error:
        if error.errno not in _NO_ROOM:
            raise
        free_bytes = shutil.disk_usage(folder).free
        raise DiskFull(order.name, str(folder), free_bytes + 1, free_bytes) from error


def _produce(order: IngestOrder, folder: Path, on_progress: OnProgress) -> Program:
    path = Path(order.path)
    with open_source(path, order.name) as source:
        plan = survey(source, segment_ms=order.segment_ms, on_progress=_part(on_progress, 0, _SURVEYED))
    done = _SURVEYED
    if plan.must_encode:
        done = _ENCODED
        path, plan = _encode(order, plan, folder / _INTERMEDIATE, _part(on_progress, _SURVEYED, _ENCODED))
    rate_bps = required_rate_bps(plan.loads)
    _require_room(order.name, folder, rate_bps * (plan.end_us - plan.begin_us) // 8_000_000)
    cutter = Cutter(target_ms=order.segment_ms, rate_bps=rate_bps)
    segments = SegmentFolder(folder / SEGMENTS, cutter)
    try:
        with open_source(path, order.name) as source:
            multiplex(source, plan, segments, rate_bps=rate_bps, on_progress=_part(on_progress, done, 1))
        segments.close()
    finally:
        segments.abandon()
    return Program(
        program=program_id(order.title, cutter.sha256),
        title=order.title,
        rate_bps=rate_bps,
        sha256=cutter.sha256,
        segments=tuple(cutter.segments),
    )


def _encode(order: IngestOrder, plan: SourceSurvey, target: Path, on_progress: OnProgress) -> tuple[Path, SourceSurvey]:
    """Encode what must be, and survey the result: its sizes are known only now."""
    with open_source(Path(order.path), order.name) as source:
        encode(source, plan, target, segment_ms=order.segment_ms, on_progress=on_progress)
    with open_source(target, order.name) as source:
        return target, survey(source, segment_ms=order.segment_ms, on_progress=do_nothing)


def program_id(title: str, sha256: str) -> str:
    """A name that people recognise, and that differs when a byte differs: a `ProgramId`."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_LONGEST_SLUG].strip("-")
    return f"{slug or 'program'}-{sha256[:8]}"


def _require_room(name: str, folder: Path, needed_bytes: int) -> None:
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise DiskFull(name, str(folder), needed_bytes, free_bytes)


def _part(on_progress: OnProgress, begin: float, end: float) -> OnProgress:
    """Progress of a part of the work, as progress of the whole."""
    return lambda fraction: on_progress(begin + fraction * (end - begin))


class _Reporter:
    """Writes reports, and progress only when it is worth a line."""

    def __init__(self) -> None:
        self._reported = -1.0

    def progress(self, fraction: float) -> None:
        if fraction >= self._reported + _PROGRESS_STEP:
            self._reported = fraction
            self.report(IngestStep(fraction))

    def report(self, report: Report) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Carry out the order in the first argument."""
    os.nice(_PRIORITY_STEP)  # streams are served beside this
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    av.logging.set_level(None)
    order = msgspec.json.decode(sys.argv[1], type=IngestOrder)
    reporter = _Reporter()
    try:
        reporter.report(Produced(produce(order, reporter.progress)))
    except IngestError as error:
        reporter.report(Failed(type(error).__name__, asdict(error)))


if __name__ == "__main__":
    main()
