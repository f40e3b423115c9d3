"""What the commands do with what a center answers, newer ones included."""

import asyncio

import pytest
from msgspec.structs import replace

from distribution_center.commands import ingests, programs
from media_network.cli import UserError
from media_network.messages.content import (
    ASK_INGEST,
    ASK_PROGRAM_ROW,
    Distribute,
    IngestProgress,
    IngestStage,
    ProgramRow,
    ProgramState,
)

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


class FullStation:
    """Says for ever what is in the way of an order, or until it gets on."""

    def __init__(self, *, gets_on_after):
        self.gets_on_after = gets_on_after
        self.asked = 0

    async def ask(self, verb, _):
        self.asked += verb is ASK_PROGRAM_ROW
        if self.asked > self.gets_on_after:
            return replace(FILM, stations={"north": 1})
        return replace(FILM, obstacles={"north": "the disks of station north are full"})


def distributed(center, monkeypatch, patience_s):
    monkeypatch.setattr(programs, "POLL_S", 0.0)
    monkeypatch.setattr(programs, "_PATIENCE_S", patience_s)
    return asyncio.run(programs._distribute(center, Distribute(program="film", stations=("north",)), wait=True))


def test_distribute_ends_with_what_is_in_the_way_when_nothing_moves(monkeypatch):
    with pytest.raises(UserError) as error:
        distributed(FullStation(gets_on_after=1 << 30), monkeypatch, 0.05)
    assert str(error.value).startswith("film is not distributed: the disks of station north are full")
    assert "programs" in error.value.hint


def test_distribute_waits_on_for_a_while_where_something_is_in_the_way(monkeypatch):
    row = distributed(FullStation(gets_on_after=20), monkeypatch, 60.0)
    assert row.stations == {"north": 1}


class Center:
    """Goes through these stages, one each time that it is asked."""

    def __init__(self, *stages):
        self.stages = list(stages)

    async def ask(self, verb, _):
        if verb is ASK_PROGRAM_ROW:
            return FILM
        assert verb is ASK_INGEST
        return IngestProgress(ingest="i", stage=self.stages.pop(0), fraction=0.5, program="film")


def test_an_ingest_is_followed_through_stages_that_are_not_known(monkeypatch):
    monkeypatch.setattr(ingests, "POLL_S", 0.0)
    stages = [IngestStage.DOWNLOADING, IngestStage.UNKNOWN, IngestStage.UNKNOWN, IngestStage.STORING, IngestStage.DONE]
    center = Center(*stages)
    begun = IngestProgress(ingest="i", stage=IngestStage.WAITING, fraction=0.0)
    assert asyncio.run(ingests._follow(center, begun)) == FILM
    assert center.stages == []
