"""The switch at the blade's handle, where a chip has it as chassis intrusion input."""

from pathlib import Path

from blade_agent.hardware.hwmon import find_chip
from blade_agent.hardware.profile import HandleSwitch
from blade_agent.hardware.reading import Unknown, Why
from blade_agent.hardware.sysfs import read_integer, write_integer


def read_handle(root: Path, switch: HandleSwitch) -> bool | Unknown:
    """Tell whether the handle is open.

    A chip that keeps its alarm is asked to forget it, so that the next look tells of then: until the chip has looked
    again itself, a handle that stays open may be seen closed in between, never the other way round.
    """
    return read_handle_at(find_chip(root, switch.chip), switch)


def read_handle_at(chip: Path | Unknown, switch: HandleSwitch) -> bool | Unknown:
    """Tell the same of a switch whose chip was looked for already."""
    if isinstance(chip, Unknown):
        return chip
    path = chip / switch.attribute
    alarm = read_integer(path)
    if isinstance(alarm, Unknown):
        return alarm
    if alarm not in (0, 1):
        return Unknown(Why.IMPLAUSIBLE, f"{switch.attribute} {alarm}")
    if alarm and switch.latched:
        refused = write_integer(path, 0)
        if refused:
            return refused
    return bool(alarm)
