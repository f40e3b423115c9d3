"""Nothing that a center says or does grows with its catalogue or its fleet: each verb of its doors is asked in a world,
and again when that has a thousand programs more, and a thousand stations.

What it answers is as long as before, and what its registry does for it (steps of SQLite's machine, of which a row takes
some twenty) is as much. A verb that has no line here fails.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from distribution_center.deletion.carrying_out import CarryingOut
from distribution_center.distribution import Distribution
from distribution_center.registry.repository import RegisteredStation, Repository, Stamp
from media_network.messages import content, deletion, obtaining, places, program_information, registry, shares, sources
from media_network.messages.content import ProgramState
from media_network.messages.holdings import Holding
from media_network.messages.verb import MIB, Port, Verb
from media_network.refusal import Refused
from media_network.time_of_day import now_ms
from tests.distribution_center.machine_steps import counting
from tests.distribution_center.world import HOME, MEDIA_OF_STATIONS
from tests.programs import program_with, segment_of
from tests.verbs import VERBS

SMALL, MORE = 250, 1000
"""More than a page of anything, to begin with; and what comes to it."""
FIRST = Stamp(1, 1)
NOBODY = "127.0.0.1:9"
AT, OTHER = "station-00007", "station-00003"
SEGMENTS = 3
PAGE = 200


def program(name):
    segments = [segment_of(f"{name} {number}".encode().ljust(188), number) for number in range(SEGMENTS)]
    return program_with(segments, program=name, title=f"Film {name}", version=0, published=False)


FILM, FIRST_ONE = program("film"), program("film-00001")
WHOLE = range(SEGMENTS)


def stamped(message: type[Struct], round_: int, **more: object) -> Struct:
    """What the director of `AT` says after its report of this round."""
    facts = {"station": AT, "epoch": 1, "generation": 2 + round_, "program": "film", "table": FILM.header.table}
    return message(**facts, **more)


def report(round_: int, **facts: object) -> registry.ReportLocations:
    return registry.ReportLocations(station=AT, epoch=1, generation=2 + round_, **facts)


HELD = Holding(program="film-00001", table=FIRST_ONE.header.table, segments="0-2")
Asked = Struct | Callable[[int], Struct]
"""A question, or what makes one for each round: what was done once cannot be done again."""


@dataclass
class Line:
    """A verb, and what is asked of it."""

    verb: Verb[Any, Any]
    questions: tuple[Asked, ...]
    steps_max: int = 0
    """Its work grows up to so much, for its bound is more than there is in the smaller world."""


def line(verb: Verb[Any, Any], *questions: Asked, steps_max: int = 0) -> Line:
    return Line(verb, questions, steps_max)


LINES = [
    line(
        registry.REGISTER_STATION,
        lambda round_: registry.RegisterStation(
            station=AT, director=NOBODY, media=MEDIA_OF_STATIONS, epoch=1, engines=3 + round_, heard=0
        ),
    ),
    line(
        registry.REPORT_LOCATIONS,
        lambda round_: report(round_, holdings=(HELD,), more=True),
        lambda round_: report(round_, holdings=(), after=HELD.program),
    ),
    line(registry.ADD_LOCATIONS, lambda round_: stamped(registry.AddLocations, round_, segments="0-2", copies=2)),
    line(registry.REMOVE_LOCATIONS, lambda round_: stamped(registry.RemoveLocations, round_, segments="1")),
    line(deletion.DELETE_PROGRAM, deletion.DeleteProgram(program="film", station=AT)),
    line(deletion.REQUEST_DELETION, lambda round_: stamped(deletion.RequestDeletion, round_)),
    line(
        deletion.DELETION_DONE,
        lambda round_: stamped(deletion.DeletionDone, round_),
        lambda round_: stamped(deletion.DeletionDone, round_),
    ),
    line(deletion.ASK_SURPLUS, deletion.AskSurplus(station=OTHER), deletion.AskSurplus(station=AT)),
    line(
        registry.LIST_STATIONS,
        registry.ListStations(),
        registry.ListStations(after=OTHER, limit=20),
        registry.ListStations(begins="station-0010"),
        registry.ListStations(only=(AT, "none")),
    ),
    line(
        registry.LIST_DOORS,
        registry.ListDoors(),
        registry.ListDoors(station=AT),
        registry.ListDoors(program="film", limit=3),
    ),
    line(
        sources.ASK_SOURCES,
        sources.AskSources(station=AT, program="film", table=FILM.header.table, segment=1),
        steps_max=30 * 512,  # of so many stations that hold something it looks whether it is what is sought
    ),
    line(obtaining.LOCATE_SEGMENT, obtaining.LocateSegment(program="film", table=FILM.header.table, segment=0)),
    line(
        obtaining.REQUEST_ENGINE_TOKEN,
        obtaining.RequestEngineToken(program="film", table=FILM.header.table, segment=0, certificate="A" * 43),
    ),
    line(content.INGEST, content.Ingest(source="/nowhere/film.mp4", ingest="always-the-same")),
    line(content.ASK_INGEST, content.AskIngest("0" * 16)),
    line(content.TAKE_BACK_INGEST, content.TakeBackIngest(content.Ingest(source="/nowhere/film.mp4", ingest="never"))),
    line(content.LIST_INGESTS, content.ListIngests()),
    line(content.ACKNOWLEDGE_INGEST, content.AcknowledgeIngest("none")),
    line(content.CANCEL_INGEST, content.CancelIngest("0" * 16)),
    line(
        content.DISTRIBUTE,
        lambda round_: content.Distribute(program="film-00001", stations=(AT, OTHER), copies=2 + round_),
        content.Distribute(program="film", stations=("none",)),
    ),
    line(content.PUBLISH, lambda round_: content.Publish("film", now_ms() + 10**9 + round_)),
    line(content.WITHDRAW, lambda round_: content.Withdraw(f"film-0004{round_}")),
    line(
        content.LIST_PROGRAMS,
        content.ListPrograms(),
        content.ListPrograms(after="film-00100", limit=50),
        content.ListPrograms(state=ProgramState.PUBLISHED, limit=50),
        content.ListPrograms(state=ProgramState.DISTRIBUTING, limit=10),
        content.ListPrograms(state=ProgramState.WITHDRAWN, limit=20),
        content.ListPrograms(state=ProgramState.DELETED, limit=20),
        content.ListPrograms(station=OTHER, limit=10),
        content.ListPrograms(search="film-", limit=10),
        content.ListPrograms(only=("film", "film-00030", "none")),
    ),
    line(content.ASK_PROGRAM_ROW, content.AskProgramRow("film"), content.AskProgramRow("gone-00004")),
    line(
        places.ASK_PLACES,
        places.AskPlaces(program="film"),
        places.AskPlaces(program="film", after=OTHER, limit=7),
        places.AskPlaces(program="film", only=(AT, "none")),
    ),
    line(
        program_information.ASK_CHANGES,
        program_information.AskChanges(since=0),
        program_information.AskChanges(since=300),
    ),
    line(program_information.ASK_CENTER_PROGRAM, program_information.AskProgram("film")),
    line(deletion.ASK_DELETION, deletion.AskDeletion(program="film-00002", station=OTHER)),
    line(deletion.LIST_DELETIONS, deletion.ListDeletions()),
    line(
        deletion.DISMISS_DELETION,
        deletion.DismissDeletion(program="film-00030", station=AT),
        deletion.DismissDeletion(program="film-00002", station=OTHER),
    ),
    line(shares.ASK_SHARES, shares.AskShares(since=0), shares.AskShares(since=300)),
]


def test_every_verb_of_a_centers_doors_has_a_line(simulated):
    async def story(world):
        async with world.center():
            found = [await paths_of(world.http, door) for door in (world.address, world.media)]
        assert {each.verb.path for each in LINES} == set().union(*found) & {verb.path for verb in VERBS}
        assert len(LINES) > 25

    simulated(story)


async def paths_of(http, door):
    async with http.read(door, "/openapi.json") as response:
        return {path.removeprefix("/") for path in json.loads(await response.read())["paths"]}


async def grow(store: Repository, first: int, end: int) -> None:
    """Programs, stations, orders, deletions and tombstones of these numbers; "film" is whole at every station."""
    numbers = [f"{number:05}" for number in range(first, end)]
    await asyncio.gather(*(_another_station(store, f"station-{number}") for number in numbers))
    await asyncio.gather(*(_another_program(store, int(number), f"film-{number}") for number in numbers))
    await asyncio.gather(*(_another_tombstone(store, int(number), f"gone-{number}") for number in numbers[::4]))


async def _another_station(store: Repository, name: str) -> None:
    await store.see_station(RegisteredStation(station=name, director=NOBODY, media=MEDIA_OF_STATIONS, stamp=FIRST))
    await store.hear_station(name, now_ms())
    await store.replace_station(name, FIRST, {FILM.cut: [WHOLE]})
    await store.set_order("film", name, 2)


async def _another_program(store: Repository, number: int, name: str) -> None:
    one = program(name)
    await store.add_program(one)
    await store.add_locations(one.cut, OTHER, FIRST, WHOLE, 2)
    await store.wish_deletion(name, OTHER)
    if number % 3 == 0:
        await store.publish_program(name, 1)
    if number % 3 == 1:
        await store.set_order(name, OTHER, 3)


async def _another_tombstone(store: Repository, number: int, name: str) -> None:
    one = program(name)
    await store.add_program(one)
    await store.add_locations(one.cut, OTHER, FIRST, WHOLE)
    await store.withdraw_program(name)
    if number % 8:
        await store.remove_locations(one.cut, OTHER, FIRST, WHOLE)


async def asked(world, round_):
    """How long each answer is, and how much was done for it."""
    store = world.repository.store
    found = {}
    for each in LINES:
        door = world.address if Port.CONTROL in each.verb.ports else world.media
        for number, question in enumerate(each.questions):
            message = question(round_) if callable(question) else question
            with counting(store.writer, store._reader) as steps:
                answer = await world.http.ask(door, each.verb, message, deadline_s=600.0)
            found[each.verb.path, number] = (len(msgspec.json.encode(answer)), steps[0], answer)
    return found


def test_no_answer_is_longer_and_nothing_is_more_work_in_a_larger_world(simulated, monkeypatch):
    async def idle(_):
        await asyncio.Event().wait()

    # What is carried out meanwhile is not what a verb does.
    monkeypatch.setattr(Distribution, "keep_carrying_out", idle)
    monkeypatch.setattr(CarryingOut, "keep", idle)

    async def story(world):
        async with world.center():
            await world.repository.add_program(FILM)
            await grow(world.repository, 0, SMALL)
            await _another_station(world.repository, HOME)
            before = await asked(world, 0)
            await grow(world.repository, SMALL, SMALL + MORE)
            after = await asked(world, 1)
        refused = {path for (path, _), (*_, answer) in before.items() if isinstance(answer, Refused)}
        assert refused == REFUSED, "the others are answered"
        bounded = {each.verb.path: each.steps_max for each in LINES}
        longer, more_work = [], []
        for key, (length, steps, _) in after.items():
            known_length, known_steps, _ = before[key]
            longer += [(key, known_length, length)] * (length > 1.1 * known_length + 100)
            more_work += [(key, known_steps, steps)] * (steps > max(1.2 * known_steps + 300, bounded[key[0]]))
        assert longer == []
        assert more_work == []
        assert max(steps for _, steps, _ in before.values()) > 1000, "they are counted"

    simulated(story)


REFUSED = {
    "content/dismiss-deletion",
    "content/ask-ingest",
    "content/cancel-ingest",
    "content/distribute",
    "content/ask-program",
    "director/locate-segment",
    "director/engine-token",
}


def test_no_message_may_weigh_more_than_a_mebibyte():
    heavier = [verb.path for verb in VERBS if max(verb.request_bytes_max, verb.reply_bytes_max) > MIB]
    assert heavier == ["director/enlist"], "docs/protocols/messages.md says why"
