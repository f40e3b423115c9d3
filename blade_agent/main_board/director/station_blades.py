"""Which blades are the station's, and where: what the chassis manager sees on its backplane and tells the director."""

from collections.abc import Mapping

from media_network.address import Address


class StationBlades:
    """The blades of one station by slot."""

    def __init__(self) -> None:
        self.by_slot: Mapping[int, Address] | None = None
        """Where machines speak to each; None as long as the chassis manager has told nothing in this term."""

    @property
    def addresses(self) -> frozenset[Address] | None:
        """All of them; None as above."""
        return None if self.by_slot is None else frozenset(self.by_slot.values())
