"""All stations that a center knows, a page after the other."""

from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.registry import LIST_STATIONS, ListStations, StationRow


async def all_stations_of(http: HttpClient, center: Address, *, deadline_s: float) -> list[StationRow] | None:
    """By name; None: the center does not answer. `deadline_s` is for each page."""
    rows: list[StationRow] = []
    more = True
    while more:
        after = rows[-1].station if rows else ""
        page = await http.tell(center, LIST_STATIONS, ListStations(after=after), deadline_s=deadline_s)
        if page is None:
            return None
        rows += page.stations
        more = page.more and bool(page.stations)
    return rows
