"""What can go wrong in a run, each with its moment and its end."""

import errno
from collections.abc import Callable, Iterable

from msgspec import Struct

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.simulation import Simulation
from media_network.callback import do_nothing

Heal = Callable[[], None]


class TimedFault(Struct, frozen=True, kw_only=True):
    """Something that goes wrong at a moment, for a while."""

    at_s: float
    for_s: float

    def strike(self, simulation: Simulation) -> Heal:
        """Let it happen; what is returned makes it good again."""
        raise NotImplementedError


class Killed(TimedFault, frozen=True, kw_only=True):
    """The processes of a host are killed; it boots afterwards."""

    host: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        host = simulation.host(self.host)
        if not host.boot:
            return do_nothing
        simulation.crash(host)
        return lambda: simulation.restart(host)


class Hung(TimedFault, frozen=True, kw_only=True):
    """The processes of a host are stopped, and go on later as if no time had passed."""

    host: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        return simulation.hang(simulation.host(self.host))


class PowerCut(TimedFault, frozen=True, kw_only=True):
    """A host loses its power, and its disks what was not durable; it boots afterwards."""

    host: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        host = simulation.host(self.host)
        if not host.boot:
            return do_nothing
        simulation.power_cut(host)
        return lambda: simulation.restart(host)


class Partitioned(TimedFault, frozen=True, kw_only=True):
    """Some hosts are cut off from all others. One way: they hear, and are not heard."""

    hosts: tuple[str, ...]
    one_way: bool

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        links = simulation.links
        inside = [simulation.host(address) for address in self.hosts]
        outside = [host for host in simulation.hosts.values() if host not in inside]
        return links.cut(inside, outside) if self.one_way else links.partition(inside, outside)


class BadLink(TimedFault, frozen=True, kw_only=True):
    """The link between two hosts gets slow and loses, doubles and reorders, both ways."""

    hosts: tuple[str, str]
    conditions: Conditions

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        one, other = (simulation.host(address) for address in self.hosts)

        def make(conditions: Conditions | None) -> None:
            simulation.links.set_conditions(one, other, conditions)
            simulation.links.set_conditions(other, one, conditions)

        make(self.conditions)
        return lambda: make(None)


class NoisyWire(TimedFault, frozen=True, kw_only=True):
    """Bits flip on a serial wire."""

    wire: str
    bit_error_rate: float

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        wire = simulation.wires[self.wire]
        wire.bit_error_rate = self.bit_error_rate
        return lambda: setattr(wire, "bit_error_rate", 0.0)


class CutWire(TimedFault, frozen=True, kw_only=True):
    """A serial wire carries nothing."""

    wire: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        wire = simulation.wires[self.wire]
        wire.is_cut = True
        return lambda: setattr(wire, "is_cut", False)


class SlowDisk(TimedFault, frozen=True, kw_only=True):
    """A disk takes so many times as long."""

    disk: str
    slowness: float

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        disk = simulation.disks[self.disk]
        disk.slowness = self.slowness
        return lambda: setattr(disk, "slowness", 1.0)


class FailedDisk(TimedFault, frozen=True, kw_only=True):
    """A disk answers every call with an I/O error."""

    disk: str

    def strike(self, simulation: Simulation) -> Heal:
        """See `TimedFault`."""
        disk = simulation.disks[self.disk]
        disk.failure = errno.EIO
        return lambda: setattr(disk, "failure", None)


def schedule(simulation: Simulation, faults: Iterable[TimedFault]) -> None:
    """Let these happen, each at its moment."""
    for fault in faults:
        simulation.links.at(fault.at_s, _strike, simulation, fault)


def _strike(simulation: Simulation, fault: TimedFault) -> None:
    simulation.links.trace("fault", repr(fault))
    heal = fault.strike(simulation)
    simulation.links.at(simulation.loop.time() + fault.for_s, heal)
