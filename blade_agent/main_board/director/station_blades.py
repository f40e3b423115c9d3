"""Which blades are the station's, and where: what the chassis manager sees on its backplane and tells the director."""

from collections.abc import Mapping

from media_network.address import Address
from media_network.http.asker import Asker
from media_network.messages.enlisting import StationHosts
from media_network.refusal import Reason, Refused

_NOT_TOLD_YET = Refused(
    Reason.OVERDUE, "the chassis manager has yet to tell this director which blades are the station's"
)


class StationBlades:
    """The blades of one station by slot."""

    def __init__(self) -> None:
        self._by_slot: Mapping[int, Address] | None = None
        self._hosts: frozenset[str] = frozenset()
        self._version = 0
        self.trusting = True
        """Whether others are heard as engines too: so it is where there is no chassis manager, as in a test."""

    @property
    def by_slot(self) -> Mapping[int, Address] | None:
        """Where machines speak to each; None as long as the chassis manager has told nothing in this term."""
        return self._by_slot

    @by_slot.setter
    def by_slot(self, blades: Mapping[int, Address] | None) -> None:
        self._by_slot = blades
        self._hosts = frozenset(address.host for address in (blades or {}).values())
        self._version += 1

    @property
    def addresses(self) -> frozenset[Address] | None:
        """All of them; None as above."""
        return None if self._by_slot is None else frozenset(self._by_slot.values())

    def admit(self, asker: Asker) -> Refused | None:
        """What there is against hearing whoever asks as an engine of the station. One that shows a certificate has to
        be in the slot that it is for."""
        if self.trusting:
            return None
        if self._by_slot is None:
            return _NOT_TOLD_YET
        if asker.host not in self._hosts:
            return Refused(Reason.NOT_ALLOWED, f"{asker.host} is no blade of this station, says its chassis manager")
        seen = self._by_slot.get(asker.peer.identity.slot or 0) if asker.peer else None
        if asker.peer and (seen is None or seen.host != asker.host):
            return Refused(
                Reason.NOT_ALLOWED, f"{asker.peer.identity} is not at {asker.host}, says the station's chassis manager"
            )
        return None

    def told(self, known_version: int | None) -> StationHosts | None:
        """What an engine is to be told that knows that version; None: nothing new, or nothing at all."""
        if self.trusting or self._by_slot is None or known_version == self._version:
            return None
        return StationHosts(version=self._version, hosts=tuple(sorted(self._hosts)))
