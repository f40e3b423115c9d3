"""What a media station asks of subscriber management (claim 6): how a subscriber stands, and what has changed since."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId
from media_network.messages.verb import KIB, Caller, Verb
from media_network.word import Word

ANY_PROGRAM = "*"
FOR_EVER_MS = 2**53
"""The end of what has none."""
GRANTS_MAX = 256
"""So much may be granted to a subscriber at a time; what is over does not count."""
PACKAGES_MAX = 64
"""A program may be in so many."""
NEWS_MAX = 500
"""Changes in one answer."""
WAIT_MS_MAX = 30_000

SubscriberId = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9._-]{1,64}$(?!\n)",
        description="at most 64 letters, digits, and . _ -",
    ),
]
"""Says nothing of the person: it is in tokens (`sub`), and tokens are in logs."""


class SubscriberState(Word):
    """How a subscription stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """For now, as for a bill that was not paid."""
    CANCELLED = "cancelled"
    NOBODY = "nobody"
    """There is no such subscriber."""
    UNKNOWN = "unknown"
    """A state of a newer party: nothing is shown to who has it."""


class Grant(Struct, frozen=True, kw_only=True):
    """What a subscriber may see, and when: an entitlement, or a rental with its window."""

    what: Annotated[str, Meta(max_length=64)]
    """A program, a package, or `ANY_PROGRAM`."""
    package: bool = False
    from_ms: Count = 0
    until_ms: Count = FOR_EVER_MS
    """Milliseconds since 1970: at that moment it is over."""


class AskSubscriberStanding(Struct, frozen=True, kw_only=True):
    """A director wants to know whether a subscriber may see a program."""

    subscriber: SubscriberId
    program: ProgramId


class SubscriberStanding(Struct, frozen=True, kw_only=True):
    """Enough to decide by oneself, also for the same subscriber's next program and for the next one's same program."""

    state: SubscriberState
    grants: Annotated[tuple[Grant, ...], Meta(max_length=GRANTS_MAX)] = ()
    """All that are not over."""
    packages: Annotated[tuple[ProgramId, ...], Meta(max_length=PACKAGES_MAX)] = ()
    """Those that the program is in."""
    number: Count = 0
    """Of the newest change that is in it."""


class AskSubscriberNews(Struct, frozen=True, kw_only=True):
    """A station wants to be told what has changed: it waits with the question."""

    since: Count | None = None
    """All changes up to this number are known; None: nothing is, and the number to begin with is asked for."""
    wait_ms: Annotated[int, Meta(ge=0, le=WAIT_MS_MAX)] = 0


class SubscriberChange(Struct, frozen=True, kw_only=True):
    """Something has changed of a subscriber, or of the packages of a program."""

    number: Count
    subscriber: SubscriberId | None = None
    state: SubscriberState | None = None
    """Of that subscriber, as it is now."""
    program: ProgramId | None = None


class SubscriberNews(Struct, frozen=True, kw_only=True):
    """Changes in the order of their numbers."""

    changes: Annotated[tuple[SubscriberChange, ...], Meta(max_length=NEWS_MAX)] = ()
    until: Count
    """All changes up to this one are known to who knows these. Below what was asked for: the numbers begin anew."""


ASK_SUBSCRIBER_STANDING = Verb(
    "subscribers/standing",
    AskSubscriberStanding,
    SubscriberStanding,
    "A director asks how a subscriber stands who wants to see a program (claim 6).",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=64 * KIB,  # as many grants as there may be, 130 bytes each, and packages
)

ASK_SUBSCRIBER_NEWS = Verb(
    "subscribers/news",
    AskSubscriberNews,
    SubscriberNews,
    "A station waits to be told who was suspended, cancelled, or may see something else now (claim 6).",
    callers=(Caller.DIRECTOR,),
    reads=True,
    reply_bytes_max=128 * KIB,  # a page of changes, 200 bytes each
)
