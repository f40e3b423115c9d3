"""The physics of one chassis: loads and time in, what its sensors would measure out. Deterministic, without I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from blade_agent.hardware.profile import Heat
from chassis_emulator.physics.boards import to_air_w_per_k, warm
from chassis_emulator.physics.fans import EmulatedFan, air_of_slots
from chassis_emulator.physics.parameters import ChassisParameters
from chassis_emulator.physics.rise import Rise
from chassis_emulator.physics.supplies import PowerDelivery, deliver

_STEP_S = 1.0
_STEPS_MAX = 600
"""A long time is cut into no more steps than this; they grow longer then, and stay stable."""
_DUTY_AT_START = 0.4
_BITS_PER_GBIT = 1e9


@dataclass(frozen=True)
class BladeLoad:
    """What a blade does from one step to the next."""

    powered: bool = True
    cpu: float = 0.0
    """Share of all its processors, 0 to 1."""
    streamed_bps: float = 0.0


@dataclass(frozen=True)
class MeasuredBlade:
    """What there is to measure at a blade."""

    temperature_c: float
    inlet_c: float
    power_w: float
    voltage_v: float
    """At its connector: the supplies' after what a brown-out takes of it."""
    fan_rpm: float
    fan_duty: float
    power_good: bool
    """The voltage is high enough for the blade to run."""

    @property
    def current_a(self) -> float:
        """What the blade draws."""
        return self.power_w / self.voltage_v if self.voltage_v else 0.0


@dataclass(frozen=True)
class MeasuredSupply:
    """What there is to measure at a power supply."""

    works: bool
    voltage_v: float
    power_w: float


@dataclass(frozen=True)
class MeasuredChassis:
    """What there is to measure at a chassis."""

    blades: tuple[MeasuredBlade, ...]
    """By slot, the first is slot 1."""
    inlet_c: float
    supplies: tuple[MeasuredSupply, ...]
    demand_w: float
    power_w: float
    """What the supplies give; less than `demand_w` when they are overloaded."""
    supplies_working: int
    to_air_j: float
    """Heat given to the air since the start."""
    from_supplies_j: float
    """Heat that the blades turned power into since the start."""


