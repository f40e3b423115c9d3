"""What must hold at every moment of the story, whatever fails."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.film import packet_numbers
from chassis_emulator.simulation.hosts import Endpoint
from chassis_emulator.simulation.stage import Stage
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.cut import Cut


class Violated(SimulationError):
    """An invariant does not hold."""


class StreamWitness:
    """Sees every media datagram as it is sent: to each console packets go in order, each once.

    Two senders of one stream, or a packet that is sent again, would break that order.
    """

    def __init__(self, stage: Stage, fail: Callable[[SimulationError], None]) -> None:
        """`fail` ends the run: an exception would end up with the engine whose packet is looked at."""
        self._engines = {blade.address.host for blade in stage.plan.blades}
        self._fail = fail
        self._last: dict[Endpoint, tuple[int, Endpoint]] = {}
        self.skipped = 0
        """Packets that were never sent: given up when a sender was lost."""
        self.hand_overs = 0

    def see(self, source: Endpoint, target: Endpoint, datagrams: Sequence[bytes]) -> None:
        """Datagrams of one call."""
        if source[0] not in self._engines:
            return
        for datagram in datagrams:
            for number in packet_numbers(datagram):
                self._see_packet(source, target, number)

    def _see_packet(self, source: Endpoint, target: Endpoint, number: int) -> None:
        last, sender = self._last.get(target, (-1, source))
        if number <= last:
            sentence = f"{source[0]} sent packet {number} to {target} after {sender[0]} had sent packet {last}"
            self._fail(Violated(sentence))
        self.hand_overs += sender != source
        self.skipped += max(0, number - last - 1)
        self._last[target] = number, source


class RegistryWitness:
    """Compares the registry with the disks: it lists what no power cut can take, and in the calm all that they hold."""

    def __init__(self, stage: Stage, cut: Cut, contents: Sequence[bytes]) -> None:
        self._stations = sorted({blade.station for blade in stage.plan.blades})
        self._contents = contents
        self._program = cut.program
        folder = f"{cut.program}.{cut.table}"
        names = [f"{number}.{len(content)}.{sha256(content).hexdigest()}.ts" for number, content in enumerate(contents)]
        self._places = {
            (station, number): [
                (stage.disks[blade.name], channel / folder / name)
                for blade in stage.plan.blades
                if blade.station == station
                for channel in blade.channels
            ]
            for station in self._stations
            for number, name in enumerate(names)
        }
        """Where a station may hold a segment."""
        self._registry = SqliteRepository.open(stage.registry_path)

    async def look(self) -> None:
        """At any moment. Raises Violated when it lists what is not durable."""
        for station, segments in (await self._registry.locations(self._program)).items():
            for segment in segments:
                if not self._durable(station, segment):
                    raise Violated(f"the registry lists segment {segment} at {station}; no disk there holds it safely")

    async def look_in_calm(self, wanted: Mapping[str, int]) -> None:
        """When all is healed and had time to be told. Raises Violated when it lacks what disks hold, counts other
        copies than there are, or when a station has fewer than are wanted there."""
        listed = await self._registry.locations(self._program)
        for station in self._stations:
            held = {segment for segment in range(len(self._contents)) if self._durable(station, segment)}
            if unlisted := sorted(held - listed.get(station, frozenset())):
                raise Violated(
                    f"in the calm after the faults the registry lacks segments {unlisted} on {station}'s disks"
                )
        for station, copies in wanted.items():
            there = [self._copies(station, segment) for segment in range(len(self._contents))]
            if min(there) < copies:
                raise Violated(f"in the calm after the faults {station} has {there} copies, and {copies} are wanted")
            counted = (await self._registry.held(self._program, copies)).get(station, 0)
            if counted != len(there):
                raise Violated(
                    f"the registry counts {copies} copies of {counted} segments at {station}, and not of all"
                )

    def _durable(self, station: str, segment: int) -> bool:
        return self._copies(station, segment) > 0

    def _copies(self, station: str, segment: int) -> int:
        content = self._contents[segment]
        return sum(disk.durable_content(path) == content for disk, path in self._places[station, segment])
