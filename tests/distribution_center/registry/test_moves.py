"""What has moved since somebody looked, and what is said of a station that there is not."""

import asyncio

from distribution_center.registry.moves import Moved, Moves
from distribution_center.registry.naming_stations import no_such_station
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.refusal import Reason
from tests.distribution_center.registry.test_repository import station_of

NOTHING = Moved(anywhere=False, stations=frozenset(), programs=frozenset())


def test_it_is_taken_once_and_counted_for_ever():
    moves = Moves()
    assert moves.take().anywhere, "nobody has looked yet"
    assert moves.take() == NOTHING
    moves.at("north", "film")
    moves.at("south")
    assert moves.is_set()
    assert moves.take() == Moved(anywhere=False, stations=frozenset({"south"}), programs=frozenset({("film", "north")}))
    assert not moves.is_set()
    moves.set()
    assert moves.take() == NOTHING._replace(anywhere=True)
    assert moves.count == 3


def test_the_sentence_is_no_longer_for_more_stations(tmp_path):
    async def said(stations):
        store = SqliteRepository.open(tmp_path / f"{stations}")
        for number in range(stations):
            await store.see_station(station_of(f"s{number:02}"))
        refused = await no_such_station(store, "nowhere")
        await store.close()
        assert refused.reason is Reason.UNKNOWN_STATION
        return str(refused)

    assert asyncio.run(said(2)) == "there is no station nowhere; there are: s00, s01"
    assert asyncio.run(said(30)).endswith(", s19, and others")
