"""`blade-agent init`, `blade-agent chassis init` and `blade-agent config`: settings before anything runs on them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from media_network.cli import Commands, UserError, WholeRange, echo_json, json_option

if TYPE_CHECKING:
    from msgspec import Struct

    from blade_agent.configuration.found import FoundBoard

BLADE_FILE = "/etc/media-station/blade.toml"
CHASSIS_FILE = "/etc/media-station/chassis.toml"
_SCHEMA = "hw_profiles/README.md describes profiles; choose one with --profile."

Command = TypeVar("Command", bound=Callable[..., Any])


class _Part(NamedTuple):
    file: str
    document: str
    runs: str


_PARTS = {
    "blade": _Part(BLADE_FILE, "docs/operations/blade.md", "blade-agent run"),
    "chassis": _Part(CHASSIS_FILE, "docs/operations/chassis.md", "blade-agent manage"),
}


def _kind(part: str) -> "type[Struct]":
    if part == "blade":
        from blade_agent.settings import BladeSettings

        return BladeSettings
    from blade_agent.chassis_manager.settings import ManagerSettings

    return ManagerSettings


def _file_option(default: str) -> Callable[[Command], Command]:
    return click.option(
        "--settings",
        "path",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path(default),
        show_default=True,
        help="File to write; one that is there is left as it is.",
    )


def _board_options(command: Command) -> Command:
    command = click.option(
        "--root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path("/"),
        show_default=True,
        help="Folder that holds sys and proc: of this board, or copied from another.",
    )(command)
    return click.option("--profile", default="", help="Hardware profile.  [default: what the device tree says]")(
        command
    )


@click.command()
@click.option("--slot", type=WholeRange(1, 16), required=True, help="Slot of the chassis that the blade is in.")
@click.option("--address", default="", help="IPv4 address of the blade.  [default: the only one there is]")
@click.option("--backplane", default="", help="Serial device, or udp:HOST:PORT.  [default: what the profile says]")
@_board_options
@_file_option(BLADE_FILE)
@json_option("an object with what was written and what was found")
def init(*, slot: int, address: str, backplane: str, profile: str, root: Path, path: Path, as_json: bool) -> None:
    """Begin the settings of a blade with what its board, its network and its disks say.

    \b
    Example:
      blade-agent init --slot 2
    """
    from blade_agent.configuration.first_settings import SEGMENTS, blade_text
    from blade_agent.configuration.found import NotFound, chosen_address, chosen_backplane

    board = _board(root, profile)
    try:
        chosen = {"address": chosen_address(board, address), "backplane": chosen_backplane(board, backplane)}
    except NotFound as error:
        raise UserError(str(error), error.option) from error
    text = blade_text(board, slot=slot, **chosen)
    _begin("blade", path, text)
    folders = board.disks or (SEGMENTS,)
    if as_json:
        echo_json({"settings": str(path), "slot": slot, **chosen, "channels": folders, "board": board})
        return
    _say("blade", path, board, (f"slot {slot}, {chosen['address']}, backplane {chosen['backplane']}",))
    for folder in folders:
        if not Path(folder).is_dir():
            click.echo(f"segments go to {folder}, which is not there yet: mkdir -p {folder}")


@click.command(name="init")
@click.option("--station", required=True, help="Name of the media station.")
@click.option(
    "--wire",
    "wires",
    multiple=True,
    required=True,
    help="Slot and the wire to it, SLOT=DEVICE or SLOT=udp:HOST:PORT; once for each slot.",
)
@click.option("--center", default="", help="Control port of the distribution center, HOST:PORT.  [default: none]")
@_board_options
@_file_option(CHASSIS_FILE)
@json_option("an object with what was written and what was found")
def init_chassis(
    *, station: str, wires: tuple[str, ...], center: str, profile: str, root: Path, path: Path, as_json: bool
) -> None:
    """Begin the settings of a chassis manager with what its board says.

    \b
    Example:
      blade-agent chassis init --station north --wire 1=/dev/ttyS1 --wire 2=udp:192.0.2.12:623
    """
    from blade_agent.configuration.first_settings import chassis_text

    by_slot = dict(map(_slot_and_wire, wires))
    if len(by_slot) < len(wires):
        raise UserError("two wires are named for one slot", "Name each slot once.")
    board = _board(root, profile)
    _begin("chassis", path, chassis_text(board, station=station, wires=by_slot, center=center))
    if as_json:
        echo_json({"settings": str(path), "station": station, "wires": by_slot, "board": board})
        return
    _say("chassis", path, board, (f"station {station}, slots {', '.join(map(str, sorted(by_slot)))}",))


def _slot_and_wire(text: str) -> tuple[int, str]:
    slot, equals, wire = text.partition("=")
    if not (equals and wire and slot.isascii() and slot.isdigit()):
        raise UserError(f"{text!r} is no slot with its wire", "--wire 1=/dev/ttyS1, or 1=udp:192.0.2.11:623")
    return int(slot), wire


def _board(root: Path, profile: str) -> "FoundBoard":
    from blade_agent.configuration.found import find_board
    from blade_agent.hardware.profile import ProfileError

    try:
        return find_board(root, profile)
    except ProfileError as error:
        raise UserError(str(error), _SCHEMA) from error


def _begin(part: str, path: Path, text: str) -> None:
    """Write the file. Raises UserError: its settings would be refused, or it is there; OSError."""
    from media_network.document import NotTheGrammar, parse_toml
    from media_network.new_file import write_new
    from media_network.strict_reading import ThoroughReader

    try:
        wrong = ThoroughReader("settings file").all_wrong(_kind(part), parse_toml(text))
    except NotTheGrammar as error:
        raise UserError(
            "what was told has signs that no settings file can have", "Use printable characters."
        ) from error
    if wrong:
        raise UserError(f"{wrong[0].at} {wrong[0].reason}", f"{_PARTS[part].document} describes every key.")
    try:
        write_new(path, text)
    except FileExistsError as error:
        raise UserError(f"{path} is there already, and is left as it is", "`--settings` names another.") from error


def _say(part: str, path: Path, board: "FoundBoard", words: tuple[str, ...]) -> None:
    click.echo(f"{path}: begun for {board.title}")
    for word in words:
        click.echo(word)
    default = str(path) == _PARTS[part].file
    option = "" if default else f" --settings {path}"
    click.echo(f"look it over, then: blade-agent config check {part}{option} && {_PARTS[part].runs}{option}")


@click.group(cls=Commands)
def config() -> None:
    """Settings files of a blade and of a chassis manager.

    \b
    Example:
      blade-agent config check
    """


@config.command()
@click.argument("part", type=click.Choice(sorted(_PARTS)), default="blade")
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    help=f"TOML file.  [default: {BLADE_FILE}, of a chassis {CHASSIS_FILE}]",
)
@json_option("an object with `settings` and `faults`, each with `line`, `key` and `sentence`")
def check(part: str, path: Path | None, *, as_json: bool) -> None:
    """Say everything that is wrong with the settings of a blade (the default) or of a chassis manager.

    Each wrong key has its line, and what it may be. Ends with status 1 if there is one.

    \b
    Example:
      blade-agent config check chassis --settings chassis.toml
    """
    from blade_agent.configuration.checking import check_file
    from media_network.settings import SettingsError

    file = path or Path(_PARTS[part].file)
    try:
        faults = check_file(file, _kind(part))
    except SettingsError as error:
        raise UserError(str(error), error.hint or f"{_PARTS[part].document} describes every key.") from error
    if as_json:
        echo_json({"settings": str(file), "faults": faults})
    for fault in faults if not as_json else ():
        place = f"{file}:{fault.line}" if fault.line else str(file)
        click.echo(f"{place}: {fault.sentence}")
    if faults:
        count = "one thing is" if len(faults) == 1 else f"{len(faults)} things are"
        raise UserError(f"{count} wrong with {file}", f"{_PARTS[part].document} describes every key.")
    if not as_json:
        click.echo(f"{file}: nothing is wrong with it")
