"""What the operator's page is told at its door."""

from ipaddress import IPv4Address
from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Ipv4Text

PAGE_PORT = 8082


class PageSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page is served, and what may be sent to it."""

    address: Ipv4Text = "127.0.0.1"
    """A loopback address: nobody has to say who they are."""
    port: Annotated[int, Meta(ge=1, le=65535)] = PAGE_PORT
    users: tuple[str, ...] = ()
    """Users of this machine who may give orders, beside the one that the center runs as, and root."""
    upload_bytes_max: Annotated[int, Meta(ge=0)] = 200_000_000_000
    """More of one file is not taken; 0: no files are."""
    uploads_bytes_max: Annotated[int, Meta(ge=0)] = 400_000_000_000
    """More of all that wait to be ingested, or are, is not kept."""

    def __post_init__(self) -> None:
        """Refuse an address that others reach; ValueError says so."""
        if not IPv4Address(self.address).is_loopback:
            raise ValueError(f"address = {self.address!r} is not a loopback one, such as 127.0.0.1")
