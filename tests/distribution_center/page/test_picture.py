"""What an open page is told: the differences between two pictures, and nothing that it knows."""

import json

from msgspec.structs import replace

from distribution_center.page.picture import CenterPicture, ChangedProgram, FleetNow, news_of
from media_network.messages.content import IngestProgress, IngestRow, IngestStage
from media_network.messages.deletion import DeletionRow, DeletionStage

FLEET = FleetNow(stations=2, home="home", home_engines=3)


def ingest(number, stage=IngestStage.STORING, fraction=0.5):
    progress = IngestProgress(ingest=number, stage=stage, fraction=fraction)
    return IngestRow(progress=progress, source="/film.mp4", title=None, begun_at_s=1.0)


def picture(version=3, changes=(), complete_after=3, moves=0, ingests=(), fleet=FLEET, deletions=()):
    return CenterPicture(
        version=version,
        changes=tuple(ChangedProgram(number, f"film-{number}") for number in changes),
        complete_after=complete_after,
        moves=moves,
        ingests={row.progress.ingest: row for row in ingests},
        fleet=fleet,
        deletions={f"{row.program} {row.station}": row for row in deletions},
    )


def told(now, seen=None):
    return [(event.name, json.loads(event.data)) for event in news_of(now, seen)]


def test_at_first_everything_is_told_but_no_program():
    first = dict(told(picture(ingests=[ingest("a")], fleet=FLEET)))
    assert list(first) == ["fleet", "ingests", "deletions", "catalogue"]
    assert first["fleet"] == {"stations": 2, "silent": 0, "home": "home", "home_engines": 3}
    assert [row["progress"]["ingest"] for row in first["ingests"]["changed"]] == ["a"]
    assert first["catalogue"] == {"version": 3, "programs": None}


def test_then_only_what_is_other():
    before = picture(ingests=[ingest("a"), ingest("b")])
    assert told(before, before) == []
    now = picture(ingests=[ingest("a"), ingest("b", fraction=0.6)], fleet=replace(FLEET, silent=1))
    after = dict(told(now, before))
    assert [row["progress"]["ingest"] for row in after["ingests"]["changed"]] == ["b"]
    assert after["fleet"]["silent"] == 1
    assert set(after) == {"ingests", "fleet"}


def test_a_deletion_comes_is_held_up_and_goes():
    waits = DeletionRow(program="film", station="north", stage=DeletionStage.WAITING, reason="2 consoles receive it")
    [(name, came)] = told(picture(deletions=[waits]), picture())
    assert (name, [row["reason"] for row in came["changed"]]) == ("deletions", ["2 consoles receive it"])
    [(_, gone)] = told(picture(), picture(deletions=[waits]))
    assert gone == {"changed": [], "gone": ["film north"]}


def test_programs_are_told_by_name_as_long_as_all_of_them_are_known():
    now = picture(version=9, changes=(5, 8, 9), complete_after=4)
    assert told(now, picture(version=4)) == [("catalogue", {"version": 9, "programs": ["film-5", "film-8", "film-9"]})]
    assert told(now, picture(version=8)) == [("catalogue", {"version": 9, "programs": ["film-9"]})]
    assert told(now, picture(version=3)) == [("catalogue", {"version": 9, "programs": None})]
    assert told(now, picture(version=12)) == [("catalogue", {"version": 9, "programs": None})], "a registry of before"


def test_segments_that_come_or_go_are_told_as_one_word():
    assert told(picture(moves=7), picture(moves=2)) == [("moved", 7)]
