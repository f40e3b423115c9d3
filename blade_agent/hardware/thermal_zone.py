"""Zones of /sys/class/thermal, found by type: their numbers follow the order in which they came up.

`type` and `temp` (in thousandths of a degree): Documentation/driver-api/thermal/sysfs-api.rst of the Linux kernel.
"""

from pathlib import Path

from blade_agent.hardware.hwmon import scale
from blade_agent.hardware.reading import Quantity, Reading, Unknown, Why
from blade_agent.hardware.sysfs import folders, read_integer, read_text


def zones(root: Path) -> list[tuple[str, Path]]:
    """Type and folder of every zone."""
    found = [path for path in folders(root / "sys/class/thermal") if path.name.startswith("thermal_zone")]
    named = ((read_text(folder / "type"), folder) for folder in found)
    return [(name, folder) for name, folder in named if isinstance(name, str)]


def find_zone(root: Path, kind: str) -> Path | Unknown:
    """Folder of the one zone of that type."""
    found = [folder for name, folder in zones(root) if name == kind]
    if len(found) == 1:
        return found[0]
    return Unknown(Why.AMBIGUOUS if found else Why.ABSENT, f"{len(found)} thermal zones are of type {kind!r}")


def zone_temperature(folder: Path) -> Reading:
    """Temperature of a zone."""
    return scale(Quantity.TEMPERATURE, read_integer(folder / "temp"))
