"""Lights of the board: /sys/class/leds (Documentation/leds/leds-class.rst of the Linux kernel)."""

import re
from pathlib import Path

from blade_agent.hardware.reading import KnownReading, Reading, Unknown, Why
from blade_agent.hardware.sysfs import folders, read_integer, read_text, write_integer, write_text

NO_TRIGGER = "none"
_MAX = 65535
_TIMER = "timer"
_CHOSEN = re.compile(r"\[([^\]]+)\]")


def leds(root: Path) -> list[str]:
    """Names of all lights."""
    return [folder.name for folder in folders(root / "sys/class/leds")]


def read_led(root: Path, device: str) -> Reading:
    """Brightness of a light, 0 (off) to 1."""
    folder = root / "sys/class/leds" / device
    brightness, highest = read_integer(folder / "brightness"), _highest(folder)
    if isinstance(brightness, Unknown):
        return brightness
    if isinstance(highest, Unknown):
        return highest
    if not 0 <= brightness <= highest:
        return Unknown(Why.IMPLAUSIBLE, f"brightness {brightness} of {highest}")
    return KnownReading(brightness / highest)


def light_led(root: Path, device: str, brightness: float) -> Unknown | None:
    """Let a light shine, 0 (off) to 1. Takes it from its trigger, which would change it again."""
    if not 0 <= brightness <= 1:
        raise ValueError(f"a light shines from 0 to 1, not {brightness}")
    folder = root / "sys/class/leds" / device
    highest = _highest(folder)
    if isinstance(highest, Unknown):
        return highest
    if read_trigger(root, device) not in (NO_TRIGGER, ""):
        refused = set_trigger(root, device, NO_TRIGGER)
        if refused:
            return refused
    return write_integer(folder / "brightness", round(brightness * highest))


def blink_led(root: Path, device: str, on_ms: int, off_ms: int) -> Unknown | None:
    """Let the kernel blink a light, where its timer trigger is (drivers/leds/trigger/ledtrig-timer.c)."""
    folder = root / "sys/class/leds" / device
    offered = str(read_text(folder / "trigger"))
    if "[" in offered and _TIMER not in offered.replace("[", " ").replace("]", " ").split():
        return Unknown(Why.ABSENT, f"{device} has no trigger {_TIMER!r}")
    return (
        set_trigger(root, device, _TIMER)
        or write_integer(folder / "delay_on", on_ms)
        or write_integer(folder / "delay_off", off_ms)
    )


def read_trigger(root: Path, device: str) -> str:
    """What plays on a light, `none` if nothing does; empty where that is not known."""
    text = read_text(root / "sys/class/leds" / device / "trigger")
    if isinstance(text, Unknown):
        return ""
    chosen = _CHOSEN.search(text)
    return chosen[1] if chosen else text


def set_trigger(root: Path, device: str, trigger: str) -> Unknown | None:
    """Let something play on a light."""
    return write_text(root / "sys/class/leds" / device / "trigger", trigger)


def _highest(folder: Path) -> int | Unknown:
    highest = read_integer(folder / "max_brightness")
    if isinstance(highest, Unknown) or 0 < highest <= _MAX:
        return highest
    return Unknown(Why.IMPLAUSIBLE, f"max_brightness {highest}")
