"""Programs that were given up before they were whole, by name, so that what is left of them is found and removed.

An empty file each: it is there before anything of the program is removed, and goes when the program is ingested anew.
"""

import re
from pathlib import Path

from media_network.files import DiskFiles
from media_network.messages.registry import WITHDRAWN_MAX
from media_network.program import ProgramId

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
"""A `ProgramId`: whatever else lies there is not ours, and is told to nobody."""


class Withdrawn:
    """The newest of them: a station that was away while so many more failed keeps what it had of the oldest."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        DiskFiles().make_folder(folder)
        found = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        self._names = dict.fromkeys(path.name for path in found if _NAME.fullmatch(path.name))

    @property
    def names(self) -> tuple[ProgramId, ...]:
        """Oldest first."""
        return tuple(self._names)

    def add(self, program: ProgramId) -> None:
        """Give a program up; what is returned from is durable. Raises OSError."""
        self._names.pop(program, None)
        (self._folder / program).touch()
        self._names[program] = None
        for oldest in self.names[:-WITHDRAWN_MAX]:
            self._remove(oldest)
        DiskFiles().sync_folder(self._folder)

    def discard(self, program: ProgramId) -> None:
        """A program of this name is wanted again. Raises OSError."""
        if program in self._names:
            self._remove(program)
            DiskFiles().sync_folder(self._folder)

    def _remove(self, program: ProgramId) -> None:
        (self._folder / program).unlink(missing_ok=True)
        del self._names[program]
