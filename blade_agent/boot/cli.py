"""`blade-agent update ...`: the two system slots of a board, and what is being done with them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from media_network.cli import Commands, UserError, echo_json, json_option, saying
from media_network.table import format_table

if TYPE_CHECKING:
    from blade_agent.boot.boot_state import BootState, SystemSlot

BOOT_STATE = "/dev/disk/by-partlabel/boot-state"
_COMMAND_LINE = Path("/proc/cmdline")


def _boot_state_option(command: click.decorators.FC) -> click.decorators.FC:
    return click.option(
        "--boot-state",
        "path",
        type=click.Path(path_type=Path),
        default=Path(BOOT_STATE),
        show_default=True,
        help="Partition that holds the boot state, or a copy of it.",
    )(command)


@click.group(cls=Commands)
def update() -> None:
    """The system that a board boots, and updates of it.

    \b
    Example:
      blade-agent update status
    """


@update.command()
@_boot_state_option
@json_option("an object with `running`, `slots`, `tries` and `minimum`")
def status(path: Path, *, as_json: bool) -> None:
    """Show both system slots, what runs, and what is booted next.

    \b
    Example:
      blade-agent update status --json
    """
    from blade_agent.boot.boot_copies import BootCopies, NoBootState
    from blade_agent.boot.boot_state import boot
    from blade_agent.boot.running_slot import running_slot

    try:
        with saying("the boot state cannot be read", "A board that was flashed has one; --boot-state names another."):
            state = BootCopies(path).read()
    except NoBootState as error:
        raise UserError(str(error), "The boot loader boots slot a then.") from error
    running, booted_next = running_slot(_COMMAND_LINE), boot(state)[0]
    if as_json:
        echo_json(_as_object(state, running, booted_next))
        return
    rows = [
        (slot.value, _release(state, slot), _standing(state, slot), _now(slot, running, booted_next))
        for slot in type(state.good)
    ]
    click.echo(format_table(("SLOT", "RELEASE", "STANDING", "NOW"), rows))
    click.echo(f"nothing older than {state.minimum} is taken")


def _release(state: "BootState", slot: "SystemSlot") -> str:
    release = state.good_release if slot is state.good else state.other_release
    return str(release) if release else ""


def _standing(state: "BootState", slot: "SystemSlot") -> str:
    if slot is state.good:
        return "good"
    return f"{state.other.value}, {state.tries} tries left" if state.tries else state.other.value


def _now(slot: "SystemSlot", running: "SystemSlot | None", booted_next: "SystemSlot") -> str:
    words = (("runs", slot is running), ("is booted next", slot is booted_next))
    return ", ".join(word for word, holds in words if holds)


def _as_object(state: "BootState", running: "SystemSlot | None", booted_next: "SystemSlot") -> dict[str, object]:
    return {
        "running": running.value if running else None,
        "next": booted_next.value,
        "slots": {
            slot.value: {
                "release": _release(state, slot) or None,
                "standing": "good" if slot is state.good else state.other.value,
            }
            for slot in type(state.good)
        },
        "tries": state.tries,
        "minimum": str(state.minimum),
    }
