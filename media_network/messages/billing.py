"""What a media station tells subscriber billing (claim 6): who was let in, and what was sent; each once, for ever."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.fields import Count, ProgramId
from media_network.messages.subscribers import SubscriberId
from media_network.messages.verb import KIB, Caller, Verb
from media_network.word import Word

RECORDS_MAX = 200
"""Of each kind in one message."""
FIRST_PULLED_TURN = 2**32
"""Turns of streams are counted from 0. What was fetched has a number from here on, drawn by the engine that sent it."""

_Name = Annotated[str, Meta(min_length=1, max_length=64)]


class AdmissionGround(Word):
    """On what ground a viewer was let in."""

    FRESH = "fresh"
    """Subscriber management had said so just now."""
    STALE = "stale"
    """It had said so a while ago, and was being asked again."""
    GRACE = "grace"
    """It had said so long ago, and could not be asked."""
    UNCONFIRMED = "unconfirmed"
    """Nothing was known, and it could not be asked: the token alone has decided."""
    UNKNOWN = "unknown"


class ViewingRecord(Struct, frozen=True, kw_only=True):
    """A director has let a viewer in."""

    session: _Name
    epoch: Count
    subscriber: SubscriberId
    program: ProgramId
    station: _Name
    at_ms: Count
    ground: AdmissionGround
    push: bool
    """Whether it is streamed; else it is fetched (HLS)."""


class UsageRecord(Struct, frozen=True, kw_only=True):
    """An engine has sent something of a session. `session`, `epoch` and `turn` together are there once, for ever."""

    session: _Name
    epoch: Count
    """Of the director that gave the turn."""
    turn: Count
    program: ProgramId
    engine: _Name
    """`host:port`."""
    boot: _Name
    """Of that engine."""
    sent_bytes: Count
    began_at_ms: Count
    ended_at_ms: Count


class BytesCounted(Struct, frozen=True, kw_only=True):
    """What an engine's counter of bytes to viewers says, at the moment when its last records were written down."""

    engine: _Name
    boot: _Name
    sent_bytes: Count
    """Since that boot."""
    under_way_bytes: Count
    """Of them, in turns that are not over: their records are to come."""
    at_ms: Count


class DeliverUsage(Struct, frozen=True, kw_only=True):
    """A blade hands over what is in its outbox, as often as it takes until that is acknowledged."""

    viewings: Annotated[tuple[ViewingRecord, ...], Meta(max_length=RECORDS_MAX)] = ()
    usage: Annotated[tuple[UsageRecord, ...], Meta(max_length=RECORDS_MAX)] = ()
    counted: Annotated[tuple[BytesCounted, ...], Meta(max_length=RECORDS_MAX)] = ()


class UsageDelivered(Struct, frozen=True, kw_only=True):
    """All of it is in the ledger, for good."""

    new: Count
    known: Count
    """Records that had been delivered before."""


DELIVER_USAGE = Verb(
    "billing/deliver",
    DeliverUsage,
    UsageDelivered,
    "A blade hands over its usage records, which the ledger has once however often they come (claim 6).",
    callers=(Caller.DIRECTOR, Caller.ENGINE),
    request_bytes_max=256 * KIB,  # as many records as there may be, 400 bytes each
)
