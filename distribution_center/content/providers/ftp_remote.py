"""A file at an FTP server (RFC 959, RFC 3659), with TLS by AUTH TLS (RFC 4217): known again by its length and its date.

Python's own client, whose data connections go to the server itself, whatever address that names. It blocks: each of its
steps is a thread's, and none takes longer than silence may last.
"""

import asyncio
import ftplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from distribution_center.content.providers.remote import (
    PIECE_BYTES,
    SILENCE_S,
    UNKNOWN_LENGTH,
    Body,
    ForeignPart,
    Interrupted,
    NotGiven,
)

_Result = TypeVar("_Result")

_LINES_MAX = 500
"""That a server may say over one connection: ftplib itself takes an answer of any number of lines."""
_LOGIN_REFUSED = 530
_TRANSFER_DONE = "226"


class _TooMuchSaid(ftplib.Error):
    """More lines than a conversation has."""


class _Client(ftplib.FTP):
    lines = 0

    def getline(self) -> str:
        """Count what the server says."""
        self.lines += 1
        if self.lines > _LINES_MAX:
            raise _TooMuchSaid("the server says too much")
        return super().getline()


class _SecureClient(_Client, ftplib.FTP_TLS):
    """The same over TLS."""


@dataclass(frozen=True, kw_only=True)
class FtpRemote:
    """One path at one server."""

    url: str
    host: str
    port: int
    path: str
    user: str = "anonymous"
    password: str = "anonymous@"  # noqa: S105 -- as RFC 1635 has it
    tls: ssl.SSLContext | None = None
    """None: as plain text."""

    @asynccontextmanager
    async def open(self, begin_bytes: int, validator: str) -> AsyncIterator[Body]:
        """See `Remote`."""
        client = _SecureClient(context=self.tls, timeout=SILENCE_S) if self.tls else _Client(timeout=SILENCE_S)
        data: socket.socket | None = None
        try:
            length_bytes, found = await _step(partial(self._greet, client))
            begin = begin_bytes if validator and found == validator and begin_bytes <= length_bytes else 0
            data = await _step(partial(self._begin, client, begin))
            yield Body(
                begin_bytes=begin,
                length_bytes=length_bytes,
                validator=found,
                pieces=_pieces(client, data, None if length_bytes == UNKNOWN_LENGTH else length_bytes - begin),
            )
        finally:
            _hang_up(data, client.sock)
            client.close()

    def _greet(self, client: ftplib.FTP) -> tuple[int, str]:
        """Log in; gives the file's length, and by what it is known again."""
        client.connect(self.host, self.port)
        client.login(self.user, self.password)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        client.voidcmd("TYPE I")
        length_bytes = client.size(self.path)
        date = ""
        with suppress(ftplib.error_perm):  # not every server has it
            date = client.voidcmd(f"MDTM {self.path}").partition(" ")[2].strip()[:40]
        known = UNKNOWN_LENGTH if length_bytes is None or length_bytes < 0 else length_bytes
        return known, f"{known} {date}" if date and known != UNKNOWN_LENGTH else ""

    def _begin(self, client: ftplib.FTP, begin: int) -> socket.socket:
        try:
            return client.transfercmd(f"RETR {self.path}", rest=begin or None)
        except ftplib.error_perm as error:
            if begin:
                raise ForeignPart(f"it does not go on in the middle ({_said(error)})", _status(error)) from error
            raise


async def _pieces(client: ftplib.FTP, data: socket.socket, wanted_bytes: int | None) -> AsyncIterator[bytes]:
    received_bytes = 0
    while piece := await _step(partial(_receive, data)):
        yield piece
        received_bytes += len(piece)
    data.close()
    if wanted_bytes is not None and received_bytes < wanted_bytes:
        raise Interrupted("the data ended early")  # some servers say nothing more then
    if not (said := await _step(client.voidresp)).startswith(_TRANSFER_DONE):
        raise Interrupted(f"the transfer ended with {said[:60]!r}")


def _receive(data: socket.socket) -> bytes:
    """A piece; an empty one at the end."""
    received = bytearray()
    while len(received) < PIECE_BYTES and (some := data.recv(PIECE_BYTES - len(received))):
        received += some
    return bytes(received)


async def _step(work: Callable[[], _Result]) -> _Result:
    """Do it in a thread; an error is what it means for a download."""
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work)
    except ftplib.error_perm as error:
        status = _status(error)
        reason = "it refuses the user, or the password" if status == _LOGIN_REFUSED else f"FTP {_said(error)}"
        raise NotGiven(reason, status) from error
    except ssl.SSLCertVerificationError as error:
        raise NotGiven(f"its certificate is not to be trusted: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise NotGiven("no secure connection comes about with it") from error
    except _TooMuchSaid as error:
        raise NotGiven(str(error)) from error
    except ftplib.Error as error:
        raise Interrupted(f"FTP {_said(error)}", _status(error)) from error
    except TimeoutError as error:
        raise Interrupted("nothing came for too long") from error
    except (OSError, EOFError, ValueError) as error:
        strerror = getattr(error, "strerror", None)
        raise Interrupted((strerror or "the connection ended").lower()) from error


def _hang_up(*connections: socket.socket | None) -> None:
    """Wake a thread that waits for one of them."""
    for connection in connections:
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _said(error: Exception) -> str:
    """What the server says, in one short line."""
    said = "".join(letter if letter.isprintable() else " " for letter in str(error))
    return said[:80]


def _status(error: Exception) -> int:
    said = str(error)[:3]
    return int(said) if said.isascii() and said.isdigit() else 0
