"""The command `media-console`."""

import asyncio
import random
import re
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import click
from msgspec import Struct

from chassis_emulator.media_console.errors import BadUrl, ConsoleError, NoNetwork, NotAnswered
from chassis_emulator.media_console.hls import play_hls, play_url
from chassis_emulator.media_console.lookup import look_up
from chassis_emulator.media_console.output import OutputFile
from chassis_emulator.media_console.playlist import split_url
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception, Progress
from chassis_emulator.media_console.report import report
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.cli import Commands, UserError, echo_json, json_option, state_dir_option
from media_network.http.client import HttpClient
from media_network.program import Program
from media_network.whereabouts import find_center_media

_PROGRAM_PATH = re.compile(r"/programs/([a-z0-9-]{1,64})/playlist\.m3u8")


class PlayOrder(Struct, frozen=True, kw_only=True):
    """What `play` was told."""

    source: str
    station: str | None
    by: str
    state_dir: Path
    to: Address | None


@click.group(cls=Commands, name="media-console", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="media-station")
def main() -> None:
    """Play programs of a media station, as the set at a viewer's home does."""


def _address(_: click.Context, __: click.Parameter, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return Address.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@main.command()
@click.argument("source", metavar="URL|PROGRAM")
@click.option("--station", metavar="NAME", help="Station to play at.  [default: the first that has the whole program]")
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
    by: str,
    output: str | None,
    state_dir: Path,
    to: Address | None,
    as_json: bool,
) -> None:
    """Play a PROGRAM of the network on this laptop, or whatever the playlist at URL lists.

    Prints each segment: the engine it came from, its bytes and their SHA-256. Exit code 0 if everything came as it was
    published, or until it was stopped (Ctrl-C); 1 if not.

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
    order = PlayOrder(source=source, station=station, by=by, state_dir=state_dir, to=to)
    try:
        with _progress_bar() as progress, OutputFile(output) as file:
            reception = asyncio.run(_play(order, file, progress))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    # Where the standard output carries the program, the report must not get into it.
    with redirect_stdout(sys.stderr if output == "-" else sys.stdout):
        echo_json(reception) if as_json else click.echo(report(reception))
    sys.exit(1 if reception.intact is False else 0)


async def _play(order: PlayOrder, output: OutputFile, progress: Progress) -> ConsoleReception:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with HttpClient(random.Random()) as http:
        if "://" in order.source and order.by == "hls":
            return await play_url(order.source, output, http, progress=progress, stop=stop)
        director, program, expected = await _whom_to_ask(order, http)
        if order.by == "hls":
            return await play_hls(director, program, output, http, expected=expected, progress=progress, stop=stop)
        host = _own_address(director)
        # A station sends to the host that asks: the one that the datagrams shall come to.
        async with HttpClient(random.Random(), host) as voice:
            return await play_push(
                director, program, output, voice, host=host, to=order.to, progress=progress, stop=stop
            )


async def _whom_to_ask(order: PlayOrder, http: HttpClient) -> tuple[Address, str, Program | None]:
    """The director, the name of the program, and what is known of it."""
    if "://" in order.source:
        director, path = split_url(order.source)
        found = _PROGRAM_PATH.fullmatch(path)
        if not found:
            raise BadUrl(order.source, "push needs the URL of a program at its director")
        return director, found[1], None
    center = find_center_media(order.state_dir)
    if center is None:
        raise NoNetwork(order.state_dir)
    place = await look_up(center, order.source, order.station, http)
    return place.director, order.source, place.program


def _own_address(peer: Address) -> str:
    """The address of this machine that faces `peer`; nothing is sent to find out."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except OSError as error:
            raise NotAnswered("director", peer, error.strerror or "no route") from error
        return str(probe.getsockname()[0])


@contextmanager
def _progress_bar() -> Iterator[Progress]:
    """On a terminal, a bar on the standard error output; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield do_nothing
        return
    with click.progressbar(length=1, file=sys.stderr, label="receiving", show_pos=False) as bar:

        def show(done: int, whole: int) -> None:
            bar.length = whole
            bar.update(done - bar.pos)

        yield show
