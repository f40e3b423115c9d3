"""What a station is told of the authentication server whose tokens it asks for."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Address

_Name = Annotated[str, Meta(min_length=1, max_length=128)]


class TokenSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[authentication]` of a blade. All blades of a station are told the same."""

    server: Annotated[str, Meta(description="HOST:PORT")]
    """Where the authentication server publishes its keys, `host:port`."""
    issuer: _Name = "media-station"
    """How it calls itself in tokens (`iss`)."""
    audience: _Name = "media-station"
    """A token has to be for this audience (`aud`), or for the station by its name."""
    skew_s: Annotated[float, Meta(ge=0, le=600)] = 60.0
    """By so much a token may have expired, or may not have begun: clocks differ."""
    refresh_s: Annotated[float, Meta(ge=1, le=3600)] = 60.0
    """How often its keys are fetched."""

    def __post_init__(self) -> None:
        """Refuse an address that is none; ValueError says why."""
        try:
            Address.parse(self.server)
        except ValueError as error:
            raise ValueError(f"server is {self.server!r}: {error}") from None

    @property
    def address(self) -> Address:
        """Of the server."""
        return Address.parse(self.server)
