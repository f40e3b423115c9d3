"""Files with secrets: their owner alone can read them, from their first byte on."""

import os
import tempfile
from pathlib import Path

from media_network.files import DiskFiles


def write_secret(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a file that its owner alone can read, in one step; `durable`: no power cut takes it. Raises OSError."""
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        Path(unfinished).rename(path)
        if durable:
            DiskFiles().sync_folder(path.parent)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
