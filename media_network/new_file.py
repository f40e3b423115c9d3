"""A file that is begun for a person: there as a whole or not at all, and never in place of one that is there."""

import os
import tempfile
from pathlib import Path

from media_network.files import DiskFiles, make_durable_folder

_READABLE = 0o644


def write_new(path: Path, text: str) -> None:
    """Write a file; on return it survives a power cut. Raises FileExistsError: the name is taken; OSError."""
    make_durable_folder(path.parent)
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), _READABLE)
            os.fsync(file.fileno())
        # A name is given once: a link, unlike a renaming, takes nobody's place.
        os.link(unfinished, path)
    finally:
        Path(unfinished).unlink()
    DiskFiles().sync_folder(path.parent)
