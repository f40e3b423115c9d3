"""A chassis for SNMP, out of the state that its manager shows to everybody, and what the management board measures."""

from msgspec import convert

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.chassis_manager.orders import ChassisState, SlotState, SupplyState
from blade_agent.chassis_manager.request_counters import RequestCounters
from blade_agent.hardware.reading import KnownReading, Quantity
from blade_agent.snmp.blade_hardware import blade_hardware
from blade_agent.snmp.sources import (
    ChassisPicture,
    HardwareFigures,
    SensorFigures,
    SlotPicture,
    SupplyFigures,
)
from media_network.address import Address

_ABSENT = frozenset({HotSwapState.M0_NOT_INSTALLED, HotSwapState.M7_COMMUNICATION_LOST})


def chassis_picture(state: ChassisState, board: HardwareFigures | None = None) -> ChassisPicture:
    """Give the picture of a chassis. `board` is what the management board measures; its supplies are the manager's."""
    measured = board or HardwareFigures()
    return ChassisPicture(
        station=state.station,
        epoch=state.epoch,
        director=state.director,
        slots=tuple(map(_slot, state.slots)),
        budget_w=state.budget.capacity_w,
        granted_w=state.budget.granted_w,
        observed_w=_observed_w(state.supplies),
        hardware=HardwareFigures(
            title=measured.title,
            serial_number=measured.serial_number,
            firmware=measured.firmware,
            sensors=measured.sensors or _inlet(state),
            fans=measured.fans,
            leds=measured.leds,
            supplies=tuple(map(_supply, state.supplies)),
            uuid=measured.uuid,
        ),
    )


def _observed_w(supplies: tuple[SupplyState, ...]) -> float | None:
    """What all supplies give together, where each that works says it."""
    given = [supply.watts for supply in supplies if supply.works]
    known = [watts for watts in given if watts is not None]
    return sum(known) if known and len(known) == len(given) else None


def _inlet(state: ChassisState) -> tuple[SensorFigures, ...]:
    if state.inlet_celsius is None:
        return ()
    reading = KnownReading(state.inlet_celsius)
    return (SensorFigures(name="Inlet", quantity=Quantity.TEMPERATURE, reading=reading, entity="air_inlet"),)


def _supply(supply: SupplyState) -> SupplyFigures:
    return SupplyFigures(name=supply.name, capacity_w=supply.capacity_w, works=supply.works, output_w=supply.watts)


def _slot(slot: SlotState) -> SlotPicture:
    hot_swap = HotSwapState(int(slot.hot_swap.removeprefix("M")))
    desired = slot.power_levels_w[-1] if slot.power_levels_w else None
    return SlotPicture(
        slot=slot.slot,
        hot_swap=hot_swap,
        draining=slot.draining or slot.streams_left is not None,
        wanted_in_service=slot.wanted_in_service,
        role=slot.role,
        epoch=slot.epoch,
        main_board=slot.main_board,
        address=None if slot.address is None else Address.parse(slot.address),
        boot_id=None if slot.boot_id is None else int(slot.boot_id, 16),
        desired_w=desired,
        granted_w=slot.granted_w,
        observed_w=_metered_w(slot),
        streams=slot.streams,
        version=slot.protocol_version,
        waits_for=slot.waits_for,
        frame_faults=slot.frame_faults,
        message_faults=slot.message_faults,
        asked=convert(slot, RequestCounters, from_attributes=True),
        identify_s=slot.identify_s,
        hardware=None if hot_swap in _ABSENT else blade_hardware(slot),
    )


def _metered_w(slot: SlotState) -> float | None:
    """What the blade's own meters say together, where it has any and each can be read."""
    meters = [sensor.value for sensor in slot.sensors if sensor.measures == "power"]
    known = [watts for watts in meters if watts is not None]
    return sum(known) if known and len(known) == len(meters) else None
