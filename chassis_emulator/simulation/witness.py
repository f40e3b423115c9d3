"""What must hold at every moment of the story, whatever fails."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.fast_run import FastRun
from chassis_emulator.simulation.film import packet_numbers
from chassis_emulator.simulation.hosts import Endpoint
from chassis_emulator.simulation.stage import Stage, registry_path
from chassis_emulator.topology.plan import CenterPlan
from distribution_center.registry.deletions import DeletionState
from distribution_center.registry.sqlite_repository import SqliteRepository
from media_network.cut import Cut
from media_network.packets import TS_PACKET_BYTES


class Violated(SimulationError):
    """An invariant does not hold."""


@dataclass
class _Seen:
    """What has been sent to a console."""

    last: int = -1
    sender: Endpoint | None = None
    may_jump: bool = False
    """It has ordered that the stream go back."""
    silent: bool = False
    """It was told that nothing is sent."""
    fast: FastRun | None = None
    """What it is sent at another speed; None: at the program's own."""


class StreamWitness:
    """Sees every media datagram as it is sent: to each console packets go in order, each once, and none in a pause.

    Two senders of one stream, or a packet that is sent again, would break that order. Back it goes when a console has
    ordered that, once, and to where a segment begins; and at another speed it is sent when that was ordered.
    """

    def __init__(self, stage: Stage, fail: Callable[[SimulationError], None], rate_bps: int) -> None:
        """`rate_bps` is that of all programs. `fail` ends the run: an exception would end up with the engine whose
        packet is looked at."""
        self._engines = {blade.address.host for blade in stage.plan.blades}
        self._fail = fail
        self._rate_bps = rate_bps
        self._seen: defaultdict[Endpoint, _Seen] = defaultdict(_Seen)
        self.begins: frozenset[int] = frozenset()
        """The packets with which segments begin."""
        self.jumps = 0
        """How often a stream went back."""
        self.skipped = 0
        """Packets that were never sent: given up when a sender was lost, and not leapt over by a console."""
        self.hand_overs = 0
        self.speeds = 0
        """How often a stream came to another speed than the program's own."""

    def see(self, source: Endpoint, target: Endpoint, datagrams: Sequence[bytes]) -> None:
        """Datagrams of one call."""
        if source[0] not in self._engines:
            return
        for datagram in datagrams:
            seen = self._seen[target]
            if seen.silent:
                self._fail(Violated(f"{source[0]} sent to {target}, which was told that it is paused"))
            numbers = packet_numbers(datagram)
            if numbers is None:
                self._see_fast(seen, source, target, datagram)
            for number in numbers or ():
                self._see_packet(seen, source, target, number)
            self.hand_overs += seen.sender not in (None, source)
            seen.sender = source

    def _see_fast(self, seen: _Seen, source: Endpoint, target: Endpoint, datagram: bytes) -> None:
        if seen.fast is None:
            if not seen.may_jump:
                self._fail(Violated(f"{source[0]} sent to {target} at another speed, and nobody had ordered that"))
            seen.fast, seen.may_jump = FastRun(self._rate_bps), False
            self.speeds += 1
        for at in range(0, len(datagram), TS_PACKET_BYTES):
            skipped = seen.fast.see(datagram[at : at + TS_PACKET_BYTES])
            if skipped < 0 and seen.may_jump:
                seen.fast, seen.may_jump = FastRun(self._rate_bps), False
                self.speeds += 1
            elif skipped < 0:
                sender = (seen.sender or source)[0]
                self._fail(
                    Violated(f"{source[0]} sent packets to {target} at another speed again, or {sender} had, too")
                )
            elif not seen.may_jump:
                self.skipped += skipped

    def _see_packet(self, seen: _Seen, source: Endpoint, target: Endpoint, number: int) -> None:
        if seen.fast:
            seen.fast, seen.last = None, number
            self._go_back(seen, source, target, number)
        elif number <= seen.last:
            self._go_back(seen, source, target, number)
        elif not (seen.may_jump and number in self.begins):
            self.skipped += number - seen.last - 1
        seen.last = number

    def _go_back(self, seen: _Seen, source: Endpoint, target: Endpoint, number: int) -> None:
        if not (seen.may_jump and number in self.begins):
            sender = (seen.sender or source)[0]
            sentence = f"{source[0]} sent packet {number} to {target} after {sender} had sent packet {seen.last}"
            self._fail(Violated(sentence))
        seen.may_jump = False
        self.jumps += 1

    def expect_jump(self, console: Endpoint) -> None:
        """It orders that its stream go on elsewhere."""
        self._seen[console].may_jump = True

    def expect_silence(self, console: Endpoint) -> None:
        """It was told that its stream is paused."""
        self._seen[console].silent = True

    def expect_stream(self, console: Endpoint) -> None:
        """It orders that its stream go on."""
        seen = self._seen[console]
        seen.silent = False
        # After a pause a stream goes on at the program's own speed.
        seen.may_jump |= seen.fast is not None


class RegistryWitness:
    """Compares the registry with the disks: it lists what no power cut can take, and in the calm all that they hold."""

    def __init__(self, stage: Stage, cut: Cut, contents: Sequence[bytes], center: CenterPlan | None = None) -> None:
        """`center` is whose registry it is: that of the headquarters if none is named."""
        center = center or stage.plan.center
        blades = {each.known_as: each.blades for each in stage.plan.chassis if each.center_name == center.center}
        self._stations = sorted(blades)
        self._contents = contents
        self._program = cut.program
        folder = f"{cut.program}.{cut.table}"
        names = [f"{number}.{len(content)}.{sha256(content).hexdigest()}.ts" for number, content in enumerate(contents)]
        self._places = {
            (station, number): [
                (stage.disks[blade.name], channel / folder / name)
                for blade in blades[station]
                for channel in blade.channels
            ]
            for station in self._stations
            for number, name in enumerate(names)
        }
        """Where a station may hold a segment."""
        self._registry = SqliteRepository.open(registry_path(center))

    async def look(self) -> None:
        """At any moment. Raises Violated when it lists what is not durable, but at a station that has leave to delete
        it: that is listed until it has said that it is done, and counts for nobody."""
        leave = {row.station for row in await self._registry.deletions() if row.state is DeletionState.GRANTED}
        for station, segments in (await self._registry.locations(self._program)).items():
            if station in leave:
                continue
            for segment in segments:
                if not self._durable(station, segment):
                    raise Violated(f"the registry lists segment {segment} at {station}; no disk there holds it safely")

    def look_for_all(self) -> None:
        """At any moment at which the program is not withdrawn. Raises Violated when a segment is on no disk."""
        for segment in range(len(self._contents)):
            if not any(self._durable(station, segment) for station in self._stations):
                raise Violated(f"no disk of any station holds segment {segment} any more")

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
            counted = await self._registry.held_at(self._program, station, copies)
            if counted != len(there):
                raise Violated(
                    f"the registry counts {copies} copies of {counted} segments at {station}, and not of all"
                )

    def _durable(self, station: str, segment: int) -> bool:
        return self._copies(station, segment) > 0

    def _copies(self, station: str, segment: int) -> int:
        content = self._contents[segment]
        return sum(disk.durable_content(path) == content for disk, path in self._places[station, segment])
