"""A serial port as a line: pyserial configures it, then the event loop reads and writes its descriptor.

A port that fails (an adapter unplugged, the other end of a PTY gone) is opened again until it works; messages on it
are lost meanwhile, and whoever asked asks again.
"""

import asyncio
import errno
import fcntl
import logging
import os
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import serial

from media_network.callback import do_nothing
from media_network.holding import AlreadyHeld, holder_of

logger = logging.getLogger(__name__)

BAUD_RATE_BPS = 115200
_READ_BYTES = 4096
_WRITE_BUFFER_BYTES = 4096
_HELD = frozenset({errno.EAGAIN, errno.EBUSY})
"""What another process' lock (flock), and its TIOCEXCL, answer."""
_PSEUDO_TERMINALS = range(136, 144)
"""Major numbers of their devices."""
_FIRST_REOPEN_S = 0.05
_LAST_REOPEN_S = 0.5
"""A port that only hung up for a moment is there again before anybody misses who is behind it."""


class LineUnavailable(Exception):
    """A serial port that cannot be opened."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"serial port {path} cannot be opened: {reason}")
        self.path = path
        self.reason = reason


class OpenPort(Protocol):
    """An open descriptor, and who closes it."""

    def fileno(self) -> int:
        """Give the descriptor."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class SerialLine:
    """A `Line` on a serial port. To be made and used inside a running event loop."""

    def __init__(self, open_port: Callable[[], OpenPort]) -> None:
        """Open the port; what `open_port` raises comes through now, but not when it is opened again."""
        self._open_port = open_port
        self._loop = asyncio.get_running_loop()
        self._receive: Callable[[bytes], None] = do_nothing
        self._unsent = bytearray()
        self._reopening: asyncio.TimerHandle | None = None
        self._reopen_s = _FIRST_REOPEN_S
        self.dropped_bytes = 0
        """Bytes not sent because the port was broken or did not take them."""
        self._port: OpenPort | None = open_port()
        os.set_blocking(self._port.fileno(), False)

    def attach(self, receive: Callable[[bytes], None]) -> None:
        """Hand what arrives to `receive` from now on."""
        self._receive = receive
        if self._port is not None:
            self._loop.add_reader(self._port.fileno(), self._on_readable, self._port)

    def write(self, data: bytes) -> None:
        """Send, or keep for when the port takes it, or drop the whole when too much is kept already."""
        if self._port is None or len(self._unsent) + len(data) > _WRITE_BUFFER_BYTES:
            self.dropped_bytes += len(data)
            return
        waiting = bool(self._unsent)
        self._unsent += data
        if not waiting:
            self._send(self._port)

    def close(self) -> None:
        """Close the port for good."""
        if self._reopening is not None:
            self._reopening.cancel()
        if self._port is not None:
            self._give_up(self._port)

    @property
    def usable(self) -> bool:
        """Whether the port is open."""
        return self._port is not None

    def _on_readable(self, port: OpenPort) -> None:
        try:
            data = os.read(port.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(port, error)
            return
        if data:
            self._receive(data)
        else:
            self._lose(port, EOFError("hung up"))

    def _send(self, port: OpenPort) -> None:
        try:
            sent = os.write(port.fileno(), self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(port, error)
            return
        del self._unsent[:sent]
        if self._unsent:
            self._loop.add_writer(port.fileno(), self._send, port)
        else:
            self._loop.remove_writer(port.fileno())

    def _lose(self, port: OpenPort, error: Exception) -> None:
        logger.warning("serial port lost: %s", error)
        self._give_up(port)
        self._reopen_s = _FIRST_REOPEN_S
        self._reopening = self._loop.call_later(self._reopen_s, self._reopen)

    def _give_up(self, port: OpenPort) -> None:
        self._loop.remove_reader(port.fileno())
        self._loop.remove_writer(port.fileno())
        self.dropped_bytes += len(self._unsent)
        self._unsent.clear()
        self._port = None
        port.close()

    def _reopen(self) -> None:
        try:
            self._port = self._open_port()
        except (LineUnavailable, AlreadyHeld) as error:
            logger.debug("%s", error)
            self._reopen_s = min(2 * self._reopen_s, _LAST_REOPEN_S)
            self._reopening = self._loop.call_later(self._reopen_s, self._reopen)
            return
        os.set_blocking(self._port.fileno(), False)
        self.attach(self._receive)


def serial_line(path: str, baud_rate_bps: int = BAUD_RATE_BPS) -> SerialLine:
    """Open the serial port at `path`, 8N1, raw, for this process alone.

    Raises AlreadyHeld: another process has it; LineUnavailable: not there, not a serial port, or not allowed.
    """

    def open_port() -> serial.Serial:
        try:
            port = serial.Serial(path, baud_rate_bps, timeout=0, exclusive=True)
        except serial.SerialException as error:
            if error.errno in _HELD:
                raise AlreadyHeld(f"serial port {path}", holder_of(Path(path))) from None
            raise LineUnavailable(path, os.strerror(error.errno) if error.errno else "it is no serial port") from error
        except (ValueError, OverflowError) as error:
            raise LineUnavailable(path, f"it has no speed of {baud_rate_bps} bit/s") from error
        _keep_others_out(port.fileno())
        return port

    return SerialLine(open_port)


def _keep_others_out(descriptor: int) -> None:
    """Keep out those too who ask for no lock (the superuser excepted), until the port is closed everywhere.

    A pseudo-terminal is left out: whoever made it keeps it open, and it would stay shut when this process has ended.
    """
    if os.major(os.fstat(descriptor).st_rdev) not in _PSEUDO_TERMINALS:
        fcntl.ioctl(descriptor, termios.TIOCEXCL)


class _Descriptor:
    """A duplicate of a descriptor, closed by itself."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def descriptor_line(descriptor: int) -> SerialLine:
    """Make a line of an open descriptor, one end of a PTY for instance. The caller goes on owning it."""
    return SerialLine(lambda: _Descriptor(descriptor))


class ServicePort:
    """A PTY in place of the service port's UART: a tool opens `path` and talks to whoever holds `line`.

    This end keeps the tool's end open as well, so that the line survives a tool that leaves.
    """

    def __init__(self) -> None:
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        """Where a tool finds the port."""
        self.line = descriptor_line(self._ours)

    def close(self) -> None:
        """Remove the port."""
        self.line.close()
        os.close(self._ours)
        os.close(self._theirs)
