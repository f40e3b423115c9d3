"""The command `media-console`."""

import asyncio
import random
import re
import signal
import socket
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
from msgspec import Struct

from chassis_emulator.media_console.errors import (
    BadUrl,
    ConsoleError,
    NoAuthentication,
    NoNetwork,
    NotAnswered,
    NotFound,
)
from chassis_emulator.media_console.hls import play_hls, play_url, playlist_url
from chassis_emulator.media_console.login import KeptLogin, log_in, login_file, token_for
from chassis_emulator.media_console.lookup import look_up
from chassis_emulator.media_console.output import OutputFile
from chassis_emulator.media_console.playlist import split_url
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.media_console.report import report
from chassis_emulator.media_console.screen import Screen, opened_screen
from media_network import center_names
from media_network.address import Address
from media_network.cli import UserError, echo_json, json_option, state_dir_option
from media_network.command_group import Program as CommandLineProgram
from media_network.command_group import add_completion
from media_network.http.client import HttpClient
from media_network.messages.authentication import PASSWORD_MAX, TOKEN_PARAMETER, SubscriberName
from media_network.password_input import password_option, read_password
from media_network.program import Program
from media_network.whereabouts import find_authentication, find_center_media, known_centers

_PROGRAM_PATH = re.compile(
    rf"/programs/([a-z0-9-]{{1,64}})/playlist\.m3u8(?:\?(?:.*&)?{TOKEN_PARAMETER}=([A-Za-z0-9._-]*).*|\?.*)?"
)


class _Wanted(Struct, frozen=True, kw_only=True):
    """Which program, and where."""

    source: str
    station: str | None
    center: str | None
    state_dir: Path


class PlayOrder(_Wanted, frozen=True, kw_only=True):
    """What `play` was told."""

    by: str
    to: Address | None


@click.group(name="media-console", cls=CommandLineProgram)
@click.version_option(package_name="media-station")
def main() -> None:
    """Play programs of a media station, as the set at a viewer's home does.

    \b
    Example:
      media-console play big-buck-bunny-1f3a --output bunny.ts
    """


