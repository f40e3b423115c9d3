"""A disk that is full when a test says so, for files and for SQLite alike."""

import errno
import os
from itertools import count

import apsw

from media_network.files import DiskFiles

_NUMBERS = count(1)


class SmallDisk(DiskFiles):
    """The disk of this machine, which takes nothing while it is full."""

    def __init__(self, full=True):
        self.full = full
        self.commits = 0
        """How often SQLite has written one of its files."""
        self._vfs = _Vfs(f"small-disk-{next(_NUMBERS)}", self)

    @property
    def sqlite_vfs(self):
        return self._vfs.name

    def append(self, path):
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().append(path)


class _Vfs(apsw.VFS):
    def __init__(self, name, disk):
        self.name, self.disk = name, disk
        super().__init__(name, "")

    def xOpen(self, name, flags):  # noqa: N802 -- SQLite's name
        return _File(self.disk, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, disk, name, flags):
        self.disk = disk
        self.is_database = bool(flags[0] & apsw.SQLITE_OPEN_MAIN_DB)
        super().__init__("", name, flags)

    def excepthook(self, *_):
        """SQLite has the result of the call."""

    def xWrite(self, data, offset):  # noqa: N802 -- SQLite's name
        if self.disk.full:
            raise apsw.exception_for(apsw.SQLITE_FULL)
        super().xWrite(data, offset)

    def xSync(self, flags):  # noqa: N802 -- SQLite's name
        self.disk.commits += self.is_database
        super().xSync(flags)
