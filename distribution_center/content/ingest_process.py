"""The process in which a film becomes a program: demuxers and decoders meet what strangers made, and may crash.

`python -m distribution_center.content.ingest_process ORDER` (JSON) writes the segments below the order's folder and
reports on standard output, a JSON object a line. `distribution_center.content.ingest` starts it.
"""

import os
import re
import resource
import shutil
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

import av
import msgspec

from distribution_center.content.appearance import Appearance, appearance_of
from distribution_center.content.cutter import Cutter
from distribution_center.content.encode import Encoded, encode
from distribution_center.content.errors import DamagedSource, DiskFull, IngestError
from distribution_center.content.ingest_report import (
    SEGMENTS,
    Failed,
    IngestOrder,
    IngestStep,
    Produced,
    Report,
    path_of,
    produced,
)
from distribution_center.content.material import Material, gather
from distribution_center.content.multiplex import multiplex
from distribution_center.content.rate import required_rate_bps
from distribution_center.content.schedule import TooLate
from distribution_center.content.segment_folder import SegmentFolder
from distribution_center.content.source import MediaSource, open_source
from distribution_center.content.survey import OnProgress, SourceSurvey, survey
from media_network.callback import do_nothing
from media_network.fields import LONGEST_SENTENCE
from media_network.files import DISK_FULL
from media_network.key_picture_table import MEDIA_TYPE, ROWS_MAX, key_picture_octets
from media_network.packets import TICK_HZ
from media_network.program import make_program
from media_network.program_header import (
    TITLE_LENGTH_MAX,
    WARNINGS_MAX,
    Attachment,
    AttachmentKind,
    StreamKind,
    StreamOrigin,
    attachment_of,
)
from media_network.segment_table import SegmentTable

_THRIFTY, _UNLIMITED, _RATES_TRIED = 1, 2, 12
_NEXT_RATE = 1.05
"""The first rate is reckoned; whole packets may need a little more."""
_PRIORITY_STEP = 5
_PROGRESS_STEP = 0.005
_LONGEST_SLUG = 48
_SURVEYED = 0.1
_ENCODED = 0.85


def produce(order: IngestOrder, on_progress: OnProgress) -> Produced:
    """Make the program's segments and what goes with them. Raises `IngestError`."""
    folder = Path(order.folder)
    try:
        return _produce(order, folder, on_progress)
    except (OSError, av.FFmpegError) as error:
        if error.errno not in DISK_FULL:
            if isinstance(error, av.FFmpegError):
                raise DamagedSource(order.name, 0, "libav cannot read what it says it holds") from error
            raise
        free_bytes = shutil.disk_usage(folder).free
        raise DiskFull(order.name, str(folder), free_bytes + 1, free_bytes) from error


def _produce(order: IngestOrder, folder: Path, on_progress: OnProgress) -> Produced:
    path, done = path_of(order.path), _SURVEYED
    with open_source(path, order.name) as source:
        plan = survey(
            source,
            segment_ms=order.segment_ms,
            longest_segment_ms=order.longest_segment_ms,
            on_progress=_part(on_progress, 0, _SURVEYED),
        )
        codecs = _codecs(source)
    encoded = _encode(order, path, plan, folder, _part(on_progress, _SURVEYED, _ENCODED))
    if plan.must_encode:
        done = _ENCODED
    try:
        rate_bps, cutter = _cut(order, path, plan, encoded, _part(on_progress, done, 1))
    except av.FFmpegError as error:
        if plan.video_reasons or error.errno in DISK_FULL:
            raise
        shutil.rmtree(folder / SEGMENTS)
        plan = replace(plan, video_reasons=("pictures are damaged",))
        encoded = _encode(order, path, plan, folder, do_nothing)
        rate_bps, cutter = _cut(order, path, plan, encoded, do_nothing)
    seen = appearance_of(folder / SEGMENTS, cutter.segments, len(plan.pictures.due_us))
    attached = _attachments(cutter, seen)
    program = make_program(
        SegmentTable.of(cutter.segments),
        program=program_id(order.title, cutter.sha256),
        title=order.title[:TITLE_LENGTH_MAX],
        rate_bps=rate_bps,
        sha256=cutter.sha256,
        film_bytes=path.stat().st_size,
        streams=_origins(codecs, plan),
        warnings=_sentences([*plan.warnings, *encoded.warnings]),
        picture=seen.picture,
        tracks=seen.tracks,
        attachments=tuple(attachment for attachment, _ in attached),
    )
    return produced(program, [octets for _, octets in attached])


