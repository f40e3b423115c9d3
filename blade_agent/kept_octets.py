"""A few octets that survive a restart: the event log, a FRU's inventory."""

import os
from pathlib import Path
from typing import Protocol


class KeptOctets(Protocol):
    """Somewhere to keep octets, all at once: a file, or an EEPROM."""

    def read(self) -> bytes:
        """Give what is kept, nothing if nothing ever was. Raises OSError."""
        ...

    def keep(self, octets: bytes) -> None:
        """Keep these instead; on return they survive a power cut. Raises OSError, and then the former ones are kept."""
        ...


class OctetFile:
    """Octets in a file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> bytes:
        """See `KeptOctets`."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def keep(self, octets: bytes) -> None:
        """See `KeptOctets`."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(self._path.name + ".new")
        with temporary.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
