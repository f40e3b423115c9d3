"""A turn of a stream: it is given to one engine, once, and the numbers of a session's turns only grow."""

from msgspec import Struct

from media_network.address import Address


class GivenTurn(Struct, frozen=True, kw_only=True):
    """What was given to an engine: to send from `packet` of `segment` to the end of that segment."""

    number: int
    engine: Address
    boot: str
    segment: int
    packet: int
    given_at: float
    """By the event loop's time, in seconds."""
