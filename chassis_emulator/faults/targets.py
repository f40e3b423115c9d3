"""Where a fault is: the names that the targets of a network have, and what a fault befalls."""

from collections.abc import Collection, Sequence
from pathlib import Path

from chassis_emulator.faults.kinds import AnyFault, Victim
from chassis_emulator.topology.plan import BladePlan, ChassisPlan, NetworkPlan


def supply_name(station: str, number: int) -> str:
    """What a supply is called as a target, and on the panel."""
    return f"{station}/supply-{number}"


def channel_name(blade: str, folder: Path) -> str:
    """What an I/O channel of a blade is called as a target."""
    return f"{blade}/{folder.name}"


def channel_names(blade: BladePlan) -> tuple[str, ...]:
    """All of a blade's."""
    return tuple(channel_name(blade.name, folder) for folder in blade.channels)


class BadTarget(Exception):
    """There is nothing of that name that this kind of fault could befall; `known` says what there is."""

    def __init__(self, target: str, what: str, known: Sequence[str]) -> None:
        super().__init__(target, what, known)
        self.target = target
        self.what = what
        self.known = tuple(known)

    def __str__(self) -> str:
        return f"{self.target!r} is not {self.what}; there are: {', '.join(self.known)}"


class Targets:
    """The targets of a network."""

    def __init__(self, plan: NetworkPlan) -> None:
        self._chassis = {chassis.station: chassis for chassis in plan.chassis}
        self._blades = dict.fromkeys(blade.name for blade in plan.blades)
        self._supplies = dict.fromkeys(
            supply_name(chassis.station, number)
            for chassis in plan.chassis
            for number in range(1, chassis.supplies + 1)
        )
        self._channels = {blade.name: channel_names(blade) for blade in plan.blades}
        managers = (chassis.name for chassis in plan.chassis)
        self._processes = dict.fromkeys((*plan.processes_of_no_station, *managers, *self._blades))

    def befallen(self, fault: AnyFault) -> tuple[str, ...]:
        """Names of all that a fault befalls. Raises BadTarget for a fault that cannot befall its target."""
        match fault.befalls:
            case Victim.BLADE:
                return self.blades(fault.target)
            case Victim.PROCESS:
                return self.processes(fault.target)
            case Victim.SUPPLY:
                return _named(fault.target, "a power supply", self._supplies)
            case Victim.CHASSIS:
                return _named(fault.target, "a station", self._chassis)
            case Victim.CHANNEL:
                return self.channels(fault.target)

    def channels(self, target: str) -> tuple[str, ...]:
        """Names of the I/O channels: of one, or of each of a slot."""
        if target in self._channels:
            return self._channels[target]
        known = [name for names in self._channels.values() for name in names]
        if target not in known:
            raise BadTarget(target, "a slot or one of its I/O channels", [*self._channels, *known])
        return (target,)

    def blades(self, target: str) -> tuple[str, ...]:
        """Names of the blades: of one slot, or of each slot of a station."""
        if target in self._chassis:
            return tuple(blade.name for blade in self._chassis[target].blades)
        if target not in self._blades:
            raise BadTarget(target, "a slot or a station", [*self._chassis, *self._blades])
        return (target,)

    def blade(self, target: str) -> tuple[ChassisPlan, int]:
        """One slot of a chassis."""
        if target not in self._blades:
            raise BadTarget(target, "a slot", tuple(self._blades))
        station, _, slot = target.partition("/")
        return self._chassis[station], int(slot)

    def processes(self, target: str) -> tuple[str, ...]:
        """Names of the processes: of one, or of each blade of a station."""
        if target in self._chassis:
            return self.blades(target)
        if target not in self._processes:
            raise BadTarget(target, "a process or a station", [*self._chassis, *self._processes])
        return (target,)


def _named(target: str, what: str, known: Collection[str]) -> tuple[str]:
    if target not in known:
        raise BadTarget(target, what, tuple(known))
    return (target,)
