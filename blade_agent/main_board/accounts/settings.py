"""What a station is told of subscriber management and billing, and how long it goes by what it has heard."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Address

_AddressText = Annotated[str, Meta(description="HOST:PORT")]


class Unconfirmed(StrEnum):
    """What becomes of a viewer with a good token of whom nothing is known, while nobody can be asked."""

    ADMIT = "admit"
    """Whoever issued the token has confirmed the subscriber; the record says that nothing else did."""
    REFUSE = "refuse"


class AccountsLinkSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[accounts]` of a blade. All blades of a station are told the same."""

    subscribers: _AddressText
    """Where subscriber management answers, `host:port`."""
    billing: _AddressText = ""
    """Where billing does; empty: there, too."""
    fresh_s: Annotated[float, Meta(ge=1, le=86_400)] = 60.0
    """So long what was said counts without a question."""
    stale_s: Annotated[float, Meta(ge=1, le=7 * 86_400)] = 3600.0
    """So long it counts while the question is asked anew."""
    grace_s: Annotated[float, Meta(ge=1, le=90 * 86_400)] = 7 * 86_400.0
    """So long it counts while nobody can be asked."""
    refusal_s: Annotated[float, Meta(ge=0, le=60)] = 5.0
    """So long a refusal counts: who has just paid is not kept out."""
    unconfirmed: Unconfirmed = Unconfirmed.ADMIT
    kept: Annotated[int, Meta(ge=100, le=1_000_000)] = 20_000
    """So many subscribers, and so many programs, are remembered: those that were asked for last."""

    def __post_init__(self) -> None:
        """Refuse addresses that are none, and times out of order; ValueError says which."""
        for name, text in (("subscribers", self.subscribers), ("billing", self.billing)):
            if text or name == "subscribers":
                try:
                    Address.parse(text)
                except ValueError as error:
                    raise ValueError(f"{name} is {text!r}: {error}") from None
        if not self.refusal_s <= self.fresh_s <= self.stale_s <= self.grace_s:
            raise ValueError(
                "refusal_s, fresh_s, stale_s and grace_s are not in this order, each at least the one before"
            )

    @property
    def management(self) -> Address:
        """Of subscriber management."""
        return Address.parse(self.subscribers)

    @property
    def ledger(self) -> Address:
        """Of billing."""
        return Address.parse(self.billing or self.subscribers)
