"""Where to ask for a program: the director of a station that has it, as the network's distribution center knows it."""

from msgspec import Struct

from chassis_emulator.media_console.errors import NotAnswered, NotFound
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.content import LIST_PROGRAMS, ListPrograms, ProgramRow
from media_network.messages.registry import LIST_CATALOGUE, LIST_DOORS, ListCatalogue, ListDoors, StationDoor
from media_network.messages.verb import Reply, Request, Verb
from media_network.program import Program, ProgramState
from media_network.refusal import Refused


class FoundProgram(Struct, frozen=True, kw_only=True):
    """A station to play at."""

    station: str
    director: Address
    """Media address of its director."""
    program: Program


async def look_up(center: Address, program: str, station: str | None, http: HttpClient) -> FoundProgram:
    """Find `program` at `station`, or at the first station that has it whole and is not the center's home station.

    Raises NotFound, NotAnswered.
    """
    programs = (await _ask(center, LIST_PROGRAMS, ListPrograms(), http)).programs
    row = choose_program(program, programs)
    doors = (await _ask(center, LIST_DOORS, ListDoors(), http)).doors
    chosen = choose_station(row, station, doors)
    catalogue = (await _ask(center, LIST_CATALOGUE, ListCatalogue(), http)).programs
    information = next((one for one in catalogue if one.program == program), None)
    if information is None:
        raise NotFound(f"The center has no program information of {program}", "Ask again in a moment.")
    try:
        director = Address.parse(chosen.media)
    except ValueError as error:
        raise NotAnswered("distribution center", center, str(error)) from error
    return FoundProgram(station=chosen.station, director=director, program=information)


def choose_program(program: str, programs: tuple[ProgramRow, ...]) -> ProgramRow:
    """The program's row, if it can be played. Raises NotFound."""
    row = next((one for one in programs if one.program == program), None)
    if row is None:
        known = ", ".join(one.program for one in programs) or "none; `distribution-center ingest FILE` brings one"
        raise NotFound(f"There is no program {program[:80]!r}", f"Programs: {known}.")
    if row.state is not ProgramState.PUBLISHED:
        raise NotFound(f"{program} is {row.state}, not published", f"Run `distribution-center publish {program}`.")
    return row


def choose_station(row: ProgramRow, station: str | None, stations: tuple[StationDoor, ...]) -> StationDoor:
    """The station that was asked for, or the first that has the whole program. Raises NotFound."""
    if station is not None:
        chosen = next((one for one in stations if one.station == station), None)
        if chosen is None:
            known = ", ".join(one.station for one in stations) or "none"
            raise NotFound(f"There is no station {station[:80]!r}", f"Stations: {known}.")
        return chosen
    whole = [one for one in stations if row.stations.get(one.station, 0) == row.segments and not one.home]
    if not whole:
        there = ", ".join(f"{name} {count}" for name, count in row.stations.items()) or "none anywhere"
        remedy = f"`distribution-center distribute {row.program} STATION` brings it to one"
        hint = f"Of {row.segments} segments there are: {there}. {remedy}."
        raise NotFound(f"No station has the whole of {row.program}", hint)
    return whole[0]


async def _ask(center: Address, verb: Verb[Request, Reply], request: Request, http: HttpClient) -> Reply:
    try:
        answer = await http.ask(center, verb, request, deadline_s=2.0)
    except NetworkError as error:
        raise NotAnswered("distribution center", center, getattr(error, "cause", str(error))) from error
    if isinstance(answer, Refused):
        raise NotAnswered("distribution center", center, str(answer))
    return answer
