"""What the commands do with what a center answers, newer ones included."""

import asyncio

from distribution_center import cli
from media_network.messages.content import (
    ASK_INGEST,
    INGEST,
    LIST_PROGRAMS,
    Ingest,
    IngestProgress,
    IngestStage,
    ProgramRow,
    Programs,
)
from media_network.program import ProgramState

FILM = ProgramRow(
    program="film",
    title="Film",
    state=ProgramState.INACTIVE,
    sha256="0" * 64,
    segments=1,
    bytes=188,
    duration_ms=1,
    stations={},
)


class Center:
    """Goes through these stages, one each time that it is asked."""

    def __init__(self, *stages):
        self.stages = list(stages)

    async def ask(self, verb, _):
        if verb is LIST_PROGRAMS:
            return Programs((FILM,))
        assert verb in {INGEST, ASK_INGEST}
        return IngestProgress(ingest="i", stage=self.stages.pop(0), fraction=0.5, program="film")


def test_an_ingest_is_followed_through_stages_that_are_not_known(monkeypatch):
    monkeypatch.setattr(cli, "_POLL_S", 0.0)
    stages = [IngestStage.DOWNLOADING, IngestStage.UNKNOWN, IngestStage.UNKNOWN, IngestStage.STORING, IngestStage.DONE]
    center = Center(*stages)
    assert asyncio.run(cli._ingest(center, Ingest(source="/film.mp4"))) == FILM
    assert center.stages == []
