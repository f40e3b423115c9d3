"""A terminal for a command under test: what a person sees at it, and the keys that a person presses."""

import fcntl
import os
import pty
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager


class Terminal:
    """One end of a pseudo-terminal; the command has the other as its standard input and error output."""

    def __init__(self, ours: int) -> None:
        self._ours = ours
        self._seen = b""

    def press(self, keys: bytes) -> None:
        """Press keys, one after the other."""
        os.write(self._ours, keys)

    @property
    def seen(self) -> str:
        """All that the command has shown so far."""
        while True:
            try:
                octets = os.read(self._ours, 4096)
            except (BlockingIOError, OSError):
                break  # nothing more yet, or the command has ended
            if not octets:
                break
            self._seen += octets
        return self._seen.decode(errors="replace")


@contextmanager
def at_a_terminal(
    command: list[str], environment: dict[str, str]
) -> Iterator[tuple["subprocess.Popen[str]", Terminal]]:
    """Run a command as a person at a terminal does; what it prints is a pipe's. It is killed when the context ends."""
    ours, theirs = pty.openpty()
    os.set_blocking(ours, False)
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 -- one system call
    )
    os.close(theirs)
    try:
        yield process, Terminal(ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
