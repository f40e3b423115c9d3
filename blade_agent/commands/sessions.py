"""`blade-agent sessions`: what a station streams, as its director sees it."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from media_network.cli import UserError, as_address, json_option, settings_option
from media_network.presenting import present, watch_option
from media_network.table import table_or

if TYPE_CHECKING:
    from media_network.address import Address
    from media_network.http.client import HttpClient
    from media_network.messages.watching import SessionView
    from media_network.refusal import Refused

_HEADINGS = ("SESSION", "PROGRAM", "STATE", "ENGINE", "SEGMENT", "TURNS")
_ANSWERS_WITHIN_S = 5.0
_HINT = "Name the director's control address with --director: `blade-agent chassis status` shows its slot."


@click.command()
@click.option(
    "--director",
    metavar="HOST:PORT",
    callback=as_address,
    help="Where the station's director answers machines.  [default: that of the blade of the settings file]",
)
@settings_option("/etc/media-station/blade.toml", "address, media_port, control_port")
@watch_option
@json_option("a list of objects")
def sessions(*, director: "Address | None", path: Path, watch: bool, as_json: bool) -> None:
    """Show what the station pushes to consoles, and which engine sends it; of what has ended the last minute.

    \b
    Example:
      blade-agent sessions --director 127.1.2.1:8081
    """
    look = lambda: asyncio.run(_listed(director, path))  # noqa: E731
    present(look, _as_table, as_json=as_json, watch=watch)


def _as_table(views: "list[SessionView]") -> str:
    return table_or("Nothing is pushed.", _HEADINGS, [_cells(view) for view in views])


def _cells(view: "SessionView") -> tuple[str, ...]:
    segment = str(view.present.segment) if view.present else ""
    return view.session, view.program, view.state.value, view.engine or "", segment, str(view.turns)


async def _listed(director: "Address | None", path: Path) -> "list[SessionView]":
    """All sessions, page by page. Raises UserError."""
    from media_network.default_state import default_state_folder
    from media_network.http.errors import NetworkError
    from media_network.http.operators_client import operators_client
    from media_network.messages.watching import LIST_SESSIONS, ListSessions
    from media_network.refusal import Refused

    async with operators_client(default_state_folder(os.environ, Path.home())) as http:
        director = director or await _director_of(path, http)
        views: list[SessionView] = []
        more = True
        while more:
            after = views[-1].session if views else ""
            try:
                page = await http.ask(director, LIST_SESSIONS, ListSessions(after=after), deadline_s=_ANSWERS_WITHIN_S)
            except NetworkError as error:
                raise UserError(f"nobody tells of sessions: {error}", _HINT) from error
            if isinstance(page, Refused):
                raise _not_told(director, page)
            views += page.sessions
            more = page.more
        return views


async def _director_of(path: Path, http: "HttpClient") -> "Address":
    """Where the director answers machines that the blade of a settings file follows, or is. Raises UserError."""
    from blade_agent.settings import BladeSettings
    from media_network.address import Address
    from media_network.http.errors import NetworkError
    from media_network.messages.watching import ASK_DIRECTOR, AskDirector
    from media_network.refusal import Refused
    from media_network.settings import SettingsError, read_settings

    try:
        settings = read_settings(path, BladeSettings)
    except SettingsError as error:
        raise UserError(str(error), error.hint or _HINT) from error
    blade = Address(settings.address, settings.media_port)
    try:
        seen = await http.ask(blade, ASK_DIRECTOR, AskDirector(), deadline_s=_ANSWERS_WITHIN_S)
    except NetworkError as error:
        raise UserError(f"nobody tells who directs: {error}", _HINT) from error
    # Who directs is no engine, or enlists with itself.
    media = None if isinstance(seen, Refused) else seen.media
    host = Address.parse(media).host if media else settings.address
    return Address(host, settings.control_port)


def _not_told(director: "Address", refused: "Refused") -> UserError:
    return UserError(f"{director} tells of no sessions: {refused}", _HINT)
