"""What a media asset management is told at its door."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import AddressText, Ipv4Text
from media_network.fields import PathText
from media_network.identity.settings import IdentitySettings
from media_network.messages.headquarters import CENTERS_MAX, CenterName
from media_network.snmp.targets import AgentSettings


class MamSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One media asset management (MAM)."""

    centers: dict[CenterName, AddressText]
    """The distribution centers by names of yours: `host:port` of their control ports."""
    state: PathText
    """Folder of the catalogue and of the orders."""
    address: Ipv4Text = "127.0.0.1"
    """IPv4 address at which operators are answered."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 8083
    poll_s: Annotated[float, Meta(ge=0.1, le=3600)] = 2.0
    """How often each center is asked how far its downloads are; one that lets nobody wait, what has changed, too."""
    identity: IdentitySettings | None = None
    """Who it is to other machines, and whose word counts for who they are; None: nobody shows who he is."""
    snmp: AgentSettings | None = None
    """Its SNMP agent; without it, no manager is answered."""

    def __post_init__(self) -> None:
        """Refuse none, and too many; ValueError says which."""
        if not 1 <= len(self.centers) <= CENTERS_MAX:
            raise ValueError(f"centers has {len(self.centers)} entries; it must have 1 to {CENTERS_MAX}")
        if len(set(self.centers.values())) < len(self.centers):
            raise ValueError("centers has one address twice: a program would be counted twice")
