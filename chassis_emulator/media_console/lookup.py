"""Where to ask for a program: the director of a station that has it, as the network's distribution center knows it."""

from dataclasses import dataclass

from chassis_emulator.media_console.errors import NotAnswered, NotFound, PlayRefused
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.http.parts import fetch_program
from media_network.messages.content import (
    ASK_PROGRAM_ROW,
    LIST_PROGRAMS,
    AskProgramRow,
    ListPrograms,
    ProgramRow,
    Programs,
    ProgramState,
)
from media_network.messages.program_information import ASK_CENTER_PROGRAM, AskProgram
from media_network.messages.registry import LIST_DOORS, Doors, ListDoors, StationDoor
from media_network.messages.verb import Reply, Request, Verb
from media_network.program import Program
from media_network.refusal import Refused

_SHOWN = 20


@dataclass(frozen=True)
class FoundProgram:
    """A station to play at."""

    station: str
    director: Address
    """Media address of its director."""
    program: Program


async def look_up(center: Address, program: str, station: str | None, http: HttpClient) -> FoundProgram:
    """Find `program` at `station`, or at the first station that has it whole and is not the center's home station.

    Raises NotFound, NotAnswered, PlayRefused.
    """
    row = await _row(center, program, http)
    # Two of those that have it: one of them may be the home station.
    question = ListDoors(program=program, limit=2) if station is None else ListDoors(station=station)
    chosen = choose_station(station, (await _ask(center, LIST_DOORS, question, http)).doors)
    if chosen is None and station is not None:
        raise no_station(station, await _ask(center, LIST_DOORS, ListDoors(limit=_SHOWN), http))
    if chosen is None:
        raise nowhere_whole(row)
    header = await _ask(center, ASK_CENTER_PROGRAM, AskProgram(program), http)
    found = await fetch_program(http, center, header)
    if found is None:
        raise PlayRefused(center, f"the segment table of {program}", "it does not have it")
    try:
        director = Address.parse(chosen.media)
    except ValueError as error:
        raise PlayRefused(center, "a station", f"the media address is none: {error}") from error
    return FoundProgram(station=chosen.station, director=director, program=found)


async def _row(center: Address, program: str, http: HttpClient) -> ProgramRow:
    """The program, if it can be played. Raises NotFound, NotAnswered, PlayRefused."""
    try:
        row = await _asked(center, ASK_PROGRAM_ROW, AskProgramRow(program), http)
    except NetworkError as error:
        raise _not_answered(center, error) from error
    if isinstance(row, ProgramRow):
        require_published(row)
        return row
    listed = await _ask(center, LIST_PROGRAMS, ListPrograms(limit=_SHOWN), http)
    raise unknown_program(program, listed)


def unknown_program(program: str, listed: Programs) -> NotFound:
    """There is none of this name: what there is."""
    names = [one.program for one in listed.programs]
    known = ", ".join([*names, "and more"] if listed.more else names)
    hint = f"Programs: {known or 'none; `distribution-center ingest FILE` brings one'}."
    return NotFound(f"There is no program {program[:80]!r}", hint)


def require_published(row: ProgramRow) -> None:
    """Raises NotFound: it cannot be played yet."""
    if row.state is not ProgramState.PUBLISHED:
        hint = f"Run `distribution-center publish {row.program}`."
        raise NotFound(f"{row.program} is {row.state}, not published", hint)


def choose_station(station: str | None, doors: tuple[StationDoor, ...]) -> StationDoor | None:
    """The station that was asked for, or the first of those that have the whole program; None: there is none."""
    if station is not None:
        return next((one for one in doors if one.station == station), None)
    return next((one for one in doors if not one.home), None)


def no_station(station: str, there: Doors) -> NotFound:
    """There is none of this name: what there is."""
    names = [one.station for one in there.doors]
    known = ", ".join([*names, "and more"] if there.more else names) or "none"
    return NotFound(f"There is no station {station[:80]!r}", f"Stations: {known}.")


def nowhere_whole(row: ProgramRow) -> NotFound:
    """No station has all of a program: who has how much."""
    there = ", ".join(f"{name} {count}" for name, count in row.stations.items()) or "none anywhere"
    remedy = f"`distribution-center distribute {row.program} STATION` brings it to one"
    hint = f"Of {row.segments} segments there are: {there}. {remedy}."
    return NotFound(f"No station has the whole of {row.program}", hint)


async def _ask(center: Address, verb: Verb[Request, Reply], request: Request, http: HttpClient) -> Reply:
    try:
        answer = await _asked(center, verb, request, http)
    except NetworkError as error:
        raise _not_answered(center, error) from error
    if isinstance(answer, Refused):
        raise PlayRefused(center, f"to say {verb.path!r}", str(answer), answer.reason)
    return answer


async def _asked(center: Address, verb: Verb[Request, Reply], request: Request, http: HttpClient) -> Reply | Refused:
    return await http.ask(center, verb, request, deadline_s=2.0)


def _not_answered(center: Address, error: NetworkError) -> NotAnswered:
    return NotAnswered("distribution center", center, getattr(error, "cause", str(error)))
