"""The picture of a chassis: what its physics measures, its processes say of themselves, and its manager knows."""

from collections.abc import Mapping, Sequence

from blade_agent.chassis_manager import orders as manager_orders
from blade_agent.hardware.profile import SensorProfile
from chassis_emulator.chassis.fault_catalogue import injected
from chassis_emulator.chassis.living_chassis import LivingChassis
from chassis_emulator.chassis.living_slot import LivingSlot, SlotPresence
from chassis_emulator.faults.book import FaultEntry
from chassis_emulator.faults.targets import channel_names, supply_name
from chassis_emulator.panel.model import (
    Handle,
    InjectedFault,
    Light,
    LightColor,
    Lights,
    ManagerPicture,
    PanelChannel,
    PanelChassis,
    PanelSlot,
    PartHealth,
    ProcessState,
    SupplyPicture,
)
from chassis_emulator.physics.chassis import MeasuredBlade, MeasuredSupply
from chassis_emulator.physics.sysfs_tree import Shine
from chassis_emulator.processes.processes import Process

_LIGHTS = {
    "hot swap": ("blue", LightColor.BLUE),
    "fault": ("fault", LightColor.RED),
    "activity": ("activity", LightColor.GREEN),
    "identify": ("identify", LightColor.WHITE),
}
"""Names of lights in the profiles, and which of the panel's they are."""


def process_state(process: Process) -> ProcessState:
    """How a process is."""
    return ProcessState(process.condition)


def picture_of(
    chassis: LivingChassis,
    *,
    home: bool,
    faults: Sequence[FaultEntry],
    seen: manager_orders.ChassisState | None,
    lights: Mapping[int, Mapping[str, Shine]],
) -> PanelChassis:
    """Draw one chassis. `seen` is the manager's own view, None while it gives none; `lights` by slot, 0 to 1."""
    on = _by_target(faults)
    station, state = chassis.plan.station, chassis.state
    managed = {slot.slot: slot for slot in seen.slots} if seen else {}
    whole = on.get(station, ())
    return PanelChassis(
        station=station,
        home=home,
        manager=_manager(chassis, seen),
        slots=tuple(
            _slot(
                slot,
                state.blades[number - 1],
                managed.get(number),
                lights.get(number, {}),
                tuple(one for name in (slot.plan.name, *channel_names(slot.plan)) for one in on.get(name, ())),
            )
            for number, slot in chassis.slots.items()
        ),
        supplies=tuple(
            _supply(chassis, number, supply, on.get(supply_name(station, number), ()))
            for number, supply in enumerate(state.supplies, start=1)
        ),
        inlet_c=round(state.inlet_c, 1),
        power_w=round(state.power_w, 1),
        budget_w=chassis.physics.parameters.supply.capacity_w * state.supplies_working,
        faults=whole,
    )


def _by_target(faults: Sequence[FaultEntry]) -> dict[str, tuple[InjectedFault, ...]]:
    found: dict[str, tuple[InjectedFault, ...]] = {}
    for entry in faults:
        target = entry.fault.target
        found[target] = (*found.get(target, ()), injected(entry.id, entry.fault))
    return found


def _manager(chassis: LivingChassis, seen: manager_orders.ChassisState | None) -> ManagerPicture:
    return ManagerPicture(
        name=chassis.plan.name,
        process=process_state(chassis.manager),
        epoch=seen.epoch if seen else None,
        director=seen.director if seen else None,
        ipmi=chassis.manager.place.ipmi,
    )


_LOST = "M7"
"""Communication lost (PICMG 3.0, 3.2.4.2.3): its manager has not heard it, nor been told that it leaves."""


def _slot(
    slot: LivingSlot,
    measured: MeasuredBlade,
    managed: manager_orders.SlotState | None,
    lights: Mapping[str, Shine],
    faults: tuple[InjectedFault, ...],
) -> PanelSlot:
    rpm, duty = round(measured.fan_rpm, -1), round(measured.fan_duty, 2)
    hot_swap = managed.hot_swap if managed else None
    if not slot.is_in:
        missed = hot_swap == _LOST
        return PanelSlot(
            health=PartHealth.CRITICAL if missed else PartHealth.UNKNOWN,
            health_text="lost: pulled without a word" if missed else "",
            slot=slot.plan.slot,
            name=slot.plan.name,
            present=False,
            hot_swap=hot_swap,
            fan_rpm=rpm,
            fan_duty=duty,
            faults=faults,
        )
    process, limits = slot.process, _processor(slot)
    thresholds = limits.thresholds if limits else None
    health, why = _health(process, measured, limits)
    status = process.status
    return PanelSlot(
        slot=slot.plan.slot,
        name=slot.plan.name,
        present=True,
        handle=Handle.CLOSED if slot.presence is SlotPresence.IN else Handle.OPEN,
        role=managed.role if managed else None,
        hot_swap=hot_swap,
        main_board=managed.main_board if managed else None,
        process=process_state(process),
        powered=measured.power_good and status.state != "off",
        health=health,
        health_text=why,
        lights=_lights(lights),
        temperature_c=round(measured.temperature_c, 1),
        temperature_warning_c=thresholds.upper_non_critical if thresholds else None,
        temperature_critical_c=thresholds.upper_critical if thresholds else None,
        fan_rpm=rpm,
        fan_duty=duty,
        power_w=round(measured.power_w, 1),
        waits_for=managed.waits_for if managed else "",
        power_granted_w=managed.granted_w if managed else None,
        streams=status.streams if process.pid else None,
        sent_bps=round(slot.meter.sent_bps),
        capacity_bps=float(slot.plan.capacity_bps),
        address=slot.plan.address.host,
        serial=status.service_port or None,
        channels=tuple(PanelChannel(name=one.name, state=one.state) for one in status.channels if process.pid),
        faults=faults,
    )


def _processor(slot: LivingSlot) -> SensorProfile | None:
    sensors = slot.tree.profile.sensors
    return next((sensor for sensor in sensors if sensor.entity == "processor" and sensor.thresholds), None)


def _health(process: Process, measured: MeasuredBlade, limits: SensorProfile | None) -> tuple[PartHealth, str]:
    if not measured.power_good:
        return PartHealth.CRITICAL, "no power"
    if process.pid is None or process.hung:
        return PartHealth.CRITICAL, process.condition
    thresholds = limits.thresholds if limits else None
    if thresholds is None:
        return PartHealth.UNKNOWN, "no limits are known"
    for limit, health in (
        (thresholds.upper_critical, PartHealth.CRITICAL),
        (thresholds.upper_non_critical, PartHealth.WARNING),
    ):
        if limit is not None and measured.temperature_c >= limit:
            return health, f"above {limit:g} °C"
    return PartHealth.OK, ""


def _lights(shines: Mapping[str, Shine]) -> Lights:
    lit = {
        field: Light(color=color, on_ms=shines[name].on_ms, off_ms=shines[name].off_ms)
        for name, (field, color) in _LIGHTS.items()
        if name in shines
    }
    return Lights(**lit)


def _supply(
    chassis: LivingChassis, number: int, measured: MeasuredSupply, faults: tuple[InjectedFault, ...]
) -> SupplyPicture:
    return SupplyPicture(
        name=supply_name("", number).lstrip("/"),
        health=PartHealth.OK if measured.works else PartHealth.CRITICAL,
        capacity_w=chassis.physics.parameters.supply.capacity_w,
        power_w=round(measured.power_w, 1),
        voltage_v=round(measured.voltage_v, 2),
        faults=faults,
    )
