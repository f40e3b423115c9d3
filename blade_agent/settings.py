"""What a blade is told at its door: once, typed, from a TOML file or from whoever composes it.

What changes while it runs (its role, the director's address) comes over the backplane, not from here.
"""

from typing import Annotated

from msgspec import Meta, Struct

from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from media_network.address import Address, Ipv4Text
from media_network.fields import PathText, Zone
from media_network.identity.settings import IdentitySettings
from media_network.messages.steering import PAUSE_S, PAUSE_S_MAX
from media_network.rtp import RTP_PORT, RTSP_PORT
from media_network.snmp.targets import AgentSettings
from media_network.tokens.settings import TokenSettings

UDP_PREFIX = "udp:"
"""Before the address of a CBC on a switched network."""


class ServiceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The service address of a station: consoles and players are served there, whichever of its blades directs.

    All blades of a station are told the same.
    """

    address: Ipv4Text
    """IPv4 address; its port is the media port."""
    take_command: tuple[str, ...] = ()
    """Program and arguments that bring the address to this blade when it begins to direct."""
    leave_command: tuple[str, ...] = ()
    """The same for taking it away when it ceases to."""
    listen: bool = False
    """Serve there while it directs. Without it, something in the network leads what goes there to the director."""
    rtp_port: Annotated[int, Meta(ge=1, le=65534)] = RTP_PORT
    """Where RTP streams leave from, whichever blade sends them; RTCP has the port after it."""


class ChannelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A folder of the segment store, which has to be there: on a disk of its own where there are several."""

    path: PathText
    mount: bool = False
    """It is a mount point: without its disk nothing is read or written there."""


class BladeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One blade.

    `backplane` is a serial device (`/dev/ttyS1`) or, where the backplane is a switched network, `udp:HOST:PORT`, the
    address the CBC listens at. `service_port` is a serial device for a person with a cable, `pty` for a pseudo-terminal
    of the agent's own, or empty for none.
    """

    slot: Annotated[int, Meta(ge=1, le=16)]
    address: Ipv4Text
    """IPv4 address of the blade; it answers there, and its streams leave from it."""
    backplane: PathText
    state: PathText
    """Folder for what must survive a restart."""
    channels: Annotated[tuple[PathText | ChannelSettings, ...], Meta(min_length=1)]
    """Folders of the segment store, one per independent I/O channel (claim 4): one a disk. A path, or a table."""
    media_port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    """Where consoles are served, and segments fetched."""
    control_port: Annotated[int, Meta(ge=1, le=65535)] = 8081
    """Where machines speak to it."""
    rtsp_port: Annotated[int, Meta(ge=1, le=65535)] = RTSP_PORT
    """Where players speak RTSP to it, and to the service address; only where there is one, for RTP comes from that."""
    service: ServiceSettings | None = None
    """The service address of its station; None where it has none."""
    zone: Zone = ""
    """Where its station is: a city, a room, a rack, by the name that the center's `distances` know. All blades of a
    station are told the same."""
    service_port: str = ""
    baud_rate: Annotated[int, Meta(ge=1200)] = 115_200
    profile: str = ""
    """Name of the hardware profile in `hw_profiles/`, or a TOML file; empty: the board is looked at."""
    capacity_bps: Annotated[int, Meta(gt=0)] = 800_000_000
    """What the blade may send; the director redirects nothing to an engine beyond it."""
    high_water_percent: Annotated[float, Meta(gt=0, le=100)] = 90.0
    """A station whose segments take more than that of what they could have does without what nobody ordered."""
    low_water_percent: Annotated[float, Meta(ge=0, le=100)] = 80.0
    """Until they take less than that."""
    pause_s: Annotated[int, Meta(ge=1, le=PAUSE_S_MAX)] = PAUSE_S
    """How long a console may pause its stream; then its session ends."""
    allow_elsewhere: bool = False
    """Send streams to other hosts than those that ask for them: whoever asks can have them sent anywhere."""
    playlists_name_engines: bool = False
    """HLS playlists name the engine of each segment: fewer requests, and a player keeps to the engines that there were
    when it began. Else each segment is asked for at the director, which redirects to an engine of that moment."""
    serial_number: str = ""
    root: PathText = "/"
    """Folder that holds the board's `sys` and `dev`: another one where the board is emulated, or a copied tree."""
    watchdog: bool = True
    """Run the board's watchdog, where the profile knows it: it resets the board when the agent hangs or dies."""
    reset_command: tuple[str, ...] = ()
    """Program and arguments that reset the whole board, the CBC with it; none: a reset is of the main board only."""
    power_off_command: tuple[str, ...] = ()
    """The same for switching it off."""
    authentication: TokenSettings | None = None
    """The authentication server whose tokens consoles have to show; None: whoever asks is served."""
    identity: IdentitySettings | None = None
    """Who this blade is to other machines, and whose word counts for who they are; None: nobody shows who he is."""
    accounts: AccountsLinkSettings | None = None
    """Subscriber management and billing, for stations that ask for tokens; None: a token is all that is asked for."""
    snmp: AgentSettings | None = None
    """Where network management systems are answered, and which; None for nowhere."""

    @property
    def disks(self) -> tuple[ChannelSettings, ...]:
        """The channels, each with all that is said of it."""
        return tuple(
            channel if isinstance(channel, ChannelSettings) else ChannelSettings(path=channel)
            for channel in self.channels
        )

    def __post_init__(self) -> None:
        """Refuse a backplane's address that is none, water marks the wrong way round, and one port for two; ValueError
        says which."""
        if self.backplane.startswith(UDP_PREFIX):
            try:
                Address.parse(self.backplane.removeprefix(UDP_PREFIX))
            except ValueError as error:
                raise ValueError(f"backplane is {self.backplane!r}: {error}") from None
        if self.accounts and self.authentication is None:
            raise ValueError("accounts is set without authentication: a subscriber is known by a token")
        if self.low_water_percent > self.high_water_percent:
            raise ValueError(f"low_water_percent is above high_water_percent, {self.high_water_percent:g}")
        if self.media_port == self.control_port:
            raise ValueError(f"media_port and control_port are both {self.media_port}; they must differ")
        for name in ("media_port", "control_port"):
            if getattr(self, name) == self.rtsp_port:
                raise ValueError(f"{name} and rtsp_port are both {self.rtsp_port}; they must differ")
