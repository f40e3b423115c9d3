"""A scenario file in virtual time: the same faults, at the same moments, and the same run for the same seed."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from chassis_emulator.data import scenarios
from chassis_emulator.faults.kinds import Crash, FanFailure, Hang, LostFrames, Noise, StuckLine
from chassis_emulator.scenario.reader import find_scenario, read_scenario
from chassis_emulator.scenario.steps import EndFaultsStep, FaultStep, InsertStep, PullStep, Scenario
from chassis_emulator.simulation.cli import main
from chassis_emulator.simulation.faults import Killed, schedule
from chassis_emulator.simulation.scenario import HungHost, PulledBlade, TroubledWire, faults_of, unplayed
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.simulation.story import TOPOLOGY, tell
from chassis_emulator.topology.plan import plan_network

PLAN = plan_network(TOPOLOGY, Path("/state"))


def faults(*steps):
    return faults_of(Scenario(name="lab", steps=steps), PLAN, 100.0)


def spans(*steps):
    return [(type(fault), fault.at_s, fault.at_s + fault.for_s) for fault in faults(*steps)]


def test_faults_begin_and_end_when_the_file_says():
    crash = Crash(target="north/2")
    assert spans(FaultStep(at=1, fault=crash, for_s=2), EndFaultsStep(at=9)) == [(Killed, 101.0, 103.0)]
    assert spans(FaultStep(at=1, fault=crash), EndFaultsStep(at=4), EndFaultsStep(at=9)) == [(Killed, 101.0, 104.0)]
    named = FaultStep(at=1, fault=crash, name="mine")
    assert spans(named, EndFaultsStep(at=4, name="other"), EndFaultsStep(at=9, name="mine")) == [(Killed, 101.0, 109.0)]
    assert spans(named, PullStep(at=7, target="north/3")) == [(Killed, 101, 107), (PulledBlade, 107, 107.001)]
    pulled = (PullStep(at=1, target="north/3"), InsertStep(at=2, target="north/2"), InsertStep(at=5, target="north/3"))
    assert spans(*pulled) == [(PulledBlade, 101.0, 105.0)]


def test_a_station_as_target_is_each_of_its_slots():
    assert [fault.wire for fault in faults(FaultStep(at=0, fault=StuckLine(target="north")))] == [
        f"north/{slot}" for slot in range(1, 5)
    ]
    (hung,) = faults(FaultStep(at=0, fault=Hang(target="north/manager")))
    assert (type(hung), hung.host) == (HungHost, "127.1.2.254")


def test_what_is_not_simulated_is_named():
    scenario = Scenario(name="lab", steps=(FaultStep(at=0, fault=FanFailure(target="north/2")), EndFaultsStep(at=1)))
    assert unplayed(scenario) == ("fan-failure at north/2",)
    assert faults(*scenario.steps) == []


def carried(*troubles):
    """What comes of 200 frames on a wire that has these troubles for the second half of them."""
    with Simulation(7) as simulation:
        wire, got = simulation.wire("north/3", 921_600), bytearray()
        wire.open(1).attach(got.extend)
        end = wire.open(0)
        for trouble in troubles:
            schedule(simulation, [TroubledWire(at_s=1.0, for_s=1.0, wire="north/3", trouble=trouble)])
        for number in range(200):
            simulation.links.at(number / 100 + 0.005, end.write, b"\xa0%04d\xa5" % number)
        simulation.run(until_s=3.0)
        return bytes(got)


def test_a_simulated_wire_has_the_same_troubles_as_a_real_line():
    whole = b"".join(b"\xa0%04d\xa5" % number for number in range(200))
    assert carried() == whole
    lost = carried(LostFrames(target="north/3", share=0.5))
    assert lost.startswith(whole[:600])
    assert 120 < lost.count(b"\xa5") < 180
    assert carried(StuckLine(target="north/3")) == whole[:600]
    noisy = carried(Noise(target="north/3", bit_error_rate=0.01))
    assert len(noisy) == len(whole)
    assert noisy[:600] == whole[:600]
    assert 10 < sum(one != other for one, other in zip(noisy, whole, strict=True)) < 120
    assert noisy == carried(Noise(target="north/3", bit_error_rate=0.01)), "chance follows the run's seed"


def test_pulled_blades_break_no_promise_and_the_run_repeats_from_its_seed():
    scenario = read_scenario(find_scenario("pulled-blades"))
    first = tell(2, scenario)
    assert first == tell(2, scenario)
    assert first.faults == len(faults_of(scenario, PLAN, 0.0)) == 4


@pytest.mark.parametrize("name", scenarios())
def test_every_example_fits_the_story(name):
    assert faults_of(read_scenario(find_scenario(name)), PLAN, 5.0) is not None


def test_a_scenario_for_another_network_is_refused(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text("name: other\nsteps: [{at: 1, action: pull, target: west/1}]")
    result = CliRunner().invoke(main, ["--scenario", str(path)])
    assert result.exit_code == 1
    assert "'west/1' is not a slot; there are: home/1" in result.stderr
