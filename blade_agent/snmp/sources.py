"""What SNMP is told of a blade and of a chassis: snapshots that somebody else takes, and hands over when they change.

All of them are read in memory. A reading that is not known is `Unknown`, a fact that is not known None; both are then
without an instance, never a made-up number.
"""

from typing import Protocol

from msgspec import Struct

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.request_counters import RequestCounters
from blade_agent.hardware.board import BoardReadings, LedReading
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.profile import HardwareProfile, SensorThresholds
from blade_agent.hardware.reading import Quantity, Reading
from blade_agent.main_board.main_board_figures import MainBoardFigures, MainBoardWork
from media_network.address import Address


class SensorFigures(Struct, frozen=True, kw_only=True):
    """A sensor, its limits and what it reads, in the unit of its quantity."""

    name: str
    quantity: Quantity
    reading: Reading
    entity: str = "system_board"
    """Where it measures, as a hardware profile says it."""
    low_critical: float | None = None
    high_warning: float | None = None
    high_critical: float | None = None
    high_fatal: float | None = None
    hysteresis: float = 0.0
    """How far the reading has to come back before a limit no longer counts as crossed."""
    place: int | None = None
    """On its board, from 0 and for ever; None: where it stands among the board's sensors."""


class SupplyFigures(Struct, frozen=True, kw_only=True):
    """A power supply."""

    name: str
    capacity_w: float
    works: bool | None
    """None where it is not known."""
    output_w: float | None = None


class HardwareFigures(Struct, frozen=True, kw_only=True):
    """A board: of a blade, or the management board of a chassis. What it measures is in the order of its profile."""

    title: str = ""
    serial_number: str = ""
    firmware: str = ""
    sensors: tuple[SensorFigures, ...] = ()
    fans: tuple[FanReading, ...] = ()
    leds: tuple[LedReading, ...] = ()
    supplies: tuple[SupplyFigures, ...] = ()
    uuid: bytes = b""
    """16 octets, or none."""


class SlotPicture(Struct, frozen=True, kw_only=True):
    """A slot and its blade, as its chassis manager or the blade itself sees them."""

    slot: int
    hot_swap: HotSwapState
    draining: bool = False
    wanted_in_service: bool = True
    role: Role | None = None
    """None of a blade that is not heard, and so on below."""
    epoch: int | None = None
    main_board: MainBoardState | None = None
    address: Address | None = None
    boot_id: int | None = None
    desired_w: float | None = None
    granted_w: float | None = None
    observed_w: float | None = None
    streams: int | None = None
    identify_s: int = 0
    """For how long the identify light still blinks."""
    frame_faults: int | None = None
    message_faults: int | None = None
    version: int | None = None
    """Of the backplane's messages that it speaks."""
    waits_for: str | None = None
    """Why it is not where it should be, in words; None where only a chassis manager knows."""
    asked: RequestCounters | None = None
    """Counted by a chassis manager only."""
    hardware: HardwareFigures | None = None
    """What is known of its board; None of a blade that is not heard."""


class ChassisPicture(Struct, frozen=True, kw_only=True):
    """A chassis: of a blade's own agent, the one slot that it is in."""

    station: str
    epoch: int = 0
    director: int | None = None
    """Slot of the media director."""
    slots: tuple[SlotPicture, ...] = ()
    budget_w: float | None = None
    granted_w: float | None = None
    observed_w: float | None = None
    hardware: HardwareFigures = HardwareFigures()
    """Of the management board: inlet, chassis fans, supplies."""


class BladeFigures(Struct, frozen=True, kw_only=True):
    """A blade as its own agent shows it."""

    station: str
    epoch: int
    own: SlotPicture
    capacity_bps: int
    main_board: MainBoardFigures
    work: MainBoardWork = MainBoardWork()

    def as_chassis(self) -> ChassisPicture:
        """The one slot of the chassis that the blade knows."""
        director = None if self.main_board.director is None else self.own.slot
        return ChassisPicture(station=self.station, epoch=self.epoch, director=director, slots=(self.own,))


class SlotOrders(Protocol):
    """What a network management system may order of a blade. No call waits; each is idempotent."""

    def activate(self, slot: int) -> None:
        """Bring the blade into service, or let it take work again."""

    def drain(self, slot: int) -> None:
        """Let it hand over what it carries and take nothing new."""

    def deactivate(self, slot: int) -> None:
        """Drain it, then take it out of service."""

    def identify(self, slot: int, seconds: int) -> None:
        """Let its light blink; 0 ends it."""


def hardware_of(
    profile: HardwareProfile, readings: BoardReadings, *, serial_number: str = "", firmware: str = "", uuid: bytes = b""
) -> HardwareFigures:
    """A board's figures from its profile and what it last measured, which have the same order."""
    return HardwareFigures(
        title=profile.title,
        serial_number=serial_number,
        firmware=firmware,
        sensors=tuple(
            sensor_of(fact.name, fact.measures, seen.reading, fact.entity, fact.thresholds)
            for fact, seen in zip(profile.sensors, readings.sensors, strict=True)
        ),
        fans=readings.fans,
        leds=readings.leds,
        supplies=tuple(
            SupplyFigures(name=fact.name, capacity_w=fact.capacity_w, works=seen.works, output_w=value_of(seen.power))
            for fact, seen in zip(profile.supplies, readings.supplies, strict=True)
        ),
        uuid=uuid,
    )


def sensor_of(
    name: str, quantity: Quantity, reading: Reading, entity: str, thresholds: SensorThresholds | None
) -> SensorFigures:
    """A sensor from what its profile says and what it reads."""
    if thresholds is None:
        return SensorFigures(name=name, quantity=quantity, reading=reading, entity=entity)
    return SensorFigures(
        name=name,
        quantity=quantity,
        reading=reading,
        entity=entity,
        low_critical=thresholds.lower_critical,
        high_warning=thresholds.upper_non_critical,
        high_critical=thresholds.upper_critical,
        high_fatal=thresholds.upper_non_recoverable,
        hysteresis=thresholds.hysteresis,
    )


def value_of(reading: Reading) -> float | None:
    """The value of a reading; None of one that is unknown."""
    return getattr(reading, "value", None)
