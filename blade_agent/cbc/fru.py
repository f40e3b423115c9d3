"""The blade's own description in its EEPROM, or in what stands for it."""

from typing import Final

from msgspec import Struct

from blade_agent.backplane.fru_format import FruFacts, areas_are_whole, fru_image
from blade_agent.cbc.identity import Identity
from blade_agent.kept_octets import KeptOctets

IMAGE_BYTES: Final = 512
OWN_FRU: Final = 0
"""Number of a controller's own board."""


class FruSettings(Struct, frozen=True, kw_only=True):
    """Where the description comes from, and whether it may be changed over the backplane."""

    facts: FruFacts | None = None
    """From the hardware profile; None: what the identity says."""
    kept: KeptOctets | None = None
    """Where it is kept; what is there goes before the facts."""
    records: tuple[bytes, ...] = ()
    """What a maker's records say, as `fru_image` takes them."""
    writable: bool = False


class Fru:
    """The description, byte by byte. What is written is kept before it counts."""

    def __init__(self, settings: FruSettings, identity: Identity) -> None:
        """Raises OSError: it is kept somewhere that cannot be read."""
        self._settings = settings
        found = settings.kept.read() if settings.kept else b""
        image = found or fru_image(settings.facts or facts_of(identity), settings.records)
        size_bytes = IMAGE_BYTES if found else max(IMAGE_BYTES, len(image))
        self.image = image[:size_bytes].ljust(size_bytes, b"\x00")

    @property
    def writable(self) -> bool:
        """Whether it may be changed."""
        return self._settings.writable

    @property
    def is_whole(self) -> bool:
        """Whether all checksums in it are right."""
        return areas_are_whole(self.image)

    def write(self, offset: int, octets: bytes) -> None:
        """Change a part that lies inside. Raises OSError, and then nothing has changed."""
        image = self.image[:offset] + octets + self.image[offset + len(octets) :]
        if self._settings.kept:
            self._settings.kept.keep(image)
        self.image = image


def facts_of(identity: Identity) -> FruFacts:
    """Give what a blade without a profile's facts knows of itself."""
    return FruFacts(
        product="media station blade",
        part_number=f"{identity.manufacturer}-{identity.product}-{identity.device_id}",
        version=identity.firmware_version,
        serial_number=identity.guid[-8:].hex(),
    )
