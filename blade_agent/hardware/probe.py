"""What is under a root path: all that its drivers offer, and what a profile reads of it."""

from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.board import Board, BoardReadings
from blade_agent.hardware.eeprom import memories
from blade_agent.hardware.hwmon import offered
from blade_agent.hardware.led import leds
from blade_agent.hardware.load import LoadMeter, LoadReading
from blade_agent.hardware.profile import ProfileError, load_profile, profile_names
from blade_agent.hardware.reading import KnownReading, Quantity, Reading, Unknown
from blade_agent.hardware.supply import SupplyReading
from blade_agent.hardware.sysfs import read_text
from blade_agent.hardware.thermal_zone import zone_temperature, zones
from blade_agent.hardware.watchdog import watchdogs

_WITHOUT_DEVICE_TREE = "generic-x86"
_HANDLE = {True: "open", False: "closed"}


class Offer(Struct, frozen=True):
    """A value that a driver offers."""

    place: str
    """`zone <type>`, or `hwmon <chip> <channel>` and the channel's label."""
    quantity: Quantity
    reading: Reading


class Probe(Struct, frozen=True):
    """All that was found."""

    machine: tuple[str, ...]
    """What the device tree calls the board; nothing on a board without a device tree."""
    candidates: tuple[str, ...]
    """Profiles for what the device tree says."""
    profile: str | None
    """The one that was bound: the one asked for, or the only candidate."""
    board: BoardReadings | None
    """What that profile reads."""
    offers: tuple[Offer, ...]
    leds: tuple[str, ...]
    watchdogs: tuple[str, ...]
    memories: tuple[str, ...]
    load: LoadReading | None
    """Of this machine; only for the root path `/`."""


def probe(root: Path, name: str | None = None) -> Probe:
    """Look at everything under a root path. Raises ProfileError for a profile that is not there."""
    meter = LoadMeter() if root == Path("/") else None
    if meter:
        meter.read()
    machine = _machine(root)
    candidates = _candidates(machine)
    chosen = name or (candidates[0] if len(candidates) == 1 else None)
    return Probe(
        machine=machine,
        candidates=candidates,
        profile=chosen,
        board=Board(load_profile(chosen), root).read() if chosen else None,
        offers=_offers(root),
        leds=tuple(leds(root)),
        watchdogs=tuple(identity for identity, _ in watchdogs(root)),
        memories=tuple(memories(root)),
        load=meter.read() if meter else None,
    )


def profile_for(root: Path) -> str:
    """The profile of the board under a root path, by what its device tree says; without one it is an x86 machine.

    Raises ProfileError: no profile is known for it, or several are.
    """
    machine = _machine(root)
    if not machine:
        return _WITHOUT_DEVICE_TREE
    candidates = _candidates(machine)
    if len(candidates) == 1:
        return candidates[0]
    what = f"{' and '.join(candidates)} are" if candidates else "no profile is"
    raise ProfileError(machine[0], f"{what} known for this board; there are: {', '.join(profile_names())}")


def describe(found: Probe) -> list[str]:
    """The same for a person, a line each."""
    lines = [f"machine     {', '.join(found.machine) or 'no device tree'}"]
    lines.append(f"profile     {found.profile or 'none bound'}")
    if not found.profile:
        lines.append(f"candidates  {', '.join(found.candidates) or 'none; name a profile to bind it'}")
    if found.board:
        lines += _board_lines(found.board)
    if found.load:
        lines.append(f"load        cpu {_share(found.load.cpu)}, memory {_share(found.load.memory)}")
    lines += [f"offered     {offer.place}: {_shown(offer.quantity, offer.reading)}" for offer in found.offers]
    lines += [f"offered     led {name}" for name in found.leds]
    lines += [f"offered     watchdog {identity}" for identity in found.watchdogs]
    return lines + [f"offered     memory {name}" for name in found.memories]


def _board_lines(board: BoardReadings) -> list[str]:
    lines = [f"sensor      {row.name}: {_shown(row.quantity, row.reading)}" for row in board.sensors]
    lines += [
        f"fan         {fan.name}: {_shown(Quantity.FAN_SPEED, fan.speed)}, duty {_share(fan.duty)}"
        for fan in board.fans
    ]
    lines += [f"led         {led.name}: {_share(led.brightness)}" for led in board.leds]
    if board.watchdog:
        timeout = board.watchdog.timeout_s
        seconds = f"{timeout.value:g} s" if isinstance(timeout, KnownReading) else _reason(timeout)
        lines.append(f"watchdog    {board.watchdog.identity}: {seconds}")
    if board.handle_open is not None:
        handle = board.handle_open
        lines.append(f"handle      {_reason(handle) if isinstance(handle, Unknown) else _HANDLE[handle]}")
    return lines + [_supply_line(supply) for supply in board.supplies]


def _supply_line(supply: SupplyReading) -> str:
    state = {True: "works", False: "does not work", None: "not known whether it works"}[supply.works]
    voltage, power = _shown(Quantity.VOLTAGE, supply.voltage), _shown(Quantity.POWER, supply.power)
    return f"supply      {supply.name}: {state}, {voltage}, {power}"


def _shown(quantity: Quantity, reading: Reading) -> str:
    return f"{reading.value:g} {quantity.unit}".strip() if isinstance(reading, KnownReading) else _reason(reading)


def _share(reading: Reading) -> str:
    return f"{reading.value:.0%}" if isinstance(reading, KnownReading) else _reason(reading)


def _reason(unknown: Unknown) -> str:
    return f"unknown, {unknown.why.value} ({unknown.detail})"


def _offers(root: Path) -> tuple[Offer, ...]:
    of_zones = [Offer(f"zone {kind}", Quantity.TEMPERATURE, zone_temperature(folder)) for kind, folder in zones(root)]
    of_chips = [
        Offer(f"hwmon {chip} {channel} {label}".strip(), quantity, reading)
        for chip, channel, label, quantity, reading in offered(root)
    ]
    return (*of_zones, *of_chips)


def _machine(root: Path) -> tuple[str, ...]:
    text = read_text(root / "proc/device-tree/compatible")
    return () if isinstance(text, Unknown) else tuple(word for word in text.split("\0") if word)


def _candidates(machine: tuple[str, ...]) -> tuple[str, ...]:
    profiles = ((name, load_profile(name).compatible) for name in profile_names())
    return tuple(name for name, compatible in profiles if compatible and compatible.machine in machine)
