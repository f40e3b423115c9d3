"""Delete a network: all that is the emulator's in its state folder, and nothing else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

from chassis_emulator.network.errors import StateFolderError
from chassis_emulator.network.known_networks import forget
from chassis_emulator.network.state_folder import StateFolder
from media_network.interrupting import putting_off_interrupts

_OURS = (
    *("stations", "center", "centers", "mam", "authentication", "accounts", "nms", "demo", "logs"),
    *("control.sock", "credentials.json*", "network.json*", "console.json*"),
)
"""`network.json` last: as long as it is there the folder is a network's."""
_REMAINS = ".deleted"


def delete_network(folder: StateFolder) -> tuple[str, ...] | None:
    """Delete the network of a folder, which must be down, and the folder if nothing else is in it.

    Returns the names of what else is in it; None if it is no network's folder. If this is interrupted the network is
    forgotten all the same, and the next time deletes the rest of its files. Raises AnotherIsUp, StateFolderError.
    """
    if not _is_a_networks(folder):
        return None
    lock = folder.take()
    try:
        remains = folder.path / _REMAINS
        with putting_off_interrupts():
            _move_aside(folder.path, remains)
            forget(folder)
        shutil.rmtree(remains)
        (folder.path / "lock").unlink()
        left = tuple(sorted(entry.name for entry in folder.path.iterdir()))
        if not left:
            folder.path.rmdir()
    except OSError as error:
        raise StateFolderError(folder.path, f"{error.strerror} ({error.filename})") from error
    finally:
        os.close(lock)
    return left


def _is_a_networks(folder: StateFolder) -> bool:
    """Whether a network was up in it, came up half way, or is deleted half way: no other folder looks like that."""
    if folder.record():
        return True
    there = {name for name in ("lock", "logs", "credentials.json", _REMAINS) if (folder.path / name).exists()}
    return "lock" in there and (_REMAINS in there or {"logs", "credentials.json"} <= there)


def _move_aside(folder: Path, remains: Path) -> None:
    """In a moment, however long it takes to delete them."""
    remains.mkdir(exist_ok=True)
    aside = Path(mkdtemp(dir=remains))
    for path in _ours(folder):
        path.rename(aside / path.name)


def _ours(folder: Path) -> Iterator[Path]:
    for name in _OURS:
        yield from sorted(folder.glob(name))
