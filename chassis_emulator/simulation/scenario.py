"""A scenario in virtual time: the file that `chassis-emulator scenario` plays live, as faults of a simulated network.

Lines, crashes, hangs and pulls are simulated. A blade that hangs is one that hears nobody and that nobody hears, for a
simulated process cannot be stopped between two instructions; and every pull is by surprise, for a simulated blade has
no handle. Heat, power and what a chassis manager is ordered to do
are not simulated; `unplayed` names those steps.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from chassis_emulator.faults.kinds import AnyFault, Crash, Hang, LineFault
from chassis_emulator.faults.targets import Targets
from chassis_emulator.scenario.steps import AnyStep, EndFaultsStep, FaultStep, InsertStep, PullStep, Scenario
from chassis_emulator.simulation.faults import Heal, Killed, TimedFault
from chassis_emulator.simulation.line import SerialWire
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.topology.plan import NetworkPlan

_AT_LEAST_S = 0.001


class TroubledWire(TimedFault, frozen=True, kw_only=True):
    """Something befalls a serial wire."""

    wire: str
    trouble: LineFault

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        wire, trouble = simulation.wires[self.wire], self.trouble
        if trouble.seed is None:
            seed = simulation.rng(f"{self.wire} from {self.at_s}").getrandbits(32)
            trouble = msgspec.structs.replace(trouble, seed=seed)
        wire.suffer([*wire.faults, trouble])
        return lambda: wire.suffer([fault for fault in wire.faults if fault is not trouble])


class HungHost(TimedFault, frozen=True, kw_only=True):
    """A host hears nobody, and nobody hears it; its wire carries nothing either."""

    host: str
    wire: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        return _cut_off(simulation, self.host, self.wire)


class PulledBlade(TimedFault, frozen=True, kw_only=True):
    """A blade is taken out of its slot as a hand would, and put back."""

    host: str
    wire: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        host = simulation.host(self.host)
        simulation.power_cut(host)
        plug_in = _cut_off(simulation, self.host, self.wire)

        def insert() -> None:
            plug_in()
            simulation.restart(host)

        return insert


def faults_of(scenario: Scenario, plan: NetworkPlan, from_s: float) -> list[TimedFault]:
    """The faults of a scenario that begins at `from_s`, in the order of their moments. Raises BadTarget."""
    return sorted(_faults(scenario, plan, from_s), key=lambda fault: fault.at_s)


def unplayed(scenario: Scenario) -> tuple[str, ...]:
    """What a scenario has that is not simulated."""
    return tuple(step.describe() for step in scenario.steps if not _is_played(step))


def length_s(scenario: Scenario) -> float:
    """When its last step is."""
    return max((step.at for step in scenario.steps), default=0.0)


def _is_played(step: AnyStep) -> bool:
    if isinstance(step, FaultStep):
        return isinstance(step.fault, LineFault | Crash | Hang)
    return isinstance(step, EndFaultsStep | PullStep | InsertStep)


def _faults(scenario: Scenario, plan: NetworkPlan, from_s: float) -> Iterator[TimedFault]:
    targets, hosts = Targets(plan), {blade.name: blade.address.host for blade in plan.blades}
    hosts |= {chassis.name: chassis.host for chassis in plan.chassis} | {plan.center.name: plan.center.address.host}
    for index, step in enumerate(scenario.steps):
        at_s = from_s + step.at
        if isinstance(step, PullStep):
            targets.blade(step.target)
            for_s = _until_insert(scenario, index) - step.at
            yield PulledBlade(at_s=at_s, for_s=max(for_s, _AT_LEAST_S), host=hosts[step.target], wire=step.target)
        elif isinstance(step, FaultStep) and _is_played(step):
            for_s = max(_end_of(scenario, index) - step.at, _AT_LEAST_S)
            yield from _strikes(step.fault, targets, hosts, at_s, for_s)


def _strikes(
    fault: AnyFault, targets: Targets, hosts: dict[str, str], at_s: float, for_s: float
) -> Iterator[TimedFault]:
    for name in targets.befallen(fault):
        match fault:
            case LineFault():
                yield TroubledWire(at_s=at_s, for_s=for_s, wire=name, trouble=fault)
            case Crash():
                yield Killed(at_s=at_s, for_s=for_s, host=hosts[name])
            case Hang():
                yield HungHost(at_s=at_s, for_s=for_s, host=hosts[name], wire=name)


def _end_of(scenario: Scenario, index: int) -> float:
    """When a fault ends: by itself, by a `clear`, or with the scenario."""
    step = scenario.steps[index]
    ends = [length_s(scenario)]
    if isinstance(step, FaultStep):
        if step.for_s is not None:
            ends.append(step.at + step.for_s)
        clears = (later for later in scenario.steps[index + 1 :] if isinstance(later, EndFaultsStep))
        ends += [later.at for later in clears if later.name in ("", step.name)]
    return min(ends)


def _until_insert(scenario: Scenario, index: int) -> float:
    pulled = scenario.steps[index]
    inserts = (later for later in scenario.steps[index + 1 :] if isinstance(later, InsertStep))
    moments = [later.at for later in inserts if isinstance(pulled, PullStep) and later.target == pulled.target]
    return min([*moments, length_s(scenario)])


def _cut_off(simulation: Simulation, address: str, wire: str) -> Callable[[], None]:
    host = simulation.host(address)
    rejoin = simulation.links.partition([host], [other for other in simulation.hosts.values() if other is not host])
    cut = [simulation.wires[wire]] if wire in simulation.wires else _wires_of(simulation, wire)
    for each in cut:
        each.is_cut = True

    def mend() -> None:
        rejoin()
        for each in cut:
            each.is_cut = False

    return mend


def _wires_of(simulation: Simulation, manager: str) -> Sequence[SerialWire]:
    """All wires of a chassis, by the name of its manager; none of the center's."""
    station = manager.partition("/")[0]
    return [wire for name, wire in simulation.wires.items() if name.partition("/")[0] == station]
