"""The life of a download that was ordered: one total table, and what a download is after an event.

The stage of a download is written down, and moves by this table alone: what its center says of one that was taken back
meanwhile does not bring it to life again.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from msgspec.structs import replace

from media_network.fields import ProgramId
from media_network.messages.content import IngestStage
from media_network.messages.headquarters import Download, DownloadStage


class DownloadEvent(Enum):
    """What happens to a download."""

    TAKEN_BACK = "an operator takes the order back"
    WAITS = "its center says: waiting"
    DOWNLOADS = "its center says: downloading"
    CONVERTS = "its center says: converting"
    STORES = "its center says: storing"
    GOES_ON = "its center says what is not understood here"
    IS_DONE = "its center says: done"
    FAILS = "its center says: failed, or refuses it for good"
    IS_CANCELLED = "its center says: cancelled"


EVENT_OF: Mapping[IngestStage, DownloadEvent] = {
    IngestStage.WAITING: DownloadEvent.WAITS,
    IngestStage.DOWNLOADING: DownloadEvent.DOWNLOADS,
    IngestStage.CONVERTING: DownloadEvent.CONVERTS,
    IngestStage.STORING: DownloadEvent.STORES,
    IngestStage.DONE: DownloadEvent.IS_DONE,
    IngestStage.FAILED: DownloadEvent.FAILS,
    IngestStage.CANCELLED: DownloadEvent.IS_CANCELLED,
    IngestStage.UNKNOWN: DownloadEvent.GOES_ON,
}
"""What it means that a center says that an ingest is in a stage."""

_ENDS = {
    DownloadEvent.IS_DONE: DownloadStage.DONE,
    DownloadEvent.FAILS: DownloadStage.FAILED,
    DownloadEvent.IS_CANCELLED: DownloadStage.CANCELLED,
}
_GOES_ON = {
    DownloadEvent.TAKEN_BACK: DownloadStage.CANCELLING,
    DownloadEvent.WAITS: DownloadStage.WAITING,
    DownloadEvent.DOWNLOADS: DownloadStage.DOWNLOADING,
    DownloadEvent.CONVERTS: DownloadStage.CONVERTING,
    DownloadEvent.STORES: DownloadStage.STORING,
    DownloadEvent.GOES_ON: DownloadStage.UNKNOWN,
    **_ENDS,
}
# A center that was killed takes an ingest up where it can: from every stage under way any other may follow.
_MOVES: dict[DownloadStage, dict[DownloadEvent, DownloadStage]] = {
    DownloadStage.ORDERED: _GOES_ON,
    DownloadStage.WAITING: _GOES_ON,
    DownloadStage.DOWNLOADING: _GOES_ON,
    DownloadStage.CONVERTING: _GOES_ON,
    DownloadStage.STORING: _GOES_ON,
    DownloadStage.UNKNOWN: _GOES_ON,
    DownloadStage.CANCELLING: _ENDS,
    DownloadStage.DONE: {},
    DownloadStage.FAILED: {},
    DownloadStage.CANCELLED: {},
}
TABLE: dict[tuple[DownloadStage, DownloadEvent], DownloadStage] = {
    (stage, event): moves.get(event, stage) for stage, moves in _MOVES.items() for event in DownloadEvent
}
"""From every stage, by every event."""


class Heard(NamedTuple):
    """What is heard of a download."""

    event: DownloadEvent | None
    """None: nothing of its stage."""
    program: ProgramId | None = None
    obstacle: str | None = None
    """A sentence: what is in the way, or was."""


def after(download: Download, heard: Heard) -> Download:
    """A download after what is heard of it. What is over is over."""
    if download.stage.is_final:
        return download
    stage = TABLE[download.stage, heard.event] if heard.event else download.stage
    return replace(
        download,
        stage=stage,
        fraction=1.0 if stage.is_final else 0.0,
        program=heard.program or download.program,
        obstacle=heard.obstacle,
    )


def diagram() -> str:
    """The table for the documents: the stages under way, between which a center may go to and fro, are one."""
    under_way = [stage for stage, moves in _MOVES.items() if moves is _GOES_ON and stage is not DownloadStage.ORDERED]
    lines = ["stateDiagram-v2", f"    [*] --> {DownloadStage.ORDERED}: it is written down", "    state under_way {"]
    lines += [f"        {stage}" for stage in under_way]
    lines.append("    }")
    shown: dict[str, None] = {}
    for (stage, event), following in TABLE.items():
        if following is stage or (stage in under_way and following in under_way):
            continue
        before, then = ("under_way" if each in under_way else each for each in (stage, following))
        said = "its center has taken it" if then == "under_way" else event.value
        shown[f"    {before} --> {then}: {said}"] = None
    return "\n".join([*lines, *shown]) + "\n"
