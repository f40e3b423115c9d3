"""What a distribution center is told at its door."""

from datetime import tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from distribution_center.content.providers.provider import ProviderSettings
from distribution_center.distances import DistanceSettings
from distribution_center.page.settings import PageSettings
from media_network.address import Ipv4Text
from media_network.fields import PathText
from media_network.identity.settings import IdentitySettings
from media_network.messages.sources import CostWeights
from media_network.settings import SettingsError
from media_network.snmp.targets import AgentSettings


class CenterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One distribution center."""

    name: str
    address: Ipv4Text
    """IPv4 address it answers at."""
    state: PathText
    """Folder of the spool, and of the registry where `registry` names no other place."""
    home: str
    """Name of its home media station."""
    media_port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    """Where consoles are served, and segments of the spool fetched."""
    control_port: Annotated[int, Meta(ge=1, le=65535)] = 8081
    """Where machines and operators speak to it."""
    registry: str = ""
    """Path of the registry, or a `postgresql://` DSN without its password; empty: `registry.sqlite` in `state`."""
    storing_patience_s: Annotated[float, Meta(gt=0)] = 60.0
    """How long the home media station may take no segment before an ingest is given up."""
    restore_after_s: Annotated[float, Meta(ge=0)] = 60.0
    """How long a station may lack copies that it had before they are made again: whatever restarts is back then."""
    counts_for_s: Annotated[float, Meta(gt=0)] = 86_400.0
    """How long after a station was heard last its copies count as copies, when another wants to delete its own."""
    surplus_percent: Annotated[float, Meta(ge=0, le=100)] = 20.0
    """A program is moved to stations only that have so much of their storage free when they have taken it."""
    longest_segment_ms: Annotated[int, Meta(ge=200, le=120_000)] = 12_000
    """Groups of pictures up to this are copied as they are, in one segment; longer ones are encoded anew."""
    providers: tuple[ProviderSettings, ...] = ()
    """Whom the content engine downloads from."""
    local_files: bool = True
    """An operator may have any file of this machine ingested; else only those below a provider's `file:///` address."""
    metadata_zone: str = "UTC"
    """Of times in metadata that have no zone: `Europe/Berlin`."""
    distances: DistanceSettings = DistanceSettings()
    """How far zones are from each other."""
    cost: CostWeights = CostWeights()
    """What directors count when they choose a source."""
    page: PageSettings | None = None
    """Where the operator's page is; None for nowhere."""
    identity: IdentitySettings | None = None
    """Who it is to other machines, and whose word counts for who they are; None: nobody shows who he is."""
    snmp: AgentSettings | None = None
    """Where network management systems are answered, and which; None for nowhere."""

    @property
    def registry_place(self) -> str:
        """Where the registry is: a path, or a DSN."""
        return self.registry or str(Path(self.state) / "registry.sqlite")

    def __post_init__(self) -> None:
        """Refuse one port for two; ValueError says which."""
        if self.media_port == self.control_port:
            raise ValueError(f"media_port and control_port are both {self.media_port}; they must differ")


def metadata_zone(name: str) -> tzinfo:
    """The time zone of that name. Raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        reason = f"is no time zone, but {name[:40]!r}: write UTC, Europe/Berlin"
        raise SettingsError(Path("settings"), "metadata_zone", reason) from error
