"""Subscriber billing (claim 6): a ledger that has every record once, and what is reckoned from it.

Stations know it by one message. Another implementation of `Ledger` may take the place of the built-in one: it has to
know a record again by its session, epoch and turn.
"""

from typing import Protocol

from msgspec import Struct

from media_network.fields import Count, ProgramId
from media_network.messages.billing import DeliverUsage, UsageDelivered
from media_network.messages.subscribers import SubscriberId


class Ledger(Protocol):
    """What a media station tells."""

    async def deliver(self, delivery: DeliverUsage) -> UsageDelivered:
        """Have all of it in the ledger, durable on return; what is there already stays. Raises AccountsUnfit."""
        ...


class Tariff(Struct, frozen=True, kw_only=True):
    """What viewing costs, in the smallest unit of the currency."""

    what: str
    """A program, or `ANY_PROGRAM` for all of which nothing else is said."""
    per_viewing: Count = 0
    per_gigabyte: Count = 0
    """Of 10^9 bytes."""


class Usage(Struct, frozen=True, kw_only=True):
    """What a subscriber has seen of a program in a period."""

    subscriber: SubscriberId
    program: ProgramId
    viewings: int
    """Let in within the period, and sent something."""
    sent_bytes: int
    """Of records that ended within the period."""


class AccountCharge(Struct, frozen=True, kw_only=True):
    """What was charged at a moment, such as a rental."""

    subscriber: SubscriberId
    at_ms: int
    what: str
    amount: int


class EngineTotal(Struct, frozen=True, kw_only=True):
    """What an engine has counted from one boot on, beside what the ledger has of it."""

    engine: str
    boot: str
    counted_bytes: int | None
    """By its counter of bytes; None: it has told none."""
    under_way_bytes: int
    """Of them, in turns whose records are to come."""
    recorded_bytes: int
    """By the records in the ledger."""

    @property
    def difference_bytes(self) -> int:
        """What the ledger has too little of; below 0: too much."""
        return (self.counted_bytes or 0) - self.under_way_bytes - self.recorded_bytes
