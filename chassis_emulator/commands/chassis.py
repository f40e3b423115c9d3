"""`chassis-emulator pull`, `insert`, `power`, `reset` and `identify`: what hands and operators do to a chassis."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chassis_emulator.commands import names
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import FiniteRange, WholeRange, state_dir_option
from media_network.interrupting import INTERRUPTED_STATUS

if TYPE_CHECKING:
    from chassis_emulator.panel.model import PanelSlot

_LOOK_EVERY_S = 0.25
_LONGER_S = 10.0
"""The environment answers a pull when the blade is out, or at the end of its patience."""

blade_argument = click.argument("blade", metavar="STATION/SLOT", shell_complete=names.blades)


@click.command()
@blade_argument
@click.option("--surprise", is_flag=True, help="Take it out at once, without a word to anybody.")
@click.option(
    "--timeout",
    "patience_s",
    type=FiniteRange(min=0, max=3600, min_open=True),
    default=60.0,
    show_default=True,
    help="Seconds to wait for the blue light.",
)
@state_dir_option
def pull(blade: str, surprise: bool, patience_s: float, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Take a blade out of its slot.

    Its handle is opened; it hands its work over, and comes out when its blue light is on steadily. The slot stays
    empty over `down` and `up`, until `insert`.

    \b
    Example:
      chassis-emulator pull north/3
    """
    try:
        asyncio.run(_pull(StateFolder(state_dir), blade, surprise=surprise, patience_s=patience_s))
    except KeyboardInterrupt:
        click.echo(
            f"\nIts handle stays open, and it comes out when its blue light is on; `chassis-emulator insert {blade}`"
            " closes the handle.",
            err=True,
        )
        raise SystemExit(INTERRUPTED_STATUS) from None
    click.echo(f"{blade} is out.")


@click.command()
@blade_argument
@state_dir_option
def insert(blade: str, state_dir: Path) -> None:
    """Put a blade back into its slot, its handle closed.

    \b
    Example:
      chassis-emulator insert north/3
    """
    from chassis_emulator.chassis.orders import INSERT, InsertBlade
    from chassis_emulator.network.control import order

    order(StateFolder(state_dir), INSERT, InsertBlade(blade))
    click.echo(f"{blade} is in.")


@click.command()
@blade_argument
@click.argument("action", type=click.Choice(["on", "off", "cycle"]))
@state_dir_option
def power(blade: str, action: Any, state_dir: Path) -> None:
    """Have the chassis manager switch a blade's main board on or off, or off and on.

    \b
    Example:
      chassis-emulator power north/3 cycle
    """
    from chassis_emulator.chassis.orders import POWER, SwitchPower
    from chassis_emulator.network.control import order

    order(StateFolder(state_dir), POWER, SwitchPower(blade=blade, action=action), timeout_s=_MANAGER_TIMEOUT_S)
    click.echo(f"{blade}: power {action}.")


@click.command()
@blade_argument
@state_dir_option
def reset(blade: str, state_dir: Path) -> None:
    """Have the chassis manager reset a blade's main board.

    \b
    Example:
      chassis-emulator reset north/3
    """
    from chassis_emulator.chassis.orders import RESET, ResetSlot
    from chassis_emulator.network.control import order

    order(StateFolder(state_dir), RESET, ResetSlot(blade), timeout_s=_MANAGER_TIMEOUT_S)
    click.echo(f"{blade} was reset.")


@click.command()
@blade_argument
@click.option("--seconds", type=WholeRange(0, 255), default=15, show_default=True, help="How long; 0 ends it.")
@state_dir_option
def identify(blade: str, seconds: int, state_dir: Path) -> None:
    """Let a blade blink, so that it is found.

    \b
    Example:
      chassis-emulator identify north/3 --seconds 60
    """
    from chassis_emulator.chassis.orders import IDENTIFY, BlinkBlade
    from chassis_emulator.network.control import order

    order(StateFolder(state_dir), IDENTIFY, BlinkBlade(blade=blade, seconds=seconds), timeout_s=_MANAGER_TIMEOUT_S)
    click.echo(f"{blade} blinks for {seconds} s." if seconds else f"{blade} blinks no more.")


_MANAGER_TIMEOUT_S = 40.0


async def _pull(folder: StateFolder, blade: str, *, surprise: bool, patience_s: float) -> None:
    from chassis_emulator.chassis.orders import PULL, PullBlade
    from chassis_emulator.network.control import send_order

    order = PullBlade(blade=blade, surprise=surprise, patience_s=patience_s)
    pulling = asyncio.create_task(send_order(folder, PULL, order, timeout_s=patience_s + _LONGER_S))
    progress = ProgressLine(sys.stderr)
    try:
        while not pulling.done():
            if progress.watched:
                progress.show(f"{blade}: {await _how_far(folder, blade)}")
            await asyncio.wait([pulling], timeout=_LOOK_EVERY_S)
    finally:
        progress.end()
    await pulling


async def _how_far(folder: StateFolder, blade: str) -> str:
    from chassis_emulator.chassis.orders import PICTURE, AskPicture
    from chassis_emulator.network.control import send_order

    picture = await send_order(folder, PICTURE, AskPicture())
    slots = (slot for station in picture.stations for slot in station.slots)
    return next((_describe(slot) for slot in slots if slot.name == blade), "")


def _describe(slot: "PanelSlot") -> str:
    streams = f"{slot.streams} streams" if slot.streams else ""
    handle = f"handle {slot.handle}" if slot.handle else ""
    blue = "blue light on" if slot.lights.blue and slot.lights.blue.on_ms else ""
    return ", ".join(fact for fact in (handle, slot.hot_swap, streams, blue) if fact)
