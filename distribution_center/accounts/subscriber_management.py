"""Subscriber management (claim 6): who subscribes, to what, and how the subscription stands.

Stations know it by two questions. Another implementation may take the place of the built-in one: that of an operator
who has a customer database already answers `SubscriberManagement`, and keeps what else it has to itself.
"""

from typing import Protocol

from msgspec import Struct

from media_network.fields import Count, ProgramId
from media_network.messages.subscribers import (
    Grant,
    SubscriberId,
    SubscriberNews,
    SubscriberStanding,
    SubscriberState,
)


class SubscriberManagement(Protocol):
    """What a media station asks."""

    async def standing(self, subscriber: SubscriberId, program: ProgramId, now_ms: int) -> SubscriberStanding:
        """How a subscriber stands, with all that was granted and is not over. Raises AccountsUnfit."""
        ...

    async def news(self, since: Count | None, most: int) -> SubscriberNews:
        """So many changes after that number, or the number of the newest one. Raises AccountsUnfit."""
        ...


class ManagedSubscriber(Struct, frozen=True, kw_only=True):
    """Somebody who subscribes."""

    id: SubscriberId
    name: str
    """By which an operator knows them; nobody else does."""
    state: SubscriberState = SubscriberState.ACTIVE
    added_at_ms: int = 0


class Rental(Struct, frozen=True, kw_only=True):
    """What is granted for a price, charged at that moment."""

    grant: Grant
    price: Count
    """In the smallest unit of the currency."""
    at_ms: Count


class SubscriberTaken(Exception):
    """There is a subscriber of that name, or with that id."""


class TooMuchGranted(Exception):
    """A subscriber has been granted as much as may be at a time, or a program is in as many packages."""
