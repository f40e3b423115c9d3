"""Files that stand for attributes of drivers, under a root path: always whole, and written only when they change."""

import os
from pathlib import Path

from blade_agent.hardware.hwmon import COUNTS_PER_UNIT
from blade_agent.hardware.reading import Quantity

_RESOLUTION = {
    Quantity.TEMPERATURE: 0.25,
    Quantity.VOLTAGE: 0.01,
    Quantity.CURRENT: 0.01,
    Quantity.POWER: 0.1,
    Quantity.FAN_SPEED: 10.0,
    Quantity.DUTY: 1 / COUNTS_PER_UNIT[Quantity.DUTY],
}
"""Steps in which the emulated chips measure: a chassis in which nothing happens is not written anew every second."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
_STEPS_TO_MOVE = 0.75
"""A chip that filters its input does not waver between two steps when what it measures lies about half way."""


class Attributes:
    """The attributes under one root. Calls block for some small files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._chips: dict[str, Path] = {}
        self._written: dict[Path, str] = {}
        """What each file holds: what has not changed is not written again."""
        self._steps: dict[Path, int] = {}
        """What each file that measures shows, in its chip's steps."""

    def chip(self, name: str, device: str | None = None) -> Path:
        """Folder of a chip of hwmon; it is made when it was not there."""
        key = f"{name} {device or ''}"
        if key not in self._chips:
            folder = self.root / f"sys/class/hwmon/hwmon{len(self._chips)}"
            write(folder / "name", name)
            if device:
                (self.root / "sys/devices" / device).mkdir(parents=True, exist_ok=True)
                _link(folder / "device", self.root / "sys/devices" / device)
            self._chips[key] = folder
        return self._chips[key]

    def measure(self, path: Path, quantity: Quantity, value: float) -> None:
        """Let a file show this value, as far as its chip can tell."""
        resolution = _RESOLUTION[quantity]
        exactly, shown = value / resolution, self._steps.get(path)
        if shown is None or abs(exactly - shown) > _STEPS_TO_MOVE:
            steps = round(exactly)
            self.show(path, str(round(steps * resolution * COUNTS_PER_UNIT[quantity])))
            self._steps[path] = steps

    def show(self, path: Path, text: str) -> None:
        """Let a file hold this."""
        if self._written.get(path) != text:
            write(path, text)
            self._written[path] = text


def write(path: Path, text: str) -> None:
    """Write an attribute."""
    replace(path, f"{text}\n".encode())


def write_once(path: Path, text: str) -> None:
    """Write an attribute that is not there; what was set in one that is stays set."""
    if not path.exists():
        write(path, text)


def replace(path: Path, data: bytes) -> None:
    """Set a file at once: who reads it sees the old or the new, never a part."""
    fresh = f"{path.parent}/.{path.name}.new"
    try:
        descriptor = os.open(fresh, _NEW_FILE, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(fresh, _NEW_FILE, 0o644)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)
    os.replace(fresh, path)


def _link(path: Path, target: Path) -> None:
    if not path.is_symlink():
        path.symlink_to(os.path.relpath(target, path.parent))