def _attachments(cutter: Cutter, seen: Appearance) -> list[tuple[Attachment, bytes]]:
    """What goes with the program; of more key pictures than an attachment takes none is listed."""
    attached = []
    if seen.jpeg is not None:
        attached.append(attachment_of(AttachmentKind.PICTURE, "image/jpeg", seen.jpeg))
    if 0 < len(cutter.key_pictures) <= ROWS_MAX:
        octets = key_picture_octets(cutter.key_pictures)
        attached.append(attachment_of(AttachmentKind.KEY_PICTURES, MEDIA_TYPE, octets))
    return attached


def _encode(order: IngestOrder, path: Path, plan: SourceSurvey, folder: Path, on_progress: OnProgress) -> Encoded:
    """Encode what must be, if anything."""
    if not plan.must_encode:
        return Encoded()
    with open_source(path, order.name) as source:
        return encode(source, plan, folder, segment_ms=order.segment_ms, on_progress=on_progress)


def _cut(
    order: IngestOrder, path: Path, plan: SourceSurvey, encoded: Encoded, on_progress: OnProgress
) -> tuple[int, Cutter]:
    """Multiplex and cut, at the lowest rate at which all is in time.

    A film whose pictures come faster than its level allows is sent as fast as it must be.
    """
    rate_bps = 0
    for attempt in range(_RATES_TRIED):
        with gather(path, order.name, plan, encoded, within_level=attempt <= _THRIFTY) as material:
            rate_bps = round(rate_bps * _NEXT_RATE) if attempt > _UNLIMITED else rate_bps or _rate_bps(material)
            _require_room(order.name, Path(order.folder), rate_bps * plan.length_us // 8_000_000)
            cutter = Cutter(target_ms=order.segment_ms, rate_bps=rate_bps)
            segments = SegmentFolder(Path(order.folder) / SEGMENTS, cutter)
            try:
                multiplex(
                    material,
                    segments.write,
                    name=order.name,
                    rate_bps=rate_bps,
                    length_us=plan.length_us,
                    thrifty=attempt == _THRIFTY,
                    on_progress=on_progress,
                )
                segments.close(max(1, round(plan.length_us * TICK_HZ / 1_000_000)))
            except TooLate:
                shutil.rmtree(Path(order.folder) / SEGMENTS)
            else:
                return rate_bps, cutter
            finally:
                segments.abandon()
    raise DamagedSource(order.name, 0, "its times contradict each other")


def _rate_bps(material: Material) -> int:
    return required_rate_bps(material.pictures, material.picture_sizes, material.sounds, material.sound_sizes)


def _codecs(source: MediaSource) -> tuple[tuple[StreamKind, str], ...]:
    """What the film's streams are coded in."""
    video = (StreamKind.VIDEO, source.video.codec_context.codec.canonical_name)
    return (
        (video,)
        if source.audio is None
        else (video, (StreamKind.AUDIO, source.audio.codec_context.codec.canonical_name))
    )


def _origins(codecs: Iterable[tuple[StreamKind, str]], plan: SourceSurvey) -> tuple[StreamOrigin, ...]:
    """What becomes of the film's streams."""
    reasons = {StreamKind.VIDEO: plan.video_reasons, StreamKind.AUDIO: plan.audio_reasons}
    return tuple(
        StreamOrigin(kind=kind, codec=codec, encoded_because=_sentences(reasons[kind])) for kind, codec in codecs
    )


def _sentences(sentences: Iterable[str]) -> tuple[str, ...]:
    """As many and as long as a program keeps."""
    return tuple(sentence[:LONGEST_SENTENCE] for sentence in sentences)[:WARNINGS_MAX]


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
        reporter.report(produce(order, reporter.progress))
    except IngestError as error:
        reporter.report(Failed(type(error).__name__, asdict(error)))


if __name__ == "__main__":
    main()
