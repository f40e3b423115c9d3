"""A fan of the board: its tachometer, and the PWM that drives it."""

from bisect import bisect_left
from pathlib import Path

from msgspec import Struct

from blade_agent.hardware.hwmon import find_chip, read_input, scale
from blade_agent.hardware.profile import FanFacts
from blade_agent.hardware.reading import Quantity, Reading, Unknown, Why
from blade_agent.hardware.sysfs import read_integer, write_integer

_PWM_MAX = 255


class FanReading(Struct, frozen=True):
    """How a fan runs."""

    name: str
    speed: Reading
    """In rotations a minute."""
    duty: Reading
    """Share of full drive, 0 to 1."""


def read_fan(root: Path, fan: FanFacts) -> FanReading:
    """Measure a fan."""
    return read_fan_at(find_chip(root, fan.chip), fan)


def read_fan_at(chip: Path | Unknown, fan: FanFacts, *, may_fail: bool = True) -> FanReading:
    """Measure a fan whose chip was looked for already; `may_fail` as for `read_input`."""
    if isinstance(chip, Unknown):
        return FanReading(fan.name, chip, chip)
    speed = read_input(chip, fan.tach, Quantity.FAN_SPEED, may_fail=may_fail) if fan.tach else _without("tachometer")
    return FanReading(fan.name, speed, read_duty_at(chip, fan))


def read_duty_at(chip: Path, fan: FanFacts) -> Reading:
    """Tell what share of full drive a fan gets, 0 to 1."""
    return scale(Quantity.DUTY, read_integer(f"{chip}/{fan.pwm}")) if fan.pwm else _without("PWM")


def drive_fan(root: Path, fan: FanFacts, duty: float) -> Unknown | None:
    """Run a fan at a share of full drive, at the next higher of its maker's levels if there are such."""
    if not 0 <= duty <= 1:
        raise ValueError(f"a fan runs at a share from 0 to 1, not {duty}")
    chip = find_chip(root, fan.chip)
    if isinstance(chip, Unknown):
        return chip
    if fan.pwm is None:
        return _without("PWM")
    return write_integer(chip / fan.pwm, pwm_setting(fan.levels, duty))


def pwm_setting(levels: tuple[int, ...], duty: float) -> int:
    """Setting of the PWM, of 255: never cooler than what was asked for, unless full drive is the highest level."""
    wanted = round(duty * _PWM_MAX)
    if not levels:
        return wanted
    return levels[min(bisect_left(levels, wanted), len(levels) - 1)]


def _without(part: str) -> Unknown:
    return Unknown(Why.ABSENT, f"the fan has no {part}")