def _address(_: click.Context, __: click.Parameter, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


_center_option = click.option(
    "--center",
    metavar="NAME",
    help="Which of several centers knows the PROGRAM.  [default: the headquarters]",
    shell_complete=center_names.centers,
)


@main.command()
@click.argument("source", metavar="URL|PROGRAM", shell_complete=center_names.programs)
@click.option(
    "--station",
    metavar="NAME",
    help="Station to play at.  [default: the first that has the whole program]",
    shell_complete=center_names.stations,
)
@_center_option
@click.option(
    "--by",
    type=click.Choice(["hls", "push"]),
    default="hls",
    show_default=True,
    help="hls: fetch each segment from the engine the director redirects to; push: have the stream sent by UDP.",
)
@click.option("--output", metavar="FILE", help="Write the bytes received, exactly; `-` is the standard output.")
@click.option(
    "--to",
    metavar="HOST:PORT",
    callback=_address,
    help="By push: send the stream to another player there; HOST is this one, or the station allows others.",
)
@state_dir_option
@json_option("the program, and each segment with its engine, bytes and sha256")
def play(
    *,
    source: str,
    station: str | None,
    center: str | None,
    by: str,
    output: str | None,
    state_dir: Path,
    to: Address | None,
    as_json: bool,
) -> None:
    """Play a PROGRAM of the network on this laptop, or whatever the playlist at URL lists.

    Prints each segment: the engine it came from, its bytes and their SHA-256. Exit code 0 if everything came as it was
    published, or until it was stopped (Ctrl-C); 1 if not.

    By push, at a terminal, the space bar pauses and goes on, the arrows to the left and right go 10 s back or further
    on, to where a segment begins, and those up and down change the speed: up to 16 times, forward and backwards.

    \b
    Example:
      media-console play bigbuckbunny --station north --by push --output bunny.ts
    """
    if to and by != "push":
        raise click.UsageError("--to is for --by push: by HLS another player fetches by itself.")
    if to and output:
        raise click.UsageError("--to and --output exclude each other: the other player has the bytes.")
    if station and "://" in source:
        raise click.UsageError("--station is for a PROGRAM; a URL names its director already.")
    if center and "://" in source:
        raise click.UsageError("--center is for a PROGRAM; a URL names its director already.")
    order = PlayOrder(source=source, station=station, center=center, by=by, state_dir=state_dir, to=to)
    try:
        remote = Remote()
        with opened_screen(remote) as screen, OutputFile(output) as file:
            reception = asyncio.run(_play(order, file, screen, remote))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    # Where the standard output carries the program, the report must not get into it.
    with redirect_stdout(sys.stderr if output == "-" else sys.stdout):
        echo_json(reception) if as_json else click.echo(report(reception))
    sys.exit(1 if reception.intact is False else 0)


async def _play(order: PlayOrder, output: OutputFile, screen: Screen, remote: Remote) -> ConsoleReception:
    stop, progress = asyncio.Event(), screen.show
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with HttpClient(random.Random()) as http:
        if "://" in order.source and order.by == "hls":
            return await play_url(order.source, output, http, progress=progress, stop=stop)
        whom = await _whom_to_ask(order, http)
        director, program, token = whom.director, whom.program, whom.token
        if order.by == "hls":
            return await play_hls(
                director, program, output, http, token=token, expected=whom.expected, progress=progress, stop=stop
            )
        host = _own_address(director)
        # A station sends to the host that asks: the one that the datagrams shall come to.
        async with HttpClient(random.Random(), host) as voice:
            with screen.keys():
                return await play_push(
                    director,
                    program,
                    output,
                    voice,
                    host=host,
                    to=order.to,
                    token=token,
                    progress=progress,
                    stop=stop,
                    remote=remote,
                )


class _Whom(NamedTuple):
    """Whom to ask for a program, and with what."""

    director: Address
    program: str
    token: str | None
    expected: Program | None
    """What is known of the program."""


async def _whom_to_ask(wanted: _Wanted, http: HttpClient) -> _Whom:
    if "://" in wanted.source:
        director, path = split_url(wanted.source)
        found = _PROGRAM_PATH.fullmatch(path)
        if not found:
            raise BadUrl(wanted.source, "push needs the URL of a program at its director")
        return _Whom(director, found[1], found[2], None)
    center = find_center_media(wanted.state_dir, wanted.center)
    if center is None and wanted.center is not None:
        known = ", ".join(known_centers(wanted.state_dir)) or "none"
        raise NotFound(f"There is no center {wanted.center[:80]!r}", f"Centers: {known}.")
    if center is None:
        raise NoNetwork(wanted.state_dir)
    place = await look_up(center, wanted.source, wanted.station, http)
    return _Whom(place.director, wanted.source, await token_for(wanted.source, wanted.state_dir, http), place.program)


@main.command()
@click.argument("name")
@click.option(
    "--server", metavar="HOST:PORT", callback=_address, help="The authentication server, if not on this laptop."
)
@password_option
@state_dir_option
@json_option("an object with `name`, `server` and `expires_at_ms`")
def login(*, name: str, server: Address | None, password_file: Path | None, state_dir: Path, as_json: bool) -> None:
    """Log in as the subscriber NAME. `play` and `url` show the token that this brings.

    The password is asked for, or read from a file; what is kept is a token, in a file that you alone can read.

    \b
    Example:
      media-console login viewer
    """
    try:
        msgspec.convert(name, SubscriberName)
    except msgspec.ValidationError:
        raise UserError(f"{name[:80]!r} is no name of a subscriber", "Use the name that you were given.") from None
    found = server or find_authentication(state_dir)
    try:
        if found is None:
            raise NoAuthentication(state_dir)
        kept = asyncio.run(_log_in(found, name, read_password(password_file, PASSWORD_MAX), state_dir))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    if as_json:
        echo_json({"name": kept.name, "server": kept.server, "expires_at_ms": kept.renewal_expires_at_ms})
    else:
        click.echo(f"Logged in as {kept.name}; {login_file(state_dir)} has the token.")


async def _log_in(server: Address, name: str, password: str, state_dir: Path) -> KeptLogin:
    async with HttpClient(random.Random()) as http:
        return await log_in(server, name, password, state_dir, http)


@main.command()
@click.argument("program", shell_complete=center_names.programs)
@click.option(
    "--station",
    metavar="NAME",
    help="Station to play at.  [default: the first that has the whole program]",
    shell_complete=center_names.stations,
)
@_center_option
@state_dir_option
@json_option("an object with `url`")
def url(*, program: str, station: str | None, center: str | None, state_dir: Path, as_json: bool) -> None:
    """Print the address of a PROGRAM for any player, with your token in it if you have logged in.

    \b
    Example:
      media-console url bigbuckbunny --station north
    """
    try:
        whom = asyncio.run(_find(_Wanted(source=program, station=station, center=center, state_dir=state_dir)))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    found = playlist_url(whom.director, whom.program, whom.token)
    echo_json({"url": found}) if as_json else click.echo(found)


async def _find(wanted: _Wanted) -> _Whom:
    async with HttpClient(random.Random()) as http:
        return await _whom_to_ask(wanted, http)


def _own_address(peer: Address) -> str:
    """The address of this machine that faces `peer`; nothing is sent to find out."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except OSError as error:
            raise NotAnswered("director", peer, error.strerror or "no route") from error
        return str(probe.getsockname()[0])


add_completion(main, "media-console")
