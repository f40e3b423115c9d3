"""Names that a shell completes: of programs, stations and ingests, as the center knows them."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from media_network.address import Address
from media_network.default_state import default_state_folder
from media_network.whereabouts import find_center, known_centers

if TYPE_CHECKING:
    from media_network.messages.verb import Reply, Request, Verb

_PATIENCE_S = 1.0


def programs(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Programs, by name."""
    from media_network.messages.content import LIST_PROGRAMS, ListPrograms

    found = _ask(context, LIST_PROGRAMS, ListPrograms(search=begun))
    return _items((row.program for row in found.programs) if found else (), begun)


def stations(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Stations, by name."""
    from media_network.messages.registry import LIST_STATIONS, ListStations

    found = _ask(context, LIST_STATIONS, ListStations(begins=begun))
    return _items((row.station for row in found.stations) if found else (), begun)


def ingests(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ingests, by number."""
    from media_network.messages.content import LIST_INGESTS, ListIngests

    found = _ask(context, LIST_INGESTS, ListIngests())
    return _items((row.progress.ingest for row in found.ingests) if found else (), begun)


def centers(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Centers of the network on this laptop, by name."""
    return _items(known_centers(_folder(context)), begun)


def files(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """Files, as the shell finds them."""
    return [CompletionItem(begun, type="file")]


def _items(names: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(begun)]


def _folder(context: click.Context) -> Path:
    folder: Path | None = context.params.get("state_dir")
    return folder or default_state_folder(os.environ, Path.home())


def _center(context: click.Context) -> Address | None:
    """The one that the options name."""
    named = context.params.get("center")
    if not named or ":" not in named:
        return find_center(_folder(context), named or None)
    try:
        return Address.parse(named)
    except ValueError:
        return None


def _ask(context: click.Context, verb: "Verb[Request, Reply]", request: "Request") -> "Reply | None":
    """What the center answers, at once or not at all."""
    import asyncio

    from media_network.http.operators_client import operators_client

    address = _center(context)
    if address is None:
        return None

    async def ask() -> "Reply | None":
        async with operators_client(_folder(context)) as http:
            return await http.tell(address, verb, request, deadline_s=_PATIENCE_S)

    return asyncio.run(ask())
