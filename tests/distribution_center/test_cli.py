"""What the commands do with what a center answers, newer ones included."""

import asyncio
import json
import time

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from distribution_center.cli import main
from distribution_center.commands import conversation, ingests, programs
from distribution_center.commands.conversation import Talk
from distribution_center.commands.moment import Moment
from media_network.address import Address
from media_network.cli import UserError
from media_network.http.errors import Unreachable
from media_network.messages.content import (
    ASK_INGEST,
    ASK_PROGRAM_ROW,
    Distribute,
    IngestProgress,
    IngestStage,
    ListPrograms,
    ProgramRow,
    Programs,
    ProgramState,
)
from media_network.messages.places import ASK_PLACES, Places, StationHolding
from media_network.messages.registry import LIST_STATIONS, StationRow, Stations
from media_network.refusal import Reason, Refused
from tests.distribution_center.content.metadata.documents import ADI

FILM = ProgramRow(
    program="film",
    title="Film",
    state=ProgramState.INACTIVE,
    sha256="0" * 64,
    segments=1,
    bytes=188,
    duration_ms=1,
    stations={},
    holding=0,
    whole=0,
)


class FullStation:
    """Says for ever what is in the way of an order, or until it gets on."""

    def __init__(self, *, gets_on_after):
        self.gets_on_after = gets_on_after
        self.asked = 0

    async def ask(self, verb, question):
        if verb is not ASK_PLACES:
            return FILM if self.asked <= self.gets_on_after else replace(FILM, stations={"north": 1})
        assert question.only == ("north",)
        self.asked += 1
        gets_on = self.asked > self.gets_on_after
        obstacle = None if gets_on else "the disks of station north are full"
        place = StationHolding(station="north", copies=2, segments=int(gets_on), carried_out=gets_on, obstacle=obstacle)
        return Places(segments=1, places=(place,))


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


class Empty:
    """A center with two stations and no program, or one that refuses."""

    def __init__(self, refusal=None):
        self.refusal = refusal

    async def ask(self, party, verb, question, **_):
        if self.refusal:
            return self.refusal
        if verb is LIST_STATIONS:
            only = [row for row in STATIONS if row.station in question.only]
            return Stations(stations=tuple(only if question.only else STATIONS))
        return Programs(programs=())


STATIONS = tuple(
    StationRow(
        station=name,
        director="127.1.2.1:8081",
        media="127.1.2.1:8080",
        epoch=1,
        engines=1,
        programs=0,
        home=False,
        silent_ms=0,
    )
    for name in ("north", "south")
)


def listed(station, refusal=None):
    talk = Talk(Empty(refusal), Address("127.1.0.1", 8081))
    return asyncio.run(programs._listed(talk, ListPrograms(station=station), None))


def test_programs_of_a_station_that_nobody_knows():
    assert listed("north") == []
    with pytest.raises(UserError, match=r"there is no station nroth \(did you mean north\?\)") as error:
        listed("nroth")
    assert error.value.hint == "Stations are: north, south."


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (Reason.UNKNOWN_PROGRAM, "distribution-center programs"),
        (Reason.BAD_SOURCE, "URL of a provider"),
        (Reason.BUSY, "again"),
        (Reason.NO_SPACE, "again"),
        (Reason.BAD_MESSAGE, "--help"),
        (Reason.AT_CAPACITY, "log"),
    ],
)
def test_a_refusal_has_a_hint_of_its_own(reason, hint):
    with pytest.raises(UserError, match="no, thank you") as error:
        listed(None, Refused(reason, "no, thank you"))
    assert hint in error.value.hint


def test_a_number_that_is_none_is_said_to_be_none():
    shown = CliRunner().invoke(main, ["explain", "film", "x", "--station", "north"])
    assert "'x' is not a valid whole number." in shown.stderr


def test_a_time_may_be_seconds_from_now():
    now_ms = time.time() * 1000
    assert now_ms + 4_000 < Moment().convert("+5s", None, None) < now_ms + 60_000


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


class SilentAtFirst(Center):
    """A center that is busy, or is started again, when it is asked the first times."""

    def __init__(self, *stages, times):
        super().__init__(*stages)
        self.times = times

    async def ask(self, verb, question):
        self.times -= 1
        if self.times >= 0:
            raise Unreachable(Address("127.1.0.1", 8081), verb.path, "nothing came in time", received=True)
        return await super().ask(verb, question)


def test_a_command_that_waits_bears_a_center_that_is_silent_for_a_moment(monkeypatch):
    monkeypatch.setattr(ingests, "POLL_S", 0.0)
    monkeypatch.setattr(conversation, "POLL_S", 0.0)
    begun = IngestProgress(ingest="i", stage=IngestStage.STORING, fraction=0.0)
    assert asyncio.run(ingests._follow(SilentAtFirst(IngestStage.DONE, times=3), begun)) == FILM
    monkeypatch.setattr(conversation, "_SILENT_S", 0.05)
    with pytest.raises(UserError, match="did not answer") as error:
        asyncio.run(ingests._follow(SilentAtFirst(times=1 << 30), begun))
    assert "watch-ingest i" in error.value.hint


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_metadata_are_shown_without_a_center(tmp_path):
    file = tmp_path / "adi.xml"
    file.write_text(ADI)
    shown = run("metadata", file)
    assert shown.exit_code == 0
    assert "warning: its times have no zone: they are taken as UTC" in shown.stderr
    assert "title        A slope & wanders" in shown.stdout
    assert "film         slope.mp4, 1000 bytes, MD5 2680090e51970e67b412af35201b9053" in shown.stdout
    understood = json.loads(run("metadata", file, "--json").stdout)
    assert [one["value"] for one in understood["fields"] if one["name"] == "Category"] == ["Hills", "Hills/High"]
    assert understood["window_begins_ms"] == 1_893_542_400_000
    in_denver = json.loads(run("metadata", file, "--json", "--zone", "America/Denver").stdout)
    assert in_denver["window_begins_ms"] == understood["window_begins_ms"] + 7 * 3_600_000


def test_metadata_that_give_orders_to_a_terminal_are_shown_without_them(tmp_path):
    file = tmp_path / "film.json"
    file.write_text(json.dumps({"title": "A\x1b]0;owned\x07", "languages": ["\x9bm"]}))
    shown = run("metadata", file)
    assert not {"\x1b", "\x07", "\x9b"} & set(shown.output)
    assert "title        A\ufffd]0;owned\ufffd" in shown.stdout


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<ADI>\n<a>\n</ADI>", "adi.xml, line 3: an element is closed that is not the open one"),
        (None, "adi.xml cannot be read: no such file or directory"),
        (b"film", "adi.xml: it is no metadata"),
    ],
)
def test_metadata_that_cannot_be_used_are_a_sentence_and_a_hint(tmp_path, content, sentence):
    file = tmp_path / "adi.xml"
    if content is not None:
        file.write_bytes(content)
    shown = run("metadata", file)
    assert shown.exit_code == 1
    assert sentence in shown.stderr
    assert "Hint: Name an ADI" in shown.stderr


def test_a_zone_that_is_none_is_a_sentence(tmp_path):
    shown = run("metadata", tmp_path, "--zone", "../../etc/passwd")
    assert "is no time zone. Write UTC, Europe/Berlin" in shown.stderr
