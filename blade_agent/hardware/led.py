"""Lights of the board: /sys/class/leds (Documentation/leds/leds-class.rst of the Linux kernel)."""

from pathlib import Path

from blade_agent.hardware.reading import Known, Reading, Unknown, Why
from blade_agent.hardware.sysfs import folders, read_integer, read_text, write_integer

_MAX = 65535


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
    return Known(brightness / highest)


def light_led(root: Path, device: str, brightness: float) -> Unknown | None:
    """Let a light shine, 0 (off) to 1. Takes it from its trigger, which would change it again."""
    if not 0 <= brightness <= 1:
        raise ValueError(f"a light shines from 0 to 1, not {brightness}")
    folder = root / "sys/class/leds" / device
    highest = _highest(folder)
    if isinstance(highest, Unknown):
        return highest
    if brightness and "[none]" not in str(read_text(folder / "trigger")):
        # Brightness 0 is what removes a trigger; set alone, a trigger would go on playing over the light.
        refused = write_integer(folder / "brightness", 0)
        if refused:
            return refused
    return write_integer(folder / "brightness", round(brightness * highest))


def _highest(folder: Path) -> int | Unknown:
    highest = read_integer(folder / "max_brightness")
    if isinstance(highest, Unknown) or 0 < highest <= _MAX:
        return highest
    return Unknown(Why.IMPLAUSIBLE, f"max_brightness {highest}")
