"""`media-console play|login|url`. Each imports what it needs, so that their `--help` answers at once."""

import asyncio
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chassis_emulator.media_console.errors import ConsoleError, NoAuthentication
from media_network import center_names
from media_network.cli import UserError, as_address, echo_json, json_option, state_dir_option
from media_network.password_input import password_option, read_password

if TYPE_CHECKING:
    from media_network.address import Address


_center_option = click.option(
    "--center",
    metavar="NAME",
    help="Which of several centers knows the PROGRAM.  [default: the headquarters]",
    shell_complete=center_names.centers,
)


@click.command()
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
    callback=as_address,
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
    to: "Address | None",
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
    from chassis_emulator.media_console.output import OutputFile
    from chassis_emulator.media_console.playing import PlayOrder, play_order
    from chassis_emulator.media_console.remote import Remote
    from chassis_emulator.media_console.report import report
    from chassis_emulator.media_console.screen import opened_screen

    order = PlayOrder(source=source, station=station, center=center, by=by, state_dir=state_dir, to=to)
    try:
        remote = Remote()
        with opened_screen(remote) as screen, OutputFile(output) as file:
            reception = asyncio.run(play_order(order, file, screen, remote))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    # Where the standard output carries the program, the report must not get into it.
    with redirect_stdout(sys.stderr if output == "-" else sys.stdout):
        echo_json(reception) if as_json else click.echo(report(reception))
    sys.exit(1 if reception.intact is False else 0)


@click.command()
@click.argument("name")
@click.option(
    "--server", metavar="HOST:PORT", callback=as_address, help="The authentication server, if not on this laptop."
)
@password_option
@state_dir_option
@json_option("an object with `name`, `server` and `expires_at_ms`")
def login(*, name: str, server: "Address | None", password_file: Path | None, state_dir: Path, as_json: bool) -> None:
    """Log in as the subscriber NAME. `play` and `url` show the token that this brings.

    The password is asked for, or read from a file; what is kept is a token, in a file that you alone can read.

    \b
    Example:
      media-console login viewer
    """
    import msgspec

    from chassis_emulator.media_console.login import login_file
    from chassis_emulator.media_console.playing import log_in_at
    from media_network.messages.authentication import PASSWORD_MAX, SubscriberName
    from media_network.whereabouts import find_authentication

    try:
        msgspec.convert(name, SubscriberName)
    except msgspec.ValidationError:
        raise UserError(f"{name[:80]!r} is no name of a subscriber", "Use the name that you were given.") from None
    found = server or find_authentication(state_dir)
    try:
        if found is None:
            raise NoAuthentication(state_dir)
        kept = asyncio.run(log_in_at(found, name, read_password(password_file, PASSWORD_MAX), state_dir))
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    if as_json:
        echo_json({"name": kept.name, "server": kept.server, "expires_at_ms": kept.renewal_expires_at_ms})
    else:
        click.echo(f"Logged in as {kept.name}; {login_file(state_dir)} has the token.")


@click.command()
@click.argument("program", shell_complete=center_names.programs)
@click.option(
    "--station",
    metavar="NAME",
    help="Station to play at.  [default: the first that has the whole program]",
    shell_complete=center_names.stations,
)
@_center_option
@click.option(
    "--by",
    type=click.Choice(["hls", "rtsp", "udp"]),
    default="hls",
    show_default=True,
    help="hls: a playlist, which the player fetches; rtsp: the player has the stream sent; udp: where it listens, with "
    "the command that has the stream sent.",
)
@state_dir_option
@json_option("an object with `url`, and `send` with --by udp")
def url(*, program: str, station: str | None, center: str | None, by: str, state_dir: Path, as_json: bool) -> None:
    """Print the address of a PROGRAM for any player, with your token in it if you have logged in.

    By UDP a player only listens: the second line, in another window, has the stream sent there. Its keys pause, seek
    and change the speed of what the player shows.

    \b
    Example:
      media-console url bigbuckbunny --station north
      media-console url bigbuckbunny --station north --by rtsp
      media-console url bigbuckbunny --station north --by udp
    """
    from chassis_emulator.media_console.hls import playlist_url, rtsp_url
    from chassis_emulator.media_console.playing import Wanted, find, free_address

    try:
        whom = asyncio.run(find(Wanted(source=program, station=station, center=center, state_dir=state_dir)))
        listening = free_address(whom.director) if by == "udp" else None
    except ConsoleError as error:
        raise UserError(str(error), error.hint) from error
    if listening is None:
        address = rtsp_url if by == "rtsp" else playlist_url
        found = {"url": address(whom.director, whom.program, whom.token)}
    else:
        where = [f"--{option} {name}" for option, name in (("station", station), ("center", center)) if name]
        send = " ".join(("media-console play", program, *where, f"--by push --to {listening}"))
        found = {"url": f"udp://{listening}", "send": send}
    echo_json(found) if as_json else click.echo("\n".join(found.values()))
