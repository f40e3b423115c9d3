"""Who may log in, and what they may do."""

import hmac
import string
from collections.abc import Iterable
from enum import IntEnum
from random import Random
from typing import Literal, TypeAlias

from msgspec import Struct

from media_network.secret import Secret

MAX_NAME_BYTES = 16
MAX_PASSWORD_BYTES = 20
GENERATED_BYTES = 16
"""Tools of IPMI 1.5, and some of 2.0, send no more of a password."""
_ALPHABET = string.ascii_letters + string.digits
_FIRST_NUMBER = 2


class Privilege(IntEnum):
    """Privilege levels (IPMI 2.0, 6.8). Each includes those below it."""

    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4


PrivilegeName: TypeAlias = Literal["user", "operator", "administrator"]


class LanUser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user of the LAN interface. IPMI has room for a name of 16 and a password of 20 bytes."""

    name: str
    password: Secret
    privilege: PrivilegeName = "user"

    def __post_init__(self) -> None:
        """Refuse what could not be logged in with; ValueError names the user."""
        if not (self.name.isascii() and self.name.isprintable() and 0 < len(self.name) <= MAX_NAME_BYTES):
            message = f"{self.name!r} cannot name an IPMI user: 1 to {MAX_NAME_BYTES} printable ASCII characters"
            raise ValueError(message)
        if not 0 < len(self.password.encode()) <= MAX_PASSWORD_BYTES or "\0" in self.password:
            message = f"IPMI user {self.name}: the password has to have 1 to {MAX_PASSWORD_BYTES} bytes"
            raise ValueError(message)

    @property
    def level(self) -> Privilege:
        """The most that this user may do."""
        return Privilege[self.privilege.upper()]

    def __repr__(self) -> str:
        """Show everything but the password: settings end up in logs."""
        return f"User(name={self.name!r}, privilege={self.privilege!r})"


def generated_administrator(rng: Random, name: str = "admin") -> LanUser:
    """Make an administrator whose password nobody can guess, for who has configured no users."""
    password = "".join(rng.choice(_ALPHABET) for _ in range(GENERATED_BYTES))
    return LanUser(name=name, password=password, privilege="administrator")


class Users:
    """All users, by name."""

    def __init__(self, users: Iterable[LanUser], rng: Random) -> None:
        """Take the users; ValueError if there is none, or two have one name."""
        listed = tuple(users)
        self._users = {user.name.encode(): user for user in listed}
        self._numbers = {name: number for number, name in enumerate(self._users, _FIRST_NUMBER)}
        if not listed or len(self._users) < len(listed):
            message = "the LAN interface needs users, each with a name of their own"
            raise ValueError(message)
        self._decoy = rng.randbytes(MAX_PASSWORD_BYTES)

    def find(self, name: bytes) -> LanUser | None:
        """Give the user of this name."""
        return self._users.get(name)

    def number(self, user: LanUser) -> int:
        """Give the number by which IPMI's commands know a user; 1 is reserved for the nameless."""
        return self._numbers[user.name.encode()]

    def numbered(self, number: int) -> LanUser | None:
        """Give the user of a number; None where nobody has it."""
        return next((user for user in self._users.values() if self.number(user) == number), None)

    @property
    def highest(self) -> int:
        """The highest number that a user has."""
        return max(self._numbers.values())

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._users)

    def key(self, name: bytes) -> bytes:
        """Give the key of a user; for a name that nobody has one that never fits: who asks is not told which it was."""
        user = self._users.get(name)
        return user.password.encode() if user is not None else hmac.digest(self._decoy, name, "sha256")
