"""Who is told of what happens: receivers of traps and informs, as settings."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from media_network.address import AddressText
from media_network.secret import Secret
from media_network.snmp.settings import SnmpSettings, UserSettings


class TargetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A receiver. It is told as a user of the agent, or by a community of its own; ValueError for neither."""

    address: AddressText
    """`host:port`; 162 is the registered port."""
    user: str = ""
    """Name of one of the agent's users: SNMPv3, at that user's level."""
    community: Secret = ""
    """SNMPv2c, which anybody on the way can read."""
    inform: bool = False
    """Ask for a receipt, and send again until it comes."""
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 1.5
    """For an inform: time to the next attempt."""
    retries: Annotated[int, Meta(ge=0, le=10)] = 3

    def __post_init__(self) -> None:
        if bool(self.user) == bool(self.community):
            raise ValueError(f"SNMP target {self.address}: either `user` or `community` is needed")

    def __repr__(self) -> str:
        """Show everything but the community."""
        return f"TargetSettings(address={self.address!r}, user={self.user!r}, inform={self.inform})"


class AgentSettings(SnmpSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An SNMP agent and whom it tells: what a blade, a chassis manager or a center has in its settings as `snmp`."""

    targets: Annotated[tuple[TargetSettings, ...], Meta(max_length=16)] = ()
    log_entries: Annotated[int, Meta(ge=1, le=10_000)] = 256
    """How many notifications are kept for who was not listening (NOTIFICATION-LOG-MIB)."""
    contact: str = ""
    location: str = ""

    def __post_init__(self) -> None:
        """Refuse a target whose user there is not, and groups and views that lead nowhere."""
        self.access_tables()
        for target in self.targets:
            if target.user:
                self.user_of(target)

    def user_of(self, target: TargetSettings) -> UserSettings:
        """The user by whose name a target is told. Raises ValueError if there is none of that name."""
        for user in self.users:
            if user.user == target.user:
                return user
        raise ValueError(f"SNMP target {target.address}: there is no user {target.user!r}")


Kind = Literal["trap", "inform"]


def kind_of(target: TargetSettings) -> Kind:
    """How a target is told."""
    return "inform" if target.inform else "trap"
