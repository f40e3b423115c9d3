"""What a chassis manager is told at its start."""

import re
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from blade_agent.cbc.identity import SLOTS
from blade_agent.cbc.role import STATION_PATTERN, StationName
from blade_agent.cbc.serial_line import BAUD_RATE_BPS
from blade_agent.chassis_manager.lan.settings import LanSettings
from media_network.address import Address

Positive = Annotated[float, Meta(gt=0)]
Slot = Annotated[int, Meta(ge=1, le=SLOTS)]


class SerialPort(Struct, frozen=True, kw_only=True, tag="serial", forbid_unknown_fields=True):
    """A slot wired to a serial port."""

    path: str
    baud_rate_bps: Annotated[int, Meta(gt=0)] = BAUD_RATE_BPS


class UdpPeer(Struct, frozen=True, kw_only=True, tag="udp", forbid_unknown_fields=True):
    """A slot reached over a switched backplane."""

    address: str
    """Of its CBC, `host:port`."""

    def __post_init__(self) -> None:
        """Refuse what is no address; ValueError says why."""
        Address.parse(self.address)


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to wait for what. A blade is lost after `heartbeat_s + attempts * timeout_s` without a word."""

    heartbeat_s: Positive = 1.0
    """From one poll of a blade to the next."""
    eager_s: Positive = 0.1
    """The same while the blade is on its way into or out of service, or its main board between two roles."""
    timeout_s: Positive = 0.3
    """From a request to its repetition."""
    attempts: Annotated[int, Meta(ge=1)] = 5
    """How often a request is sent before its blade counts as lost."""
    look_over_s: Positive = 3.0
    """At the start, how long slots may stay silent before the manager decides without them."""


class ManagerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one chassis."""

    station: StationName
    slots: Mapping[Slot, SerialPort | UdpPeer]
    epoch_file: str
    """Path of the file in which the director's epoch is kept."""
    center: str = ""
    """The station's distribution center, `host:port`; empty where there is none."""
    timing: Timing = Timing()
    lan: LanSettings | None = None
    """Where IPMI tools are answered; None for nowhere."""

    def __post_init__(self) -> None:
        """Refuse a name that could not go over the backplane; ValueError names it."""
        if not re.fullmatch(STATION_PATTERN, self.station):
            message = f"{self.station!r} cannot name a station: 1 to 32 printable ASCII characters without blanks"
            raise ValueError(message)
        if self.center:
            Address.parse(self.center)

    @property
    def center_address(self) -> Address | None:
        """Where the distribution center answers."""
        return Address.parse(self.center) if self.center else None
