"""What a chassis manager shows of its chassis."""

from msgspec import Struct
from msgspec.structs import asdict

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.backplane.sensor_codes import Threshold
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.orders import BudgetState, ChassisState, SlotState, SupplyState, TemperatureReading
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.policy.power_switch import observed_power
from blade_agent.chassis_manager.seen_sensors import seen_sensors
from blade_agent.chassis_manager.slots.slot import Slot
from media_network.address import Address


class SlotSnapshot(Struct, frozen=True, kw_only=True):
    """One slot. Of a blade that is away (M0, M7) only the slot and its state are known."""

    slot: int
    hot_swap: str
    """M0 to M7."""
    role: Role | None = None
    epoch: int | None = None
    main_board: MainBoardState | None = None
    address: Address | None = None
    """Where machines speak to its main board, the control port."""
    boot_id: int | None = None
    frame_faults: int | None = None
    message_faults: int | None = None


def snapshot_of(slot: Slot) -> SlotSnapshot:
    """Show a slot as it is now."""
    state = f"M{slot.hot_swap.value}"
    status = slot.status
    if status is None or slot.away:
        return SlotSnapshot(slot=slot.number, hot_swap=state)
    return SlotSnapshot(
        slot=slot.number,
        hot_swap=state,
        role=status.role,
        epoch=status.epoch,
        main_board=status.main_board,
        address=status.address,
        boot_id=status.boot_id,
        frame_faults=status.frame_faults,
        message_faults=status.message_faults,
    )


def chassis_state(station: str, chassis: Chassis, supplies: Supplies, now: float, wall_s: float) -> ChassisState:
    """Show the whole chassis at a loop's time `now`, which is `wall_s` seconds since 1970."""
    return ChassisState(
        station=station,
        epoch=chassis.epoch,
        director=chassis.director,
        slots=tuple(_slot_state(slot, chassis, now, wall_s - now) for slot in chassis.slots.values()),
        supplies=tuple(
            SupplyState(
                name=supply.name,
                capacity_w=supply.capacity_w,
                works=supply.works,
                volts=supply.volts,
                watts=supply.watts,
            )
            for supply in supplies.all
        ),
        budget=BudgetState(capacity_w=chassis.service.grants.capacity_w, granted_w=chassis.service.grants.granted_w),
        fan_level=chassis.cooling.highest,
        journal_kept=chassis.journal.works,
    )


def _slot_state(slot: Slot, chassis: Chassis, now: float, to_wall_s: float) -> SlotState:
    seen, entry, care = snapshot_of(slot), chassis.journal.wanted.of(slot.number), chassis.service.care[slot.number]
    power, board = slot.facts.power, FruFacts() if slot.away else slot.facts.board
    lost = slot.lost_at if slot.hot_swap is HotSwapState.M7_COMMUNICATION_LOST else None
    return SlotState(
        slot=seen.slot,
        hot_swap=seen.hot_swap,
        role=seen.role,
        epoch=seen.epoch,
        main_board=seen.main_board,
        address=None if seen.address is None else str(seen.address),
        boot_id=None if seen.boot_id is None else f"{seen.boot_id:016x}",
        wanted_in_service=not entry.hold,
        desired_power=entry.desired_power,
        observed_power=observed_power(slot),
        waits_for=care.waits_for,
        streams_left=None if care.leaving is None else care.leaving.streams,
        granted_w=chassis.service.grants.granted_of(slot),
        power_level=care.level if power is not None and care.level else None,
        power_levels_w=() if power is None else power.levels_w,
        temperatures=() if slot.away else tuple(_temperatures(slot)),
        sensors=() if slot.away else seen_sensors(slot),
        protocol_version=None if slot.away or slot.status is None else slot.status.protocol_version,
        streams=None if slot.away or slot.outdated or slot.status is None else slot.status.streams,
        serial_number=board.serial_number,
        model=board.product,
        maker=board.manufacturer,
        firmware=board.version,
        fan_level=None if slot.away else chassis.cooling.level_of(slot.number),
        lost_since=None if lost is None else lost + to_wall_s,
        frame_faults=seen.frame_faults,
        message_faults=seen.message_faults,
        draining=not slot.away and slot.orders.draining,
        identify_s=0 if slot.away else slot.orders.identify_s(now),
        **asdict(slot.requester.counters),
    )


def _temperatures(slot: Slot) -> list[TemperatureReading]:
    return [
        TemperatureReading(
            sensor=sensor.name,
            celsius=celsius,
            upper_non_critical=sensor.upper.get(Threshold.UPPER_NON_CRITICAL),
            upper_critical=sensor.upper.get(Threshold.UPPER_CRITICAL),
            upper_non_recoverable=sensor.upper.get(Threshold.UPPER_NON_RECOVERABLE),
        )
        for sensor, celsius in slot.measurements.temperatures
    ]
