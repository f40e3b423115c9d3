"""Stations as a person names them."""

from distribution_center.commands.conversation import Talk
from media_network.cli import UserError
from media_network.legal_values import did_you_mean
from media_network.messages.registry import LIST_STATIONS, ListStations, StationRow

_NAMED_MAX = 20


async def require_station(talk: Talk, station: str) -> StationRow:
    """The station of that name. Raises UserError: there is none; says which there are."""
    found = (await talk.ask(LIST_STATIONS, ListStations(only=(station,)))).stations
    if found:
        return found[0]
    known = await talk.ask(LIST_STATIONS, ListStations(limit=_NAMED_MAX))
    names = [row.station for row in known.stations]
    hint = ", ".join([*names, *(["and more"] if known.more else [])]) or "none so far"
    raise UserError(f"there is no station {station}{did_you_mean(station, names)}", f"Stations are: {hint}.")
