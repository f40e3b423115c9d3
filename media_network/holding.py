"""What one process at a time may have: folders, devices, and names. A lock that dies with its process, however it ends.

A folder is locked itself (flock), so that there is no lock file to be left behind, copied or removed.
"""

import asyncio
import errno
import fcntl
import logging
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from media_network.files import make_durable_folder

logger = logging.getLogger(__name__)

_PATIENCE_S = 1.0
"""Whoever has it may be about to end."""
_PAUSE_S = 0.05
_NO_LOCKS = frozenset({errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})
"""What file systems say that know no flock on folders."""
_NAME_LETTERS = 80
_LOCKS = Path("/proc/locks")
_PID, _FILE = 4, 5
"""Fields of a line of it."""


class AlreadyHeld(Exception):
    """Another process has it."""

    def __init__(self, what: str, pid: int | None) -> None:
        by = "another process" if pid is None else f"process {pid}{_named(pid)}"
        super().__init__(f"{what} is in use by {by}")
        self.what = what
        self.pid = pid


@asynccontextmanager
async def holding_folders(*folders: Path, mode: int = 0o777) -> AsyncIterator[None]:
    """Have folders, which are made with `mode` if they are not there, for as long as the context lasts.

    Raises AlreadyHeld: another process has one of them; OSError: one cannot be made or opened.
    """
    give_up_at = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        try:
            held = _take_all(folders, mode)
        except AlreadyHeld:
            if asyncio.get_running_loop().time() >= give_up_at:
                raise
            await asyncio.sleep(_PAUSE_S)
        else:
            break
    with held:
        yield


def _take_all(folders: tuple[Path, ...], mode: int) -> ExitStack:
    with ExitStack() as stack:
        for folder in dict.fromkeys(folder.resolve() for folder in folders):
            stack.enter_context(_holding_folder(folder, mode))
        return stack.pop_all()
    raise AssertionError


@contextmanager
def _holding_folder(folder: Path, mode: int) -> Iterator[None]:
    make_durable_folder(folder, mode)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyHeld(str(folder), holder_of(folder)) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            logger.warning("%s cannot be locked: that nobody else uses it has to be seen to by hand", folder)
        yield
    finally:
        os.close(descriptor)


def holder_of(path: Path) -> int | None:
    """The process that has locked a file, a folder or a device; None if none has, or if it cannot be seen from here."""
    try:
        found = path.stat()
        lines = _LOCKS.read_text().splitlines()
    except OSError:
        return None
    file = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    fields_of = [fields for line in lines if (fields := line.split())[1:2] == ["FLOCK"] and len(fields) > _FILE]
    holders = [fields[_PID] for fields in fields_of if fields[_FILE] == file]
    if not holders:
        # Some file systems have other device numbers for who asks for a file than for who locks it.
        holders = [fields[_PID] for fields in fields_of if fields[_FILE].endswith(f":{found.st_ino}")]
    return int(holders[0]) or None if len(holders) == 1 and holders[0].isdigit() else None


@contextmanager
def holding_name(name: str, what: str) -> Iterator[None]:
    """Have a name on this machine (in this network namespace) for as long as the context lasts.

    Raises AlreadyHeld, which says `what` is in use.
    """
    address = f"\0media-station/{name}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as holder:
        try:
            holder.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise AlreadyHeld(what, _listener_of(address)) from None
        holder.listen()
        yield


def _listener_of(address: str) -> int | None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.setblocking(False)  # noqa: FBT003 - the standard library's signature
        try:
            asking.connect(address)
            credentials = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 3 * 4)
        except OSError:
            return None
    return int.from_bytes(credentials[:4], "little") or None


def _named(pid: int) -> str:
    """What a process calls itself, in brackets; nothing if that cannot be seen."""
    try:
        arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    words = [Path(word.decode(errors="replace")).name for word in arguments if word and not word.startswith(b"-")]
    if words and words[0].startswith("python"):
        words = words[1:]
    name = " ".join(words[:2])
    return f" ({name})" if 0 < len(name) < _NAME_LETTERS and name.isprintable() else ""
