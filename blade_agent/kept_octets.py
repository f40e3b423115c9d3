"""A few octets that survive a restart: the event log, a FRU's inventory."""

from typing import Protocol


class KeptOctets(Protocol):
    """Somewhere to keep octets, all at once: a file, or an EEPROM."""

    def read(self) -> bytes:
        """Give what is kept, nothing if nothing ever was. Raises OSError."""
        ...

    def keep(self, octets: bytes) -> None:
        """Keep these instead; on return they survive a power cut. Raises OSError, and then the former ones are kept."""
        ...
