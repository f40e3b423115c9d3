"""What `media-console` does when it is told to play, to log in, or to say an address."""

import asyncio
import random
import re
import signal
import socket
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from chassis_emulator.media_console.errors import BadUrl, NoNetwork, NotAnswered, NotFound
from chassis_emulator.media_console.hls import play_hls, play_url
from chassis_emulator.media_console.login import KeptLogin, log_in, token_for
from chassis_emulator.media_console.lookup import look_up
from chassis_emulator.media_console.output import OutputFile
from chassis_emulator.media_console.playlist import split_url
from chassis_emulator.media_console.push import play_push
from chassis_emulator.media_console.reception import ConsoleReception
from chassis_emulator.media_console.remote import Remote
from chassis_emulator.media_console.screen import Screen
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.messages.authentication import TOKEN_PARAMETER
from media_network.program import Program
from media_network.whereabouts import find_center_media, known_centers

_PROGRAM_PATH = re.compile(
    rf"/programs/([a-z0-9-]{{1,64}})/playlist\.m3u8(?:\?(?:.*&)?{TOKEN_PARAMETER}=([A-Za-z0-9._-]*).*|\?.*)?"
)


class Wanted(Struct, frozen=True, kw_only=True):
    """Which program, and where."""

    source: str
    station: str | None
    center: str | None
    state_dir: Path


class PlayOrder(Wanted, frozen=True, kw_only=True):
    """What `play` was told."""

    by: str
    to: Address | None


async def play_order(order: PlayOrder, output: OutputFile, screen: Screen, remote: Remote) -> ConsoleReception:
    """Play until the end, or until SIGINT or SIGTERM. Raises ConsoleError."""
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


class Whom(NamedTuple):
    """Whom to ask for a program, and with what."""

    director: Address
    program: str
    token: str | None
    expected: Program | None
    """What is known of the program."""


async def _whom_to_ask(wanted: Wanted, http: HttpClient) -> Whom:
    if "://" in wanted.source:
        director, path = split_url(wanted.source)
        found = _PROGRAM_PATH.fullmatch(path)
        if not found:
            raise BadUrl(wanted.source, "push needs the URL of a program at its director")
        return Whom(director, found[1], found[2], None)
    center = find_center_media(wanted.state_dir, wanted.center)
    if center is None and wanted.center is not None:
        known = ", ".join(known_centers(wanted.state_dir)) or "none"
        raise NotFound(f"There is no center {wanted.center[:80]!r}", f"Centers: {known}.")
    if center is None:
        raise NoNetwork(wanted.state_dir)
    place = await look_up(center, wanted.source, wanted.station, http)
    return Whom(place.director, wanted.source, await token_for(wanted.source, wanted.state_dir, http), place.program)


async def log_in_at(server: Address, name: str, password: str, state_dir: Path) -> KeptLogin:
    """Log in at a server, and keep what it gives. Raises ConsoleError."""
    async with HttpClient(random.Random()) as http:
        return await log_in(server, name, password, state_dir, http)


async def find(wanted: Wanted) -> Whom:
    """Whom to ask for a program, and with what. Raises ConsoleError."""
    async with HttpClient(random.Random()) as http:
        return await _whom_to_ask(wanted, http)


def free_address(peer: Address) -> Address:
    """Where a player of this machine can listen for what comes from `peer`: nobody does yet. Raises NotAnswered."""
    host = _own_address(peer)
    with socket.socket(type=socket.SOCK_DGRAM) as found:
        found.bind((host, 0))
        return Address(host, found.getsockname()[1])


def _own_address(peer: Address) -> str:
    """The address of this machine that faces `peer`; nothing is sent to find out."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except OSError as error:
            raise NotAnswered("director", peer, error.strerror or "no route") from error
        return str(probe.getsockname()[0])
