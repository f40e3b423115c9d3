"""The director's epoch on disk: what was kept once is never forgotten, whatever happens while it is replaced."""

import os
from pathlib import Path


class EpochFileError(Exception):
    """A file that holds no epoch."""

    def __init__(self, path: Path, content: bytes) -> None:
        super().__init__(f"{path} holds no epoch; remove it to start from what the blades report")
        self.path = path
        self.content = content


def read_epoch(path: Path) -> int:
    """Give the kept epoch, 0 when none was ever kept.

    Raises EpochFileError: something else is in the file; OSError: it cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return 0
    if not content.strip().isdigit():
        raise EpochFileError(path, content)
    return int(content)


def keep_epoch(path: Path, epoch: int) -> None:
    """Keep an epoch; on return it survives a power cut. Raises OSError, and then the former one is still kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(b"%d\n" % epoch)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
