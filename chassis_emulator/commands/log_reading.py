"""The logs of many processes as one: entries in the order of their times, as they come."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_DATED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ")
_STAMP_SIGNS = 23


@dataclass(frozen=True)
class Entry:
    """What a process printed at a moment: a line, and those below it that have no time of their own."""

    stamp: str
    """`2026-12-24 20:00:00,123`; empty before the first line with a time."""
    label: str
    lines: tuple[str, ...]


@dataclass
class LogReader:
    """Reads one log as it grows, also when another file takes its place."""

    label: str
    path: Path
    _at: int = 0
    _inode: int = 0
    _stamp: str = ""
    _rest: bytes = field(default=b"")

    def last(self, lines: int) -> list[Entry]:
        """The last lines there are; what follows is new. Raises OSError."""
        entries = self.new()
        kept: list[Entry] = []
        for entry in reversed(entries):
            if lines <= 0:
                break
            kept.append(Entry(entry.stamp, entry.label, entry.lines[-lines:]))
            lines -= len(entry.lines)
        return kept[::-1]

    def new(self) -> list[Entry]:
        """What has come since the last time, as far as it ends with a line. Raises OSError."""
        return self._entries(self._new_lines())

    def _new_lines(self) -> list[str]:
        with self.path.open("rb") as log:
            inode = self.path.stat().st_ino
            if inode != self._inode or self.path.stat().st_size < self._at:
                self._inode, self._at, self._rest = inode, 0, b""
            log.seek(self._at)
            octets = log.read()
        self._at += len(octets)
        *whole, self._rest = (self._rest + octets).split(b"\n")
        return [line.decode(errors="replace") for line in whole]

    def _entries(self, lines: Iterable[str]) -> list[Entry]:
        entries: list[tuple[str, list[str]]] = []
        for line in lines:
            if _DATED.match(line):
                self._stamp = line[:_STAMP_SIGNS]
                entries.append((self._stamp, [line]))
            elif entries:
                entries[-1][1].append(line)
            else:
                entries.append((self._stamp, [line]))
        return [Entry(stamp, self.label, tuple(inside)) for stamp, inside in entries]


def in_order(entries: Iterable[Entry]) -> Iterator[Entry]:
    """By their times; those of one process stay in the order in which they were printed."""
    return iter(sorted(entries, key=lambda entry: entry.stamp))
