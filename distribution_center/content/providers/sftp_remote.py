"""A file at an SFTP server, by asyncssh: known again by length and date. The server is known by its host key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from stat import S_ISREG
from typing import TypeVar, cast

import asyncssh

from distribution_center.content.providers.remote import (
    CONNECT_S,
    PIECE_BYTES,
    SILENCE_S,
    UNKNOWN_LENGTH,
    Body,
    Interrupted,
    NotGiven,
)

_Result = TypeVar("_Result")

_FINAL = (
    asyncssh.PermissionDenied,
    asyncssh.KeyExchangeFailed,
    asyncssh.SFTPNoSuchFile,
    asyncssh.SFTPNoSuchPath,
    asyncssh.SFTPPermissionDenied,
)


@dataclass(frozen=True, kw_only=True)
class SftpRemote:
    """One path at one server."""

    url: str
    host: str
    port: int
    path: str
    host_key: str
    """As in a file of known hosts, without the host: `ssh-ed25519 AAAA...`."""
    user: str
    password: str | None = None
    key: str | None = None
    """Path of a private key."""
    passphrase: str | None = None

    @asynccontextmanager
    async def open(self, begin_bytes: int, validator: str) -> AsyncIterator[Body]:
        """See `Remote`."""
        with _meaning():
            connection = await self._connect()
        try:
            with _meaning():
                sftp = await _in_time(connection.start_sftp_client())
                facts = await _in_time(sftp.stat(self.path))
                if facts.permissions is not None and not S_ISREG(facts.permissions):
                    raise NotGiven("it is no file")
                file = await _in_time(sftp.open(self.path, "rb", encoding=None))
            known = f"{facts.size} {facts.mtime}" if facts.size is not None and facts.mtime is not None else ""
            begin = begin_bytes if validator and known == validator and begin_bytes <= (facts.size or 0) else 0
            yield Body(
                begin_bytes=begin,
                length_bytes=UNKNOWN_LENGTH if facts.size is None else facts.size,
                validator=known,
                pieces=_pieces(file, begin),
            )
        finally:
            connection.abort()

    async def _connect(self) -> asyncssh.SSHClientConnection:
        """Nothing of this machine's own settings, keys and agents is used: what is said here counts."""
        return await asyncssh.connect(
            self.host,
            self.port,
            known_hosts=asyncssh.import_known_hosts(f"* {self.host_key}\n"),
            username=self.user,
            password=self.password,
            client_keys=[self.key] if self.key else None,
            passphrase=self.passphrase,
            agent_path=None,
            config=None,
            connect_timeout=CONNECT_S,
            login_timeout=SILENCE_S,
            keepalive_interval=SILENCE_S / 2,
        )


async def _pieces(file: asyncssh.SFTPClientFile, begin: int) -> AsyncIterator[bytes]:
    at = begin
    while True:
        with _meaning():
            piece = await _in_time(file.read(PIECE_BYTES, at))
        if not piece:
            return
        yield cast("bytes", piece)  # it was opened without an encoding
        at += len(piece)


async def _in_time(work: Awaitable[_Result]) -> _Result:
    return await asyncio.wait_for(work, SILENCE_S)


@contextmanager
def _meaning() -> Iterator[None]:
    """Turn an error of the library into what it means for a download."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        raise NotGiven("its host key is another one than the provider's `host_key`") from error
    except _FINAL as error:
        raise NotGiven(_said(error)) from error
    except TimeoutError as error:
        raise Interrupted("nothing came for too long") from error
    except (asyncssh.Error, OSError) as error:
        raise Interrupted(_said(error)) from error


def _said(error: Exception) -> str:
    """Why, in one short line."""
    said = str(getattr(error, "reason", "") or getattr(error, "strerror", "") or "the connection ended")
    return "".join(letter if letter.isprintable() else " " for letter in said)[:80].lower()
