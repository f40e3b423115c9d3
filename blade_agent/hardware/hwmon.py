"""Chips of /sys/class/hwmon, found by name: the number in `hwmon3` is only the order in which drivers came up.

Attributes and units: Documentation/hwmon/sysfs-interface.rst of the Linux kernel.
"""

import re
from pathlib import Path
from typing import TypeAlias

from blade_agent.hardware.profile import HwmonChannel
from blade_agent.hardware.reading import Quantity, Reading, Unknown, Why, judge
from blade_agent.hardware.sysfs import folders, read_integer, read_text

_INPUT = re.compile(r"((?:temp|in|curr|power|fan)[0-9]{1,3})_(?:input|average)")
COUNTS_PER_UNIT = {
    Quantity.TEMPERATURE: 1000,
    Quantity.VOLTAGE: 1000,
    Quantity.CURRENT: 1000,
    Quantity.POWER: 1_000_000,
    Quantity.FAN_SPEED: 1,
    Quantity.DUTY: 255,
}
_QUANTITIES = {
    "temp": Quantity.TEMPERATURE,
    "in": Quantity.VOLTAGE,
    "curr": Quantity.CURRENT,
    "power": Quantity.POWER,
    "fan": Quantity.FAN_SPEED,
}

Chips: TypeAlias = list[tuple[str, Path]]


def chips(root: Path) -> Chips:
    """Name and folder of every chip."""
    named = ((read_text(folder / "name"), folder) for folder in folders(root / "sys/class/hwmon"))
    return [(name, folder) for name, folder in named if isinstance(name, str)]


def find_chip(root: Path, name: str, device: str | None = None, among: Chips | None = None) -> Path | Unknown:
    """Folder of the one chip of that name; `device` chooses among several by the device they belong to.

    `among`: all chips, where they were looked for already.
    """
    found = [folder for known, folder in (chips(root) if among is None else among) if known == name]
    if device:
        found = [folder for folder in found if (folder / "device").resolve().name == device]
    if len(found) == 1:
        return found[0]
    wanted = f"hwmon {name!r}" + (f" of {device!r}" if device else "")
    return Unknown(Why.AMBIGUOUS, f"{len(found)} are {wanted}") if found else Unknown(Why.ABSENT, f"no {wanted}")


def inputs(chip: Path) -> list[str]:
    """Channels of a chip that measure: `temp1`, `in0`, `fan2`."""
    matches = (_INPUT.fullmatch(path.name) for path in folders(chip))
    return sorted({match[1] for match in matches if match})


def find_channel(root: Path, channel: HwmonChannel, among: Chips | None = None) -> tuple[Path, str] | Unknown:
    """Folder of a channel's chip, and the channel's number in it; `among` as for `find_chip`."""
    chip = find_chip(root, channel.chip, channel.device, among)
    if isinstance(chip, Unknown):
        return chip
    if channel.channel:
        return chip, channel.channel
    labelled = [name for name in inputs(chip) if read_text(chip / f"{name}_label") == channel.label]
    if len(labelled) == 1:
        return chip, labelled[0]
    why = Why.AMBIGUOUS if labelled else Why.ABSENT
    return Unknown(why, f"{len(labelled)} channels of {channel.chip!r} have the label {channel.label!r}")


def read_channel(root: Path, quantity: Quantity, channel: HwmonChannel) -> Reading:
    """Measure by a channel of a chip."""
    place = find_channel(root, channel)
    return place if isinstance(place, Unknown) else read_input(*place, quantity)


def tells_fault(chip: Path, channel: str) -> bool:
    """Whether a chip can say that a channel's sensor is broken."""
    return (chip / f"{channel}_fault").exists()


def read_input(chip: Path, channel: str, quantity: Quantity, *, may_fail: bool = True) -> Reading:
    """Measure by a channel that is known by number. Power is often only given as an average.

    `may_fail`: the chip can say that the sensor is broken, or it is not known that it cannot.
    """
    if may_fail and read_integer(f"{chip}/{channel}_fault") == 1:
        return Unknown(Why.FAILED, f"{channel}_fault is 1: the chip says the sensor is broken")
    count = read_integer(f"{chip}/{channel}_input")
    if isinstance(count, Unknown) and count.why is Why.ABSENT and quantity is Quantity.POWER:
        count = read_integer(chip / f"{channel}_average")
    return scale(quantity, count)


def scale(quantity: Quantity, count: int | Unknown) -> Reading:
    """What an attribute's number means."""
    if isinstance(count, Unknown):
        return count
    return judge(quantity, count / COUNTS_PER_UNIT[quantity])


def offered(root: Path) -> list[tuple[str, str, str, Quantity, Reading]]:
    """All that any chip measures: chip, channel, label, quantity, reading."""
    rows = []
    for name, folder in chips(root):
        for channel in inputs(folder):
            quantity = _QUANTITIES[channel.rstrip("0123456789")]
            label = read_text(folder / f"{channel}_label")
            text = label if isinstance(label, str) else ""
            rows.append((name, channel, text, quantity, read_input(folder, channel, quantity)))
    return rows
