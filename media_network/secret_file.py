"""Files with secrets: their owner alone can read them, from their first byte on."""

import os
import tempfile
from pathlib import Path


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, in one step. Raises OSError."""
    descriptor, unfinished = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".new", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        Path(unfinished).rename(path)
    except BaseException:
        Path(unfinished).unlink(missing_ok=True)
        raise
