"""What a program's header takes over from its metadata (docs/protocols/program.md, "Header")."""

from collections.abc import Iterable

from msgspec.structs import replace

from distribution_center.content.metadata.program_metadata import ProgramMetadata
from media_network.fields import LONGEST_SENTENCE
from media_network.program_header import WARNINGS_MAX, Attachment, ProgramHeader, Track, TrackKind

_TOLERATED_PARTS = 50
"""A film may be longer or shorter than its metadata say by a fiftieth, or by the least that is tolerated."""
_TOLERATED_MS = 60_000


def entered(
    header: ProgramHeader, metadata: ProgramMetadata, attachments: Iterable[Attachment], now_ms: int
) -> ProgramHeader:
    """The header with what its provider says of the program.

    A publish time that has passed is not taken: nothing goes into service before somebody has said so.
    """
    begins_ms = metadata.window_begins_ms
    warnings = [*header.warnings, *metadata.warnings, *_contradictions(header, metadata, now_ms)]
    return replace(
        header,
        tracks=tuple(_track(track, metadata.languages) for track in header.tracks),
        # A picture that the provider gives stands before the one that was made of the film.
        attachments=(*attachments, *header.attachments),
        warnings=tuple(dict.fromkeys(warning[:LONGEST_SENTENCE] for warning in warnings))[:WARNINGS_MAX],
        publish_at_ms=begins_ms if begins_ms is not None and begins_ms > now_ms else None,
        window_ends_ms=metadata.window_ends_ms,
    )


def _track(track: Track, languages: tuple[str, ...]) -> Track:
    """A sound whose language the film does not say has the one that is said of the program, if it is one."""
    if track.kind is not TrackKind.AUDIO or track.language is not None or len(languages) != 1:
        return track
    return replace(track, language=languages[0])


def _contradictions(header: ProgramHeader, metadata: ProgramMetadata, now_ms: int) -> Iterable[str]:
    said_ms, found_ms = metadata.run_time_ms, header.duration_ms
    if said_ms is not None and abs(said_ms - found_ms) > max(_TOLERATED_MS, said_ms // _TOLERATED_PARTS):
        yield f"its metadata say that it runs {said_ms / 1000:.0f} s, and the film runs {found_ms / 1000:.0f} s"
    if metadata.window_ends_ms is not None and metadata.window_ends_ms <= now_ms:
        yield "its licence window has ended: `publish` needs another end"
