"""How much goes wrong in a run: a plan says how often, a seed says when and to whom."""

import random
from collections.abc import Callable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.faults import (
    BadLink,
    CutWire,
    FailedDisk,
    Hung,
    Killed,
    NoisyWire,
    Partitioned,
    PowerCut,
    SlowDisk,
    TimedFault,
)

PerMinute = Annotated[float, Meta(ge=0)]
Span = tuple[float, float]
"""Seconds, shortest and longest."""


class FaultPlan(Struct, frozen=True, kw_only=True):
    """How often each thing goes wrong between two moments, and for how long. The default is that nothing does."""

    hosts: tuple[str, ...]
    """Addresses of those that may crash and be cut off."""
    wires: tuple[str, ...] = ()
    disks: tuple[str, ...] = ()
    from_s: float = 0.0
    until_s: float = 60.0
    kills_per_minute: PerMinute = 0.0
    power_cuts_per_minute: PerMinute = 0.0
    hangs_per_minute: PerMinute = 0.0
    partitions_per_minute: PerMinute = 0.0
    bad_links_per_minute: PerMinute = 0.0
    noisy_wires_per_minute: PerMinute = 0.0
    cut_wires_per_minute: PerMinute = 0.0
    slow_disks_per_minute: PerMinute = 0.0
    failed_disks_per_minute: PerMinute = 0.0
    down_s: Span = (0.5, 10.0)
    trouble_s: Span = (0.5, 5.0)
    one_way: float = 0.2
    """How many of the partitions are one-way, of 1."""
    worst_latency_s: float = 0.5
    worst_loss: float = 0.3
    worst_bit_error_rate: float = 0.01
    worst_slowness: float = 100.0

    def draw(self, rng: random.Random) -> list[TimedFault]:
        """Faults in the order of their moments."""
        faults: list[TimedFault] = []
        for per_minute, victims, draw in self._kinds():
            at_s = self.from_s
            while per_minute and victims:
                at_s += rng.expovariate(per_minute / 60)
                if at_s >= self.until_s:
                    break
                faults.append(draw(rng, at_s))
        return sorted(faults, key=lambda fault: fault.at_s)

    def _kinds(self) -> list[tuple[float, Sequence[str], Callable[[random.Random, float], TimedFault]]]:
        return [
            (self.kills_per_minute, self.hosts, self._killed),
            (self.power_cuts_per_minute, self.hosts, self._power_cut),
            (self.hangs_per_minute, self.hosts, self._hung),
            (self.partitions_per_minute, self.hosts, self._partitioned),
            (self.bad_links_per_minute, self.hosts[1:], self._bad_link),
            (self.noisy_wires_per_minute, self.wires, self._noisy_wire),
            (self.cut_wires_per_minute, self.wires, self._cut_wire),
            (self.slow_disks_per_minute, self.disks, self._slow_disk),
            (self.failed_disks_per_minute, self.disks, self._failed_disk),
        ]

    def _killed(self, rng: random.Random, at_s: float) -> TimedFault:
        return Killed(at_s=at_s, for_s=rng.uniform(*self.down_s), host=rng.choice(self.hosts))

    def _power_cut(self, rng: random.Random, at_s: float) -> TimedFault:
        return PowerCut(at_s=at_s, for_s=rng.uniform(*self.down_s), host=rng.choice(self.hosts))

    def _hung(self, rng: random.Random, at_s: float) -> TimedFault:
        return Hung(at_s=at_s, for_s=rng.uniform(*self.trouble_s), host=rng.choice(self.hosts))

    def _partitioned(self, rng: random.Random, at_s: float) -> TimedFault:
        hosts = rng.sample(self.hosts, rng.randint(1, max(1, len(self.hosts) // 2)))
        return Partitioned(
            at_s=at_s,
            for_s=rng.uniform(*self.trouble_s),
            hosts=tuple(hosts),
            one_way=rng.random() < self.one_way,
        )

    def _bad_link(self, rng: random.Random, at_s: float) -> TimedFault:
        one, other = rng.sample(self.hosts, 2)
        slowest_s = rng.uniform(0.001, self.worst_latency_s)
        conditions = Conditions(
            latency_s=(slowest_s / 10, slowest_s),
            loss=rng.uniform(0, self.worst_loss),
            duplication=rng.uniform(0, self.worst_loss),
            reordering=rng.uniform(0, self.worst_loss),
            splitting=rng.random(),
        )
        return BadLink(at_s=at_s, for_s=rng.uniform(*self.trouble_s), hosts=(one, other), conditions=conditions)

    def _noisy_wire(self, rng: random.Random, at_s: float) -> TimedFault:
        return NoisyWire(
            at_s=at_s,
            for_s=rng.uniform(*self.trouble_s),
            wire=rng.choice(self.wires),
            bit_error_rate=rng.uniform(0, self.worst_bit_error_rate),
        )

    def _cut_wire(self, rng: random.Random, at_s: float) -> TimedFault:
        return CutWire(at_s=at_s, for_s=rng.uniform(*self.trouble_s), wire=rng.choice(self.wires))

    def _slow_disk(self, rng: random.Random, at_s: float) -> TimedFault:
        return SlowDisk(
            at_s=at_s,
            for_s=rng.uniform(*self.trouble_s),
            disk=rng.choice(self.disks),
            slowness=rng.uniform(1, self.worst_slowness),
        )

    def _failed_disk(self, rng: random.Random, at_s: float) -> TimedFault:
        return FailedDisk(at_s=at_s, for_s=rng.uniform(*self.trouble_s), disk=rng.choice(self.disks))
