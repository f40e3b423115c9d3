"""What the front panel shows, and what it asks of whoever knows the network. What nobody knows is None, never a guess.

A blade is named as everywhere, `<station>/<slot>`; temperatures in °C, power in W, rates in bits a second.
"""

from enum import StrEnum
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from blade_agent.backplane.role import MainBoardState, Role
from media_network.messages.verb import Done
from media_network.refusal import Refused
from media_network.status import ChannelState

_STATION = r"(?:[a-z0-9-]{1,32}\.)?[a-z0-9-]{1,32}"
"""`north`; in a network of several centers `east.north`."""
BladeName = Annotated[str, Meta(pattern=rf"^{_STATION}/[0-9]{{1,2}}$", description="a slot, such as north/3")]
"""`<station>/<slot>`."""
TargetName = Annotated[
    str, Meta(pattern=rf"^{_STATION}(/[a-z0-9-]{{1,16}})?$", description="a station, or what is in it")
]
"""Where a fault is: a blade `<station>/<slot>`, a supply `<station>/supply-<n>`, or a whole `<station>`."""


class LightColor(StrEnum):
    """Colours of a front light."""

    BLUE = "blue"
    RED = "red"
    GREEN = "green"
    AMBER = "amber"
    ORANGE = "orange"
    WHITE = "white"


class Light(Struct, frozen=True, kw_only=True):
    """How a light shines: on for `on_ms`, off for `off_ms`, and again. `on_ms` 0: off; `off_ms` 0: steadily on."""

    color: LightColor
    on_ms: int = 0
    off_ms: int = 0


class Lights(Struct, frozen=True, kw_only=True):
    """The lights of a blade's front; None where the board has no such light."""

    blue: Light | None = None
    """May be taken out (PICMG 3.0, 3.2.5.6)."""
    fault: Light | None = None
    activity: Light | None = None
    identify: Light | None = None


class Handle(StrEnum):
    """Where the handle's switch is."""

    OPEN = "open"
    CLOSED = "closed"


class PartHealth(StrEnum):
    """How well a blade, a supply or a chassis manager is."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"


class PanelSeverity(StrEnum):
    """How grave an event is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class ProcessState(StrEnum):
    """What runs a blade, or a chassis manager."""

    RUNNING = "running"
    HUNG = "hung"
    """Stopped by a signal: it is there and does not answer."""
    CRASHED = "crashed"
    STOPPED = "stopped"
    """Ended in order, or never started."""


class InjectedFault(Struct, frozen=True, kw_only=True):
    """A fault that somebody injected and nobody has ended yet."""

    fault: str
    """Names it as long as it lasts."""
    kind: str
    """A `FaultKind.kind`."""
    target: str
    text: str
    """What it is, for a person, such as `fan stands still`."""


class PanelChannel(Struct, frozen=True, kw_only=True):
    """An I/O channel of a blade: a disk."""

    name: str
    state: ChannelState


class PanelSlot(Struct, frozen=True, kw_only=True):
    """One slot of a chassis, with what is in it."""

    slot: int
    name: str
    """Of its blade: `<station>/<slot>`."""
    present: bool
    """Whether a blade is in the slot; without one all else is unknown, but for what the chassis itself has.

    One that was pulled without a word is missed: `health` is critical until its manager knows that it is gone.
    """
    handle: Handle | None = None
    role: Role | None = None
    hot_swap: str | None = None
    """`M0` to `M7`, as the chassis manager sees it."""
    main_board: MainBoardState | None = None
    process: ProcessState = ProcessState.STOPPED
    powered: bool = False
    health: PartHealth = PartHealth.UNKNOWN
    health_text: str = ""
    """Why it is not `ok`, in a few words; empty otherwise."""
    lights: Lights = Lights()
    temperature_c: float | None = None
    temperature_warning_c: float | None = None
    """Upper non-critical threshold."""
    temperature_critical_c: float | None = None
    fan_rpm: float | None = None
    fan_duty: float | None = None
    """Share of full drive, 0 to 1."""
    power_w: float | None = None
    waits_for: str = ""
    """Why it is not brought into service, or what its withdrawal waits for; empty if it waits for nothing."""
    power_granted_w: float | None = None
    """What the chassis manager lets it draw."""
    streams: int | None = None
    """Viewers it sends to right now."""
    sent_bps: float | None = None
    capacity_bps: float | None = None
    """What its network interface carries."""
    address: str | None = None
    serial: str | None = None
    """Path of its service port."""
    channels: tuple[PanelChannel, ...] = ()
    faults: tuple[InjectedFault, ...] = ()


class SupplyPicture(Struct, frozen=True, kw_only=True):
    """A power supply of a chassis."""

    name: str
    """Within its chassis, such as `supply-1`."""
    health: PartHealth = PartHealth.UNKNOWN
    capacity_w: float | None = None
    power_w: float | None = None
    voltage_v: float | None = None
    faults: tuple[InjectedFault, ...] = ()


class ManagerPicture(Struct, frozen=True, kw_only=True):
    """The chassis manager."""

    name: str
    """Of its console: `<station>/manager`."""
    process: ProcessState
    epoch: int | None = None
    director: int | None = None
    """The slot it appointed."""
    ipmi: str | None = None
    """Where IPMI tools reach it, `host:port`."""


