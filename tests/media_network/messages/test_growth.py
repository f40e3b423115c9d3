"""No message grows with a catalogue, a film or a fleet: of every list in every message it is known what bounds it.

Either its type does, or it has a line here: how many there may be, and with so many the message is within its bound. A
verb whose message has another list fails.
"""

from typing import Annotated

import msgspec
import pytest
from msgspec import inspect

from media_network.message_pages import PAGE_BYTES_MAX
from media_network.messages.content import STATIONS_TOLD_MAX
from media_network.messages.deletion import DELETIONS_SHOWN_MAX
from media_network.messages.headquarters import CENTERS_MAX, ENTRIES_SHOWN_MAX, SAME_FILM_SHOWN_MAX
from media_network.messages.places import PLACES_SHOWN_MAX
from media_network.messages.registry import STATIONS_SHOWN_MAX
from media_network.messages.sources import SOURCES_MAX
from media_network.messages.watching import SESSIONS_SHOWN_MAX, TURNS_TOLD_MAX
from tests.golden_messages import as_json, example
from tests.verbs import VERBS

STREAMS, ENGINES = 8192, 62
SENTENCES = 16
CUT_WHERE_FULL = 0
"""A page is as long as fits: `first_page`, or `page_of` of what is held."""

_ROW = {
    "stations": STATIONS_TOLD_MAX,
    "to_be_carried_out": STATIONS_TOLD_MAX,
    "obstacles": STATIONS_TOLD_MAX,
    "streams": 16,
    "warnings": SENTENCES,
}
"""Of a program; the last two are a header's."""


def _row_of(side, at=""):
    return {f"{side} {at}{name}": count for name, count in _ROW.items()}


BOUNDS = {
    "content/ingests reply ingests": CUT_WHERE_FULL,
    **_row_of("content/distribute reply"),
    **_row_of("content/publish reply"),
    **_row_of("content/ask-program reply"),
    "content/programs reply programs": CUT_WHERE_FULL,
    **_row_of("content/programs reply", "programs[]."),
    "content/deletions reply deletions": DELETIONS_SHOWN_MAX,
    "content/changes reply changes": CUT_WHERE_FULL,
    "content/places reply places": PLACES_SHOWN_MAX,
    "registry/surplus reply programs": 100,
    "registry/report-locations request holdings": CUT_WHERE_FULL,
    "registry/shares reply shares": CUT_WHERE_FULL,
    "registry/stations reply stations": STATIONS_SHOWN_MAX,
    "registry/doors reply doors": STATIONS_SHOWN_MAX,
    "registry/sources reply sources": SOURCES_MAX,
    "director/enlist request holdings.holdings": CUT_WHERE_FULL,
    "director/enlist request streams": STREAMS,
    "director/enlist reply revoked": STREAMS,
    "director/enlist reply blades.hosts": ENGINES,
    "director/report request streams": STREAMS,
    "director/report reply revoked": STREAMS,
    "director/report reply blades.hosts": ENGINES,
    "director/holdings reply holdings": CUT_WHERE_FULL,
    "director/explain reply sources": SOURCES_MAX,
    "director/next-segment request failed": ENGINES,
    "director/watching reply served": TURNS_TOLD_MAX,
    "director/sessions reply sessions": SESSIONS_SHOWN_MAX,
    "director/station reply engines": ENGINES,
    "engine/holdings reply holdings": CUT_WHERE_FULL,
    "engine/changes reply changes": CUT_WHERE_FULL,
    "engine/keep-changes request changes.changes": CUT_WHERE_FULL,
    "headquarters/order reply downloads": CENTERS_MAX,
    "headquarters/cancel reply downloads": CENTERS_MAX,
    "headquarters/ask-order reply downloads": CENTERS_MAX,
    "headquarters/orders reply orders": CUT_WHERE_FULL,
    "headquarters/orders reply orders[].downloads": CENTERS_MAX,
    "headquarters/programs reply entries": ENTRIES_SHOWN_MAX,
    "headquarters/programs reply entries[].same_film": SAME_FILM_SHOWN_MAX,
    "headquarters/where reply stations": CUT_WHERE_FULL,
    "headquarters/centers reply centers": CENTERS_MAX,
}
"""How many there may be in each list, by verb, side and place."""


def lists_of(kind):
    """Places of lists whose type has no bound, in a message: field by field, with `[]` behind what is a list itself."""
    return [*_lists(inspect.type_info(kind), "")]


def _lists(info, place):  # noqa: C901 -- a kind a line
    match info:
        case inspect.Metadata():
            yield from _lists(info.type, place)
        case inspect.StructType() | inspect.NamedTupleType():
            for one in info.fields:
                name = getattr(one, "encode_name", None) or one.name
                yield from _lists(one.type, f"{place}.{name}".lstrip("."))
        case inspect.UnionType():
            for each in info.types:
                yield from _lists(each, place)
        case inspect.VarTupleType() | inspect.ListType():
            if info.max_length is None:
                yield place
            yield from _lists(info.item_type, f"{place}[]")
        case inspect.TupleType():
            for each in info.item_types:
                yield from _lists(each, place)
        case inspect.DictType():
            if info.max_length is None:
                yield place


SIDES = [(verb, side) for verb in VERBS for side in ("request", "reply")]


def test_of_every_list_it_is_known_what_bounds_it():
    found = {f"{verb.path} {side} {place}" for verb, side in SIDES for place in lists_of(getattr(verb, side))}
    assert found == set(BOUNDS)


@pytest.mark.parametrize(("verb", "side"), SIDES, ids=lambda each: getattr(each, "path", each))
def test_with_as_many_as_there_may_be_a_message_is_within_its_bound(verb, side):
    message = as_json(example(getattr(verb, side)))
    # What is inside first: items of a list that is longer are one and the same.
    for place in sorted(lists_of(getattr(verb, side)), key=lambda place: -place.count(".")):
        lengthen(message, place.split("."), BOUNDS[f"{verb.path} {side} {place}"] or 1)
    bytes_max = getattr(verb, f"{side}_bytes_max")
    is_page = CUT_WHERE_FULL in (BOUNDS[f"{verb.path} {side} {place}"] for place in lists_of(getattr(verb, side)))
    weight = len(msgspec.json.encode(message))
    assert weight + is_page * PAGE_BYTES_MAX <= bytes_max


def lengthen(message, place, count):
    """Make the list at a place so long, in all items that there are."""
    name, *rest = place
    key = name.removesuffix("[]")
    value = message[key]
    if rest:
        for each in value if name.endswith("[]") else [value]:
            lengthen(each, rest, count)
    elif isinstance(value, dict):
        [(known, item)] = value.items()
        message[key] = {f"{known}-{number}": item for number in range(count)}
    else:
        message[key] = value * count


def test_a_list_that_nobody_bounds_is_found():
    class Row(msgspec.Struct):
        names: dict[str, int]
        few: Annotated[tuple[int, ...], msgspec.Meta(max_length=3)] = ()

    class Reply(msgspec.Struct):
        rows: tuple[Row, ...] | None

    assert lists_of(Reply) == ["rows", "rows[].names"]
