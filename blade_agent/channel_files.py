"""The disks of the I/O channels: a channel whose disk is missing must not fill the one below it.

An unmounted disk leaves its folder behind, or nothing. What would be written there would land on the root file system,
and be hidden when the disk is back. So no folder of a channel is made here, and with `mount` nothing is read or written
where nothing is mounted.
"""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from blade_agent.settings import ChannelSettings
from media_network.files import DiskFiles, GrowingFile


class ChannelFiles(DiskFiles):
    """The file system of this machine, to those who keep segments and state on it."""

    def __init__(self, channels: Sequence[ChannelSettings]) -> None:
        self._channels = {Path(channel.path): channel for channel in channels}

    def make_folder(self, folder: Path) -> None:
        """See `Files`."""
        self._require_channel(folder)
        super().make_folder(folder)

    def list_folder(self, folder: Path) -> list[str]:
        """See `Files`."""
        self._require_channel(folder)
        return super().list_folder(folder)

    def append(self, path: Path) -> GrowingFile:
        """See `Files`."""
        self._require_channel(path)
        return super().append(path)

    def read(self, path: Path) -> BinaryIO:
        """See `Files`."""
        self._require_channel(path)
        return super().read(path)

    def _require_channel(self, path: Path) -> None:
        for folder in (path, *path.parents):
            if channel := self._channels.get(folder):
                require_channel(channel)


def require_channel(channel: ChannelSettings) -> None:
    """Raises OSError: there is no such folder, or nothing is mounted where something should be."""
    if not Path(channel.path).is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), channel.path)
    if channel.mount and not os.path.ismount(channel.path):
        raise OSError(errno.ENODEV, "nothing is mounted there", channel.path)


def channels_there(channels: Sequence[ChannelSettings]) -> tuple[Path, ...]:
    """The folders of those that can be used. Raises OSError if none can."""
    usable: list[Path] = []
    missing: OSError | None = None
    for channel in channels:
        try:
            require_channel(channel)
        except OSError as error:
            missing = missing or error
        else:
            usable.append(Path(channel.path))
    if missing and not usable:
        raise missing
    return tuple(usable)
