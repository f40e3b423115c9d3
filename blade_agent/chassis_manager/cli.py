"""`blade-agent chassis ...`: what a person on the management board asks and tells the chassis manager."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from media_network.cli import Commands, UserError, WholeRange, echo_json_line, json_option
from media_network.deferred_commands import Deferred
from media_network.presenting import present, watch_option
from media_network.table import table_or

if TYPE_CHECKING:
    from blade_agent.chassis_manager.orders import ChassisState, EventRow, SlotState
    from media_network.messages.verb import Reply, Request, Verb

SOCKET = "/run/media-station/chassis.sock"
_SLOT_HEADINGS = ("SLOT", "HOT SWAP", "ROLE", "MAIN BOARD", "POWER", "HOTTEST", "GRANTED", "WAITS FOR")
_EVENT_HEADINGS = ("ID", "TIME (UTC)", "SEVERITY", "WHERE", "SENSOR", "EVENT")
_FOLLOW_PAUSE_S = 0.5
_ORDER_TIMEOUT_S = 30.0
"""A blade that has to let go of its streams first takes its time."""

Command = TypeVar("Command", bound=Callable[..., Any])


def _socket_option(command: Command) -> Command:
    return click.option(
        "--socket",
        type=click.Path(path_type=Path),
        default=Path(SOCKET),
        envvar="MEDIA_STATION_CHASSIS",
        show_default=True,
        show_envvar=True,
        help="Where the chassis manager takes orders: `orders` in its settings.",
    )(command)


@click.group(
    cls=Commands,
    deferred={
        "init": Deferred(
            "blade_agent.configuration.cli:init_chassis",
            "Begin the settings of a chassis manager with what its board says.",
        )
    },
)
def chassis() -> None:
    """A chassis as its manager sees it: on the management board itself.

    \b
    Example:
      blade-agent chassis status
    """


@chassis.command()
@_socket_option
@watch_option
@json_option("an object")
def status(socket: Path, *, watch: bool, as_json: bool) -> None:
    """Show every slot, the supplies and the power budget.

    \b
    Example:
      blade-agent chassis status --json
    """
    from blade_agent.chassis_manager.orders import CHASSIS, AskChassis

    present(lambda: _order(socket, CHASSIS, AskChassis()), _describe, as_json=as_json, watch=watch)


@chassis.command()
@click.option("--after", type=WholeRange(min=0), default=0, help="Show what came after this record.")
@click.option("--follow", "-f", is_flag=True, help="Go on as events come.")
@_socket_option
@json_option("an object; with --follow an object a line")
def events(after: int, socket: Path, *, follow: bool, as_json: bool) -> None:
    """Show the event log of the chassis.

    \b
    Example:
      blade-agent chassis events --follow
    """
    from blade_agent.chassis_manager.orders import EVENTS, AskEvents

    nothing = f"There is no event after {after}." if after else "There is no event."
    if not follow:
        present(
            lambda: _order(socket, EVENTS, AskEvents(after)),
            lambda found: table_or(nothing, _EVENT_HEADINGS, [_event_cells(row) for row in found.events]),
            as_json=as_json,
        )
    while follow:
        found = _order(socket, EVENTS, AskEvents(after))
        for row in found.events:
            echo_json_line(row) if as_json else click.echo(_event_line(row))
        after = found.last
        time.sleep(_FOLLOW_PAUSE_S)


@chassis.command()
@click.argument("slot", type=WholeRange(1, 62))
@click.argument("action", type=click.Choice(["on", "off", "cycle"]))
@_socket_option
def power(slot: int, action: Any, socket: Path) -> None:
    """Switch a blade's main board. What was ordered is remembered over restarts of the manager.

    \b
    Example:
      blade-agent chassis power 3 off
    """
    from blade_agent.chassis_manager.orders import POWER, SetPower

    _order(socket, POWER, SetPower(slot=slot, action=action))


@chassis.command()
@click.argument("slot", type=WholeRange(1, 62))
@_socket_option
def reset(slot: int, socket: Path) -> None:
    """Reset a blade's main board.

    \b
    Example:
      blade-agent chassis reset 3
    """
    from blade_agent.chassis_manager.orders import RESET, ResetBlade

    _order(socket, RESET, ResetBlade(slot=slot))


@chassis.command()
@click.argument("slot", type=WholeRange(1, 62))
@click.option("--seconds", type=WholeRange(0, 255), default=15, show_default=True, help="How long; 0 ends it.")
@_socket_option
def identify(slot: int, seconds: int, socket: Path) -> None:
    """Let a blade blink, so that it can be found in the rack.

    \b
    Example:
      blade-agent chassis identify 3 --seconds 60
    """
    from blade_agent.chassis_manager.orders import IDENTIFY, IdentifyBlade

    _order(socket, IDENTIFY, IdentifyBlade(slot=slot, seconds=seconds))


@chassis.command()
@click.argument("slot", type=WholeRange(1, 62))
@_socket_option
def activate(slot: int, socket: Path) -> None:
    """Bring a blade into service, now or as soon as the power budget carries it.

    \b
    Example:
      blade-agent chassis activate 3
    """
    from blade_agent.chassis_manager.orders import ACTIVATE, ActivateBlade

    _order(socket, ACTIVATE, ActivateBlade(slot=slot))


@chassis.command()
@click.argument("slot", type=WholeRange(1, 62))
@_socket_option
def deactivate(slot: int, socket: Path) -> None:
    """Take a blade out of service and leave it out: its role goes first, then its streams, then the blade.

    \b
    Example:
      blade-agent chassis deactivate 3
    """
    from blade_agent.chassis_manager.orders import DEACTIVATE, DeactivateBlade

    _order(socket, DEACTIVATE, DeactivateBlade(slot=slot))


def _order(socket: Path, verb: "Verb[Request, Reply]", request: "Request") -> "Reply":
    from media_network.local_orders import NobodyListens, OrderLost, order
    from media_network.refusal import Refused

    try:
        reply = order(socket, verb, request, timeout_s=_ORDER_TIMEOUT_S)
    except NobodyListens:
        raise UserError(
            f"no chassis manager takes orders at {socket}",
            "Start `blade-agent manage` with `orders` in its settings, or name its socket with --socket.",
        ) from None
    except OrderLost as error:
        raise UserError(f"the chassis manager at {socket} {error}", "Look at its log, then at the status.") from error
    if isinstance(reply, Refused):
        raise UserError(str(reply), "`blade-agent chassis status` shows the slot and what it waits for.")
    return reply


def _describe(state: "ChassisState") -> str:
    director = "no director" if state.director is None else f"director in slot {state.director}"
    lines = [f"{state.station}: {director}, epoch {state.epoch}"]
    lines.append(table_or("The chassis has no slot.", _SLOT_HEADINGS, [_slot_cells(slot) for slot in state.slots]))
    for supply in state.supplies:
        measured = "" if supply.watts is None else f", gives {supply.watts:.0f} W"
        lines.append(f"{supply.name}: {'works' if supply.works else 'failed'}, {supply.capacity_w:.0f} W{measured}")
    if state.budget.capacity_w is not None:
        lines.append(f"budget: {state.budget.granted_w:.0f} W of {state.budget.capacity_w:.0f} W granted")
    if state.failed_logins:
        lines.append(f"wrong passwords at the IPMI interface: {state.failed_logins}")
    if not state.journal_kept:
        lines.append("what is ordered cannot be written down: check the disk")
    return "\n".join(lines)


def _slot_cells(slot: "SlotState") -> tuple[str, ...]:
    known = slot.main_board is not None
    return (
        str(slot.slot),
        slot.hot_swap,
        str(slot.role or "") if known else "",
        str(slot.main_board or ""),
        str(slot.observed_power) if known else "",
        f"{max(reading.celsius for reading in slot.temperatures):.0f} °C" if slot.temperatures else "",
        "" if slot.granted_w is None else f"{slot.granted_w:.0f} W",
        slot.waits_for,
    )


def _event_line(row: "EventRow") -> str:
    number, moment, severity, where, sensor, event = _event_cells(row)
    return f"{number:>5}  {moment}  {severity:8}  {where:8}  {sensor}: {event}"


def _event_cells(row: "EventRow") -> tuple[str, ...]:
    from datetime import UTC, datetime

    where = "chassis" if row.slot is None else f"slot {row.slot}"
    moment = datetime.fromtimestamp(row.time, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return str(row.id), moment, row.severity, where, row.sensor, row.event
