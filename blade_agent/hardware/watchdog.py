"""The watchdog that resets the board when the agent no longer feeds it.

Documentation/watchdog/watchdog-api.rst of the Linux kernel: opening the device starts it, any write feeds it, and only
a `V` just before closing stops it, so that an agent that dies leaves it running.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec import Struct

from blade_agent.hardware.reading import KnownReading, Reading, Unknown, Why
from blade_agent.hardware.sysfs import folders, read_integer, read_text

_MAGIC_CLOSE = b"V"
_FEED = b"\0"
_TIMEOUT_MAX_S = 86_400


class WatchdogReading(Struct, frozen=True):
    """What the watchdog's driver says of it."""

    identity: str
    timeout_s: Reading
    left_s: Reading
    """Until it resets the board."""


def watchdogs(root: Path) -> list[tuple[str, Path]]:
    """Identity and folder of every watchdog."""
    named = ((read_text(folder / "identity"), folder) for folder in folders(root / "sys/class/watchdog"))
    return [(identity, folder) for identity, folder in named if isinstance(identity, str)]


def find_watchdog(root: Path, identity: str) -> Path | Unknown:
    """Folder of the one watchdog of that identity."""
    found = [folder for known, folder in watchdogs(root) if known == identity]
    if len(found) == 1:
        return found[0]
    return Unknown(Why.AMBIGUOUS if found else Why.ABSENT, f"{len(found)} watchdogs are {identity!r}")


def read_watchdog(root: Path, identity: str) -> WatchdogReading:
    """Read a watchdog without starting it."""
    folder = find_watchdog(root, identity)
    if isinstance(folder, Unknown):
        return WatchdogReading(identity, folder, folder)
    return WatchdogReading(identity, _seconds(folder / "timeout"), _seconds(folder / "timeleft"))


class WatchdogDevice:
    """A watchdog that runs from here on. Leaving the block without an error stops it, an error does not."""

    def __init__(self, root: Path, identity: str) -> None:
        """Start it. Raises OSError when there is none, it is in use, or the agent may not."""
        folder = find_watchdog(root, identity)
        if isinstance(folder, Unknown):
            raise FileNotFoundError(folder.detail)
        self._descriptor = os.open(root / "dev" / folder.name, os.O_WRONLY | os.O_CLOEXEC)

    def feed(self) -> None:
        """Give it another timeout. Raises OSError."""
        os.write(self._descriptor, _FEED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                os.write(self._descriptor, _MAGIC_CLOSE)
        finally:
            os.close(self._descriptor)


def _seconds(path: Path) -> Reading:
    seconds = read_integer(path)
    if isinstance(seconds, Unknown):
        return seconds
    if not 0 <= seconds <= _TIMEOUT_MAX_S:
        return Unknown(Why.IMPLAUSIBLE, f"{path.name} {seconds} s")
    return KnownReading(float(seconds))
