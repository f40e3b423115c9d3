"""What a link between two hosts is like."""

import random
from typing import Annotated

from msgspec import Meta, Struct

Rate = Annotated[float, Meta(ge=0, le=1)]
"""How often something happens, of 1."""


class Conditions(Struct, frozen=True, kw_only=True):
    """A link's character. The default is a calm local network."""

    latency_s: tuple[float, float] = (0.0001, 0.0005)
    """One way: between these, drawn for each chunk or datagram."""
    loss: Rate = 0.0
    """Datagrams lost. A lost chunk of a stream is sent again, and comes later by `retransmission_s`."""
    duplication: Rate = 0.0
    """Datagrams that arrive twice."""
    reordering: Rate = 0.0
    """Datagrams overtaken by those behind them."""
    splitting: Rate = 0.0
    """Chunks of a stream that arrive in two parts."""
    retransmission_s: tuple[float, float] = (0.2, 0.6)
    stream_bps: Annotated[float, Meta(gt=0)] | None = None
    """What comes through each stream in a second; None: as much as the interface of its source sends."""

    def latency(self, rng: random.Random) -> float:
        """Seconds for one trip."""
        shortest, longest = self.latency_s
        return shortest + (longest - shortest) * rng.random()

    def stream_latency(self, rng: random.Random) -> float:
        """Seconds for one trip of a chunk that is repeated until it arrives."""
        latency = self.latency(rng)
        while self.loss and rng.random() < min(self.loss, 0.9):
            latency += rng.uniform(*self.retransmission_s)
        return latency


WITHIN_A_HOST = Conditions(latency_s=(0.00001, 0.00003))
"""From a program to another of the same host."""
