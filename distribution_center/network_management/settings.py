"""What a network management system is told at its door."""

from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Address, AddressText, IpText
from media_network.fields import PathText
from media_network.identity.settings import IdentitySettings
from media_network.snmp.settings import PORT, UserSettings

CenterName = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$(?!\n)",
        description="at most 32 lower case letters, digits and inner hyphens",
    ),
]


class WatchedCenter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of several distribution centers, with its stations."""

    address: AddressText
    """`host:port` of its control port."""
    user: UserSettings | None = None
    """The user that its agents and those of its stations answer; None: the one of all."""
    chassis: dict[str, AddressText] = {}
    """SNMP agents of chassis managers, `host:port` by station."""


class NmsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network management system. Raises ValueError for an address that is none."""

    centers: tuple[AddressText, ...] = ()
    """A distribution center, `host:port` of its control port: its registry says which stations there are."""
    named_centers: dict[CenterName, WatchedCenter] = {}
    """Several centers, by names of yours: their stations are called `<name>.<station>`."""
    headquarters: AddressText | None = None
    """SNMP agent of their headquarters, `host:port`; None: there is none, or nobody looks."""
    state: PathText
    """Folder of the history, of the token, and of who it is to those who send it informs."""
    user: UserSettings
    """The user of SNMPv3 that every agent answers, where its center names no other; reading is enough."""
    address: IpText = "127.0.0.1"
    """IPv4 address of the page."""
    http_port: Annotated[int, Meta(ge=0, le=65535)] = 8070
    identity: IdentitySettings | None = None
    """Who it is to other machines, and whose word counts for who they are; None: nobody shows who he is."""
    panel: str = ""
    """Where a front panel of the chassis is, `http://host:port/`, for a link; empty: nowhere."""
    names: tuple[str, ...] = ()
    """Further names by which browsers may call the page: what stands in their `Host`, without the port."""
    chassis: dict[str, AddressText] = {}
    """SNMP agents of chassis managers, `host:port` by station. Without one, blades are found through the director."""
    agents: dict[str, AddressText] = {}
    """SNMP agents that answer elsewhere than at their host's `snmp_port`: `host:port` by host."""
    snmp_port: Annotated[int, Meta(ge=1, le=65535)] = PORT
    """Where the agents of centers and blades answer."""
    notifications_port: Annotated[int, Meta(ge=0, le=65535)] = 1162
    """Where traps and informs are taken, at `address`; 0: nowhere. 162 is the registered one."""
    poll_s: Annotated[float, Meta(ge=1, le=3600)] = 10.0
    at_once: Annotated[int, Meta(ge=1, le=256)] = 16
    """Polls under way at a time."""
    timeout_s: Annotated[float, Meta(gt=0, le=30)] = 1.0
    retries: Annotated[int, Meta(ge=0, le=5)] = 1
    lost_after_s: Annotated[float, Meta(gt=0)] = 30.0
    """A component that has not answered for so long turns from grey to red."""
    discover_s: Annotated[float, Meta(ge=1)] = 10.0
    """How often the registries are asked."""

    def __post_init__(self) -> None:
        if len(self.centers) > 1:
            raise ValueError("centers has several: name each, as [named_centers.NAME] with its address")
        if self.panel and not self.panel.startswith(("http://", "https://")):
            raise ValueError(f"panel = {self.panel!r} is no address of a page: it begins with http:// or https://")

    @property
    def watched(self) -> dict[str, WatchedCenter]:
        """Every center, by its name; one that stands alone has none."""
        alone = {"": WatchedCenter(address=self.centers[0], chassis=self.chassis)} if self.centers else {}
        return alone | self.named_centers

    def user_at(self, center: str) -> UserSettings:
        """Whom the agents of a center and its stations answer."""
        return self.watched[center].user or self.user

    def agent_of(self, host: str) -> Address:
        """Where the agent of a host answers."""
        return Address.parse(self.agents[host]) if host in self.agents else Address(host, self.snmp_port)
