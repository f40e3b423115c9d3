"""Faults: drawn from a plan and a seed, struck and healed at their moments."""

import random
from itertools import pairwise
from pathlib import Path

import pytest

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.fault_plan import FaultPlan
from chassis_emulator.simulation.faults import (
    BadLink,
    CutWire,
    FailedDisk,
    Killed,
    NoisyWire,
    Partitioned,
    PowerCut,
    SlowDisk,
    TimedFault,
    schedule,
)
from chassis_emulator.simulation.simulation import ONLOOKER, Simulation

HOSTS = ("127.1.1.1", "127.1.1.2", "127.1.1.3")
PLAN = FaultPlan(
    hosts=HOSTS,
    wires=("slot 1",),
    disks=("disk 1",),
    from_s=10,
    until_s=610,
    kills_per_minute=1,
    power_cuts_per_minute=2,
    partitions_per_minute=3,
    bad_links_per_minute=4,
    noisy_wires_per_minute=5,
    cut_wires_per_minute=6,
    slow_disks_per_minute=7,
    failed_disks_per_minute=8,
)


def test_a_plan_draws_every_kind_at_its_rate_in_order_and_in_time():
    faults = PLAN.draw(random.Random(1))
    assert all(10 <= one.at_s <= other.at_s < 610 for one, other in pairwise(faults))
    kinds = [Killed, PowerCut, Partitioned, BadLink, NoisyWire, CutWire, SlowDisk, FailedDisk]
    for per_minute, kind in enumerate(kinds, 1):
        assert sum(isinstance(fault, kind) for fault in faults) == pytest.approx(per_minute * 10, rel=0.6)


def test_the_same_seed_draws_the_same_faults():
    assert PLAN.draw(random.Random(1)) == PLAN.draw(random.Random(1)) != PLAN.draw(random.Random(2))


def test_a_plan_without_victims_or_rates_draws_nothing():
    assert FaultPlan(hosts=HOSTS).draw(random.Random(1)) == []
    assert FaultPlan(hosts=(), kills_per_minute=9, noisy_wires_per_minute=9).draw(random.Random(1)) == []


def is_up(simulation: Simulation) -> bool:
    return simulation.host(HOSTS[0]).boot is not None


def is_cut(simulation: Simulation) -> bool:
    links, host, onlooker = simulation.links, simulation.host(HOSTS[0]), simulation.host(ONLOOKER)
    return links.is_cut(host, onlooker)


@pytest.mark.parametrize(
    ("fault", "look", "well", "struck"),
    [
        (Killed(at_s=1, for_s=2, host=HOSTS[0]), is_up, True, False),
        (PowerCut(at_s=1, for_s=2, host=HOSTS[0]), is_up, True, False),
        (Partitioned(at_s=1, for_s=2, hosts=HOSTS[:1], one_way=True), is_cut, False, True),
        (Partitioned(at_s=1, for_s=2, hosts=HOSTS[:1], one_way=False), is_cut, False, True),
        (
            BadLink(at_s=1, for_s=2, hosts=HOSTS[:2], conditions=Conditions(loss=0.5)),
            lambda simulation: simulation.links.conditions(*map(simulation.host, HOSTS[:2])).loss,
            0.0,
            0.5,
        ),
        (
            NoisyWire(at_s=1, for_s=2, wire="slot 1", bit_error_rate=0.5),
            lambda simulation: simulation.wires["slot 1"].bit_error_rate,
            0.0,
            0.5,
        ),
        (
            CutWire(at_s=1, for_s=2, wire="slot 1"),
            lambda simulation: simulation.wires["slot 1"].is_cut,
            False,
            True,
        ),
        (
            SlowDisk(at_s=1, for_s=2, disk="disk 1", slowness=9),
            lambda simulation: simulation.disks["disk 1"].slowness,
            1.0,
            9.0,
        ),
        (
            FailedDisk(at_s=1, for_s=2, disk="disk 1"),
            lambda simulation: simulation.disks["disk 1"].failure is None,
            True,
            False,
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, TimedFault) else "",
)
def test_a_fault_strikes_and_heals(fault, look, well, struck):
    async def idle() -> None:
        pass

    with Simulation(1) as simulation:
        for address in HOSTS:
            simulation.start(simulation.host(address), idle)
        simulation.wire("slot 1")
        simulation.disk("disk 1", simulation.host(HOSTS[0]), Path("/store"))
        schedule(simulation, [fault])
        seen = []
        for until_s in (0.5, 2.0, 4.0):
            simulation.run(until_s=until_s)
            seen.append(look(simulation))
    assert seen == [well, struck, well]


def test_a_host_that_is_down_already_is_not_struck_again_and_boots_once():
    async def idle() -> None:
        pass

    with Simulation(1) as simulation:
        host = simulation.host(HOSTS[0])
        simulation.start(host, idle)
        schedule(simulation, [Killed(at_s=1, for_s=3, host=HOSTS[0]), PowerCut(at_s=2, for_s=1, host=HOSTS[0])])
        simulation.run(until_s=3.5)
        assert host.boot is None
        simulation.run(until_s=5)
        assert len(host.boots) == 2
