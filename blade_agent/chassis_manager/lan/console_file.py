"""The console of a slot: a log that grows, of which the end is shown first, or a device that speaks."""

import os
import stat
from pathlib import Path
from typing import Final

_SHOWN_FIRST_BYTES: Final = 4096


class ConsoleFile:
    """A `Console` at a path. Lines of a log end as a terminal has them; one that begins anew is read from its start."""

    def __init__(self, path: Path) -> None:
        """Raises OSError: there is nothing to be read at the path."""
        self._path = path
        self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        known = os.fstat(self._file)
        self._grows = stat.S_ISREG(known.st_mode)
        self._at = max(0, known.st_size - _SHOWN_FIRST_BYTES)
        self._text = b""

    def read(self, most_bytes: int) -> bytes:
        """See `Console`. What cannot be read just now may come later."""
        if not self._text:
            self._text = self._read(most_bytes)
        text, self._text = self._text[:most_bytes], self._text[most_bytes:]
        return text

    def close(self) -> None:
        """See `Console`."""
        os.close(self._file)

    def _read(self, most_bytes: int) -> bytes:
        try:
            if not self._grows:
                return os.read(self._file, most_bytes)
            if os.fstat(self._file).st_size < self._at:
                self._at = 0
            octets = os.pread(self._file, most_bytes, self._at)
        except OSError:
            return b""
        self._at += len(octets)
        return octets.replace(b"\n", b"\r\n")
