"""What a chassis manager is told at its start."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from blade_agent.backplane.guid import guid_of
from blade_agent.backplane.role import STATION_PATTERN, StationName
from blade_agent.backplane.serial_line import BAUD_RATE_BPS
from blade_agent.backplane.slot_address import SLOTS
from blade_agent.chassis_manager.lan.settings import LanSettings
from media_network.address import Address, AddressText, NoAddressText
from media_network.fields import PathText
from media_network.snmp.targets import AgentSettings

Positive = Annotated[float, Meta(gt=0)]
Slot = Annotated[int, Meta(ge=1, le=SLOTS, description=f"a slot, from 1 to {SLOTS}")]


class SerialPort(Struct, frozen=True, kw_only=True, tag="serial", forbid_unknown_fields=True):
    """A slot wired to a serial port."""

    path: PathText
    baud_rate_bps: Annotated[int, Meta(gt=0)] = BAUD_RATE_BPS
    console: str = ""
    """Path of what its blade has to say, a log or a device, for Serial over LAN; empty for nothing."""


class UdpPeer(Struct, frozen=True, kw_only=True, tag="udp", forbid_unknown_fields=True):
    """A slot reached over a switched backplane."""

    address: AddressText
    """Of its CBC, `host:port`."""
    console: str = ""
    """See `SerialPort`."""


class Timing(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to wait for what.

    A blade that answers within `patience_s` of being asked is never lost; one that falls silent is lost after a
    heartbeat and `patience_s`. A line that carries noise has `noisy_attempts` instead of `attempts`, one that has hung
    up `suspect_attempts`.
    """

    heartbeat_s: Positive = 1.0
    """From one poll of a blade to the next. What an engine's loss means to viewers its director finds out by itself."""
    director_heartbeat_s: Positive = 0.25
    """The same of the director: viewers wait until another blade has taken over from it."""
    eager_s: Positive = 0.1
    """The same while the blade is on its way into or out of service, or its main board between two roles."""
    timeout_s: Positive = 0.2
    """From a request to its first repetition."""
    repeat_s: Positive = 0.1
    """From one repetition to the next."""
    attempts: Annotated[int, Meta(ge=1)] = 5
    """How often a request is sent before its blade counts as lost."""
    suspect_attempts: Annotated[int, Meta(ge=1)] = 3
    noisy_attempts: Annotated[int, Meta(ge=1)] = 25
    look_over_s: Positive = 3.0
    """At the start, how long slots may stay silent before the manager decides without them."""
    drain_s: Positive = 10.0
    """How long a blade that leaves service has for its role and its streams."""
    urgent_drain_s: Positive = 1.0
    """The same when it is too hot, or draws more than the supplies give."""
    survey_after_s: Positive = 1.0
    """From a blade's arrival in service to the first question about its sensors."""
    temperature_s: Positive = 4.0
    """From one reading of a blade's temperatures to the next, where it is not far from its limits."""
    supplies_s: Positive = 1.0
    """From one reading of the supplies to the next."""

    @property
    def patience_s(self) -> float:
        """From a request until its blade counts as lost, on a line without noise."""
        return self.timeout_s + (self.attempts - 1) * self.repeat_s


class BudgetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the supplies have to carry beside the blades that say what they draw."""

    reserve_w: Annotated[float, Meta(ge=0)] = 10.0
    """For the management board itself and what else has no voice: fans of the chassis, a switch."""
    assumed_w: Annotated[float, Meta(ge=0)] = 10.0
    """For a blade that does not say what it draws."""


class ManagerSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one chassis."""

    station: StationName
    slots: Mapping[Slot, SerialPort | UdpPeer]
    epoch_file: PathText
    """Path of the file in which the director's epoch is kept."""
    state: str = ""
    """Folder of the journal and the event log; empty for the one that holds `epoch_file`."""
    center: NoAddressText = ""
    """The station's distribution center, `host:port`; empty where there is none."""
    timing: Timing = Timing()
    budget: BudgetSettings = BudgetSettings()
    lan: LanSettings | None = None
    """Where IPMI tools are answered; None for nowhere."""
    orders: str = ""
    """Path of the UNIX socket for `blade-agent chassis ...`; empty for none."""
    profile: str = ""
    """Hardware profile of the management board, which names supplies and sensors of the chassis; empty for none."""
    root: PathText = "/"
    """Folder that holds the management board's sys and proc."""
    snmp: AgentSettings | None = None
    """Where network management systems are answered, and which; None for nowhere."""

    def __post_init__(self) -> None:
        """Refuse a name that could not go over the backplane; ValueError names it."""
        if not re.fullmatch(STATION_PATTERN, self.station):
            message = f"{self.station!r} cannot name a station: 1 to 32 printable ASCII characters without blanks"
            raise ValueError(message)

    @property
    def guid(self) -> bytes:
        """16 bytes that tell this manager from all other controllers; they stay the station's own over restarts."""
        return guid_of(f"chassis manager\n{self.station}")

    @property
    def consoles(self) -> dict[int, Path]:
        """What can be read of blades by Serial over LAN, by slot."""
        return {slot: Path(port.console) for slot, port in self.slots.items() if port.console}

    @property
    def state_folder(self) -> Path:
        """Where the journal and the event log are kept."""
        return Path(self.state) if self.state else Path(self.epoch_file).parent

    @property
    def center_address(self) -> Address | None:
        """Where the distribution center answers."""
        return Address.parse(self.center) if self.center else None