class PanelChassis(Struct, frozen=True, kw_only=True):
    """A media station: its chassis."""

    station: str
    home: bool = False
    """Whether it is the center's home media station."""
    manager: ManagerPicture
    slots: tuple[PanelSlot, ...]
    """By number; all there are, empty ones too."""
    supplies: tuple[SupplyPicture, ...] = ()
    inlet_c: float | None = None
    power_w: float | None = None
    """What is drawn now, fans included."""
    budget_w: float | None = None
    """What the working supplies can give."""
    faults: tuple[InjectedFault, ...] = ()
    """Those of the chassis as a whole."""


class CenterPicture(Struct, frozen=True, kw_only=True):
    """A distribution center, or the media asset management of several."""

    name: str
    process: ProcessState
    address: str


class Picture(Struct, frozen=True, kw_only=True):
    """All that the page shows at one moment, but for the event log."""

    network: int
    name: str
    boot: str
    """New at every start of the emulator: event ids count from the start again."""
    center: CenterPicture
    """The only one, or the headquarters."""
    other_centers: tuple[CenterPicture, ...] = ()
    """The media asset management is the last of them."""
    nms: str | None = None
    """Where the page of a network management system is that watches it, as a URL."""
    stations: tuple[PanelChassis, ...]


class PanelEvent(Struct, frozen=True, kw_only=True):
    """A line of the event log."""

    id: int
    """Grows by at least one from event to event, from 1."""
    time_s: float
    """Seconds since 1970, UTC."""
    severity: PanelSeverity
    text: str
    station: str | None = None
    slot: int | None = None


class Console(Struct, frozen=True, kw_only=True):
    """The end of what a process printed."""

    name: str
    lines: tuple[str, ...]


class FaultTarget(StrEnum):
    """What a kind of fault befalls."""

    BLADE = "blade"
    SUPPLY = "supply"
    CHASSIS = "chassis"


class FaultParameter(Struct, frozen=True, kw_only=True):
    """A number that a kind of fault takes."""

    name: str
    text: str
    """For a person, such as `bit error rate`."""
    default: float | None
    """None: it may be left out."""
    lowest: float
    highest: float
    unit: str = ""


class FaultKind(Struct, frozen=True, kw_only=True):
    """A kind of fault that can be injected."""

    kind: str
    """As `chassis-emulator fault` calls it."""
    text: str
    """For a person, such as `Fan stands still`."""
    target: FaultTarget
    cuts_viewers_off: bool = False
    """Whether a blade that has it stops sending to its viewers: the page asks first."""
    parameters: tuple[FaultParameter, ...] = ()


class PowerOrder(StrEnum):
    """What a blade's power is to do."""

    ON = "on"
    OFF = "off"
    CYCLE = "cycle"


class Pull(Struct, frozen=True, kw_only=True, tag_field="act", tag="pull", forbid_unknown_fields=True):
    """Take a blade out: by opening its handle and waiting, or at once, as a hand would."""

    blade: BladeName
    surprise: bool = False


class Insert(Struct, frozen=True, kw_only=True, tag_field="act", tag="insert", forbid_unknown_fields=True):
    """Put the blade back, its handle closed."""

    blade: BladeName


class Power(Struct, frozen=True, kw_only=True, tag_field="act", tag="power", forbid_unknown_fields=True):
    """Switch a blade's power."""

    blade: BladeName
    order: PowerOrder


class Reset(Struct, frozen=True, kw_only=True, tag_field="act", tag="reset", forbid_unknown_fields=True):
    """Reset a blade's main board."""

    blade: BladeName


class IdentifySlot(Struct, frozen=True, kw_only=True, tag_field="act", tag="identify", forbid_unknown_fields=True):
    """Let a blade blink for a while, 0 to end it."""

    blade: BladeName
    seconds: Annotated[int, Meta(ge=0, le=255)] = 15


class Inject(Struct, frozen=True, kw_only=True, tag_field="act", tag="inject", forbid_unknown_fields=True):
    """Let something go wrong."""

    kind: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,32}$", description="lower case letters and hyphens")]
    target: TargetName
    parameters: dict[str, float] = {}


class ClearFaults(Struct, frozen=True, kw_only=True, tag_field="act", tag="clear", forbid_unknown_fields=True):
    """End injected faults; one that has ended already is no mistake."""

    faults: Annotated[tuple[str, ...], Meta(max_length=256)]
    """By `InjectedFault.fault`."""


Action = Pull | Insert | Power | Reset | IdentifySlot | Inject | ClearFaults


class PanelSource(Protocol):
    """Who knows the network, and carries orders out: the emulator's environment."""

    @property
    def fault_kinds(self) -> tuple[FaultKind, ...]:
        """Every kind of fault that `act` can inject, in the order to show them."""
        ...

    async def picture(self) -> Picture:
        """How the network is now. Asked at most twice a second, and only while somebody looks."""
        ...

    async def events(self, after: int) -> tuple[PanelEvent, ...]:
        """The events with a higher id than `after`, the oldest first; at most the newest 500."""
        ...

    async def console(self, name: str, lines: int) -> Console | Refused:
        """The last `lines` lines that a process (`north/3`, `north/manager`, `center`) printed."""
        ...

    async def act(self, action: Action) -> Done | Refused:
        """Carry an order out; a refusal is a sentence for a person. Every order can be given twice."""
        ...
