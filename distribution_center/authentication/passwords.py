"""Passwords: digested by argon2 (RFC 9106) in a few threads, for each takes long on purpose."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_WAITING_MAX = 32
_NOBODYS = "the password of nobody"


class TooManyPasswords(Exception):
    """So many wait to be checked that another would wait too long."""


def digest_of(password: str) -> str:
    """The digest to keep. Takes a fifth of a second."""
    return PasswordHasher().hash(password)


class PasswordChecks:
    """Checks passwords beside the event loop; used within one."""

    def __init__(self, threads: int) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords")
        self._under_way = 0
        self._most = threads + _WAITING_MAX
        self._nobodys_digest = self._hasher.hash(_NOBODYS)

    async def is_right(self, digest: str | None, password: str) -> bool:
        """Whether a password is that of a digest. Without one it takes as long, and is wrong.

        Raises TooManyPasswords.
        """
        if self._under_way >= self._most:
            raise TooManyPasswords
        self._under_way += 1
        try:
            loop = asyncio.get_running_loop()
            right = await loop.run_in_executor(self._threads, self._verify, digest or self._nobodys_digest, password)
        finally:
            self._under_way -= 1
        return right and digest is not None

    def close(self) -> None:
        """Check nothing more."""
        self._threads.shutdown(cancel_futures=True)

    def _verify(self, digest: str, password: str) -> bool:
        try:
            return self._hasher.verify(digest, password)
        except (Argon2Error, InvalidHashError):
            return False
