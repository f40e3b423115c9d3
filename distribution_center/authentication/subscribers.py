"""What an authentication server knows of subscribers: the interface to whoever keeps their passwords."""

from typing import NamedTuple, Protocol

from msgspec import Struct

from media_network.fields import ProgramId


class Subscriber(Struct, frozen=True, kw_only=True):
    """Somebody who may log in."""

    id: str
    """Says nothing of the person: it is in tokens, and tokens are in logs."""
    name: str
    digest: str
    """Of the password, by argon2."""
    generation: int
    """How many passwords there have been: a renewal of an earlier one is void."""
    suspended: bool = False
    stations: tuple[str, ...] = ()
    """Where the subscriber may watch; none: at every station."""


class EntitledProgram(NamedTuple):
    """Something that a subscriber may see now."""

    program: ProgramId
    """Or `ANY_PROGRAM` of `messages/subscribers.py`."""
    until_ms: int
    """Milliseconds since 1970."""


class Subscribers(Protocol):
    """Who subscribes, and to what."""

    async def named(self, name: str) -> Subscriber | None:
        """The subscriber who logs in by that name."""

    async def get(self, subscriber: str) -> Subscriber | None:
        """The subscriber with that id."""

    async def entitled(
        self, subscriber: str, now_ms: int, program: ProgramId | None, most: int
    ) -> tuple[EntitledProgram, ...]:
        """What a subscriber may see now, `most` of it; with a `program`: of that one."""