class ChassisPhysics:
    """A chassis with a blade in each slot."""

    def __init__(self, parameters: ChassisParameters, heat: Heat, slots: int, now_s: float) -> None:
        self.parameters = parameters
        self._heat = heat
        self._now_s = now_s
        self._temperatures_c = [parameters.inlet_c] * slots
        self._fans = [EmulatedFan(parameters.fan, _DUTY_AT_START) for _ in range(slots)]
        self._supply_failed = [False] * parameters.supplies
        self._inlet_rise = Rise()
        self._processor_rises = [Rise() for _ in range(slots)]
        self._voltage_shares = [1.0] * slots
        self._to_air_j = 0.0
        self._from_supplies_j = 0.0

    def drive_fan(self, slot: int, duty: float) -> None:
        """Tell the fan behind a slot (from 1) to run at a share of full drive."""
        self._fans[slot - 1].duty = min(max(duty, 0.0), 1.0)

    def break_fan(self, slot: int, *, broken: bool) -> None:
        """Let the fan behind a slot (from 1) fail, or run again."""
        self._fans[slot - 1].failed = broken

    def break_supply(self, number: int, *, broken: bool) -> None:
        """Let a supply (from 1) fail, or work again."""
        self._supply_failed[number - 1] = broken

    def warm_inlet(self, rise_k: float) -> None:
        """Let warmer air come to the chassis, by so many degrees."""
        self._inlet_rise.target_k = rise_k

    def loosen_heat_sink(self, slot: int, rise_k: float) -> None:
        """Let the processor in a slot (from 1) stand above its board, by so many degrees; 0 for a sink that sits."""
        self._processor_rises[slot - 1].target_k = rise_k

    def brown_out(self, slot: int, voltage_share: float) -> None:
        """Let a slot (from 1) get a share of the supplies' voltage; 1 for all of it."""
        self._voltage_shares[slot - 1] = voltage_share

    @property
    def inlet_c(self) -> float:
        """Temperature of the air that the chassis takes in."""
        return self.parameters.inlet_c + self._inlet_rise.now_k

    def step(self, now_s: float, loads: Sequence[BladeLoad]) -> MeasuredChassis:
        """Let time pass until `now_s` under these loads, one a slot. Time never runs backwards here."""
        if len(loads) != len(self._fans):
            raise ValueError(f"{len(loads)} loads for {len(self._fans)} slots")
        wanted_w = [self._wanted_w(load) for load in loads]
        duration_s = max(0.0, now_s - self._now_s)
        self._now_s = max(self._now_s, now_s)
        steps = min(math.ceil(duration_s / _STEP_S), _STEPS_MAX)
        for _ in range(steps):
            self._pass(duration_s / steps, wanted_w)
        return self._state(wanted_w)

    def _wanted_w(self, load: BladeLoad) -> float:
        if not load.powered:
            return 0.0
        heat, cpu = self._heat, min(max(load.cpu, 0.0), 1.0)
        streamed_gbps = max(load.streamed_bps, 0.0) / _BITS_PER_GBIT
        return heat.idle_w + (heat.busy_w - heat.idle_w) * cpu + heat.stream_w_per_gbps * streamed_gbps

    @property
    def _working(self) -> int:
        return self._supply_failed.count(False)

    def _demand_w(self, wanted_w: Sequence[float]) -> float:
        return sum(wanted_w) + sum(fan.power_w for fan in self._fans)

    def _pass(self, duration_s: float, wanted_w: Sequence[float]) -> None:
        share = deliver(self.parameters.supply, self._working, self._demand_w(wanted_w)).share
        for fan in self._fans:
            fan.run(duration_s)
        for rise in (self._inlet_rise, *self._processor_rises):
            rise.run(duration_s)
        air = air_of_slots([fan.flow for fan in self._fans], self.parameters.air_to_neighbour)
        to_air = [to_air_w_per_k(self._heat, flow) for flow in air]
        heating_w = [power * share for power in wanted_w]
        self._temperatures_c = warm(
            self._temperatures_c,
            heating_w=heating_w,
            capacity_j_per_k=self._heat.capacity_j_per_k,
            to_air=to_air,
            between_w_per_k=self.parameters.between_slots_w_per_k,
            inlet_c=self.inlet_c,
            duration_s=duration_s,
        )
        rises = [temperature - self.inlet_c for temperature in self._temperatures_c]
        self._to_air_j += duration_s * sum(rise * given for rise, given in zip(rises, to_air, strict=True))
        self._from_supplies_j += duration_s * sum(heating_w)

    def _state(self, wanted_w: Sequence[float]) -> MeasuredChassis:
        demand_w = self._demand_w(wanted_w)
        given = deliver(self.parameters.supply, self._working, demand_w)
        return MeasuredChassis(
            blades=tuple(self._blade(slot, wanted_w[slot], given) for slot in range(len(self._fans))),
            inlet_c=self.inlet_c,
            supplies=tuple(self._supply(failed, given) for failed in self._supply_failed),
            demand_w=demand_w,
            power_w=given.power_w,
            supplies_working=self._working,
            to_air_j=self._to_air_j,
            from_supplies_j=self._from_supplies_j,
        )

    def _blade(self, index: int, wanted_w: float, given: PowerDelivery) -> MeasuredBlade:
        fan, voltage_v = self._fans[index], given.voltage_v * self._voltage_shares[index]
        return MeasuredBlade(
            temperature_c=self._temperatures_c[index] + self._processor_rises[index].now_k,
            inlet_c=self.inlet_c,
            power_w=wanted_w * given.share,
            voltage_v=voltage_v,
            fan_rpm=fan.speed_rpm,
            fan_duty=fan.duty,
            power_good=voltage_v >= self.parameters.power_good_share * self.parameters.supply.nominal_v,
        )

    def _supply(self, failed: bool, given: PowerDelivery) -> MeasuredSupply:  # noqa: FBT001 -- of the list of those that failed
        if failed:
            return MeasuredSupply(works=False, voltage_v=0.0, power_w=0.0)
        return MeasuredSupply(works=True, voltage_v=given.voltage_v, power_w=given.power_w / self._working)
