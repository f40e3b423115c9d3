"""An I/O channel whose disk does not answer: a mark beside its folder, and files that wait while it is there.

The environment sets the mark, and a blade's own files look for it before each call: a blade that is started meanwhile
finds its disk as it is.
"""

import io
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

from blade_agent.channel_files import ChannelFiles
from blade_agent.settings import ChannelSettings
from media_network.files import GrowingFile

_LOOK_S = 0.02


def mark_of(channel: Path) -> Path:
    """The file that is there while a channel hangs."""
    return channel.with_name(f"{channel.name}.hangs")


def hang(channel: Path, *, hangs: bool) -> None:
    """Let a channel hang from now on, or no more. Raises OSError."""
    mark = mark_of(channel)
    if hangs:
        mark.touch()
    else:
        mark.unlink(missing_ok=True)


class HangingFiles(ChannelFiles):
    """The file system of this machine, but that calls to a channel that hangs return when it does no more."""

    def __init__(self, channels: Sequence[ChannelSettings]) -> None:
        super().__init__(channels)
        self._marks = {Path(channel.path): mark_of(Path(channel.path)) for channel in channels}

    def make_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._wait(folder)
        super().make_folder(folder)

    def sync_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._wait(folder)
        super().sync_folder(folder)

    def list_folder(self, folder: Path) -> list[str]:
        """See `Files`."""
        self._wait(folder)
        return super().list_folder(folder)

    def length_bytes(self, path: Path) -> int | None:
        """See `Files`."""
        self._wait(path)
        return super().length_bytes(path)

    def free_bytes(self, folder: Path) -> int:
        """See `Files`."""
        self._wait(folder)
        return super().free_bytes(folder)

    def append(self, path: Path) -> GrowingFile:
        """See `Files`."""
        mark = self._wait(path)
        file = super().append(path)
        return _HangingFile(file, mark) if mark else file

    def read(self, path: Path) -> BinaryIO:
        """See `Files`."""
        mark = self._wait(path)
        file = super().read(path)
        return cast("BinaryIO", _HangingReader(file, mark)) if mark else file

    def rename(self, old: Path, new: Path) -> None:
        """See `Files`."""
        self._wait(old)
        super().rename(old, new)

    def remove(self, path: Path) -> None:
        """See `Files`."""
        self._wait(path)
        super().remove(path)

    def _wait(self, path: Path) -> Path | None:
        """Wait while the channel hangs that something is on; gives its mark, or None of what is on no channel."""
        mark = next((self._marks[folder] for folder in (path, *path.parents) if folder in self._marks), None)
        if mark:
            _wait_while(mark)
        return mark


class _HangingFile(GrowingFile):
    def __init__(self, file: GrowingFile, mark: Path) -> None:
        self._file = file
        self._mark = mark

    def write(self, data: bytes) -> None:
        _wait_while(self._mark)
        self._file.write(data)

    def sync(self) -> None:
        _wait_while(self._mark)
        self._file.sync()

    def close(self) -> None:
        self._file.close()


class _HangingReader(io.RawIOBase):
    """What is read by its descriptor, as `loop.sendfile` does, is in memory by then."""

    def __init__(self, file: BinaryIO, mark: Path) -> None:
        super().__init__()
        self._file = file
        self._mark = mark

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # any writable buffer: io gives bytearrays
        _wait_while(self._mark)
        return cast("io.RawIOBase", self._file).readinto(buffer) or 0

    def close(self) -> None:
        self._file.close()
        super().close()


def _wait_while(mark: Path) -> None:
    while mark.exists():
        time.sleep(_LOOK_S)
