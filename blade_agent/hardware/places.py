"""Where a board's chips and zones are: found by name once, and anew when that is to be forgotten.

To find a chip by name, every chip has to be looked at; a blade measures once a second for years.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from blade_agent.hardware.hwmon import Chips, chips, find_channel, find_chip, tells_fault
from blade_agent.hardware.profile import HwmonChannel
from blade_agent.hardware.reading import Unknown
from blade_agent.hardware.thermal_zone import find_zone

KeyT = TypeVar("KeyT")
PlaceT = TypeVar("PlaceT")


class Places:
    """The places under one root path. Calls block for some files of sysfs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._all_chips: Chips | None = None
        self._chips: dict[str, Path | Unknown] = {}
        self._channels: dict[HwmonChannel, tuple[Path, str] | Unknown] = {}
        self._zones: dict[str, Path | Unknown] = {}
        self._tell_faults: dict[tuple[Path, str], bool] = {}

    def chip(self, name: str) -> Path | Unknown:
        """Folder of the one chip of that name."""
        return _found(self._chips, name, lambda: find_chip(self.root, name, among=self._among()))

    def channel(self, channel: HwmonChannel) -> tuple[Path, str] | Unknown:
        """Folder of a channel's chip, and the channel's number in it."""
        return _found(self._channels, channel, lambda: find_channel(self.root, channel, self._among()))

    def may_fail(self, chip: Path, channel: str) -> bool:
        """Whether the chip can say that a channel's sensor is broken."""
        return _found(self._tell_faults, (chip, channel), lambda: tells_fault(chip, channel))

    def zone(self, kind: str) -> Path | Unknown:
        """Folder of the one thermal zone of that type."""
        return _found(self._zones, kind, lambda: find_zone(self.root, kind))

    def forget(self) -> None:
        """Find everything anew: a driver that was loaded again may have another number."""
        self._all_chips = None
        self._chips.clear()
        self._channels.clear()
        self._zones.clear()
        self._tell_faults.clear()

    def _among(self) -> Chips:
        if self._all_chips is None:
            self._all_chips = chips(self.root)
        return self._all_chips


def _found(known: dict[KeyT, PlaceT], key: KeyT, find: Callable[[], PlaceT]) -> PlaceT:
    if key not in known:
        known[key] = find()
    return known[key]
