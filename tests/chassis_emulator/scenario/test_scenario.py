"""Scenario files and their timeline, without any network."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_emulator.data import scenarios
from chassis_emulator.faults.kinds import Noise, OverTemperature
from chassis_emulator.faults.targets import Targets
from chassis_emulator.scenario.reader import ScenarioError, find_scenario, read_scenario
from chassis_emulator.scenario.steps import EndFaultsStep, FaultStep, InsertStep, PullStep, Scenario
from chassis_emulator.scenario.timeline import Timeline
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import find_topology, read_topology

CRASH = "{at: 1, action: fault, kind: crash, target: n, name: x}"
PLAN = plan_network(read_topology(find_topology("two-stations")), Path("/state"))


def read(tmp_path, text):
    path = tmp_path / "scenario.yaml"
    path.write_text(text)
    return read_scenario(path)


@pytest.mark.parametrize("name", scenarios())
def test_examples_play_on_the_default_network_and_end_with_nothing_broken(name):
    scenario = read_scenario(find_scenario(name))
    assert scenario.name == name
    targets = Targets(PLAN)
    for step in scenario.steps:
        if isinstance(step, FaultStep):
            targets.befallen(step.fault)
        elif not isinstance(step, EndFaultsStep):
            targets.blade(step.target)
    assert isinstance(scenario.steps[-1], EndFaultsStep)
    pulled = {step.target for step in scenario.steps if isinstance(step, PullStep)}
    assert pulled == {step.target for step in scenario.steps if isinstance(step, InsertStep)}


def test_there_are_examples():
    assert {"warm-evening", "pulled-blades", "noisy-backplane"} <= set(scenarios())


def test_steps_are_read_with_all_their_facts(tmp_path):
    scenario = read(
        tmp_path,
        """
name: lab
steps:
  - {at: 5, action: clear, name: hiss}
  - {at: 2.5, action: fault, kind: noise, target: north/3, bit_error_rate: 0.01, seed: 7, for: 30, name: hiss}
  - {at: 1, action: fault, kind: over-temperature, target: north, rise_k: 40}
  - {at: 3, action: pull, target: north/2, surprise: true}
""",
    )
    assert scenario.steps == (
        FaultStep(at=1, fault=OverTemperature(target="north", rise_k=40.0)),
        FaultStep(at=2.5, fault=Noise(target="north/3", bit_error_rate=0.01, seed=7), for_s=30.0, name="hiss"),
        PullStep(at=3, target="north/2", surprise=True),
        EndFaultsStep(at=5, name="hiss"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must be a mapping with the keys name, steps"),
        ("name: a\nsteps: []", "steps must be a list with at least one entry"),
        ("steps: [{at: 1, action: clear}]", "name is missing"),
        (
            "name: a\nsteps: [{at: 1, action: dance}]",
            "steps[0].action is 'dance'; it must be one of fault, clear, pull",
        ),
        ("name: a\nsteps: [{at: 1}]", "steps[0].action is missing"),
        ("name: a\nsteps: [{action: clear}]", "steps[0].at is missing"),
        ("name: a\nsteps: [{at: -1, action: clear}]", "steps[0].at is -1; it must be seconds, from 0 to 86400"),
        ("name: a\nsteps: [{at: 1, action: pull, target: north}]", "steps[0].target is 'north'; it must be a slot"),
        (
            "name: a\nsteps: [{at: 1, action: pull, target: n/1, surprise: 3}]",
            "surprise is 3; it must be true or false",
        ),
        (
            "name: a\nsteps: [{at: 1, action: power, target: n/1, power: up}]",
            "power is 'up'; it must be on, off or cycle",
        ),
        (
            "name: a\nsteps: [{at: 1, action: fault, kind: rain, target: n}]",
            "steps[0].kind is 'rain'; it must be one of",
        ),
        ("name: a\nsteps: [{at: 1, action: fault, kind: noise}]", "steps[0].target is missing"),
        (
            "name: a\nsteps: [{at: 1, action: fault, kind: noise, target: n, bit_error_rate: 3}]",
            "steps[0].bit_error_rate is 3; it must be a number",
        ),
        (
            "name: a\nsteps: [{at: 1, action: fault, kind: crash, target: n, share: 1}]",
            "steps[0].share is not a key of a scenario; here are: at, action, kind, for, name, target",
        ),
        ("name: a\nsteps: [{at: 1, at: 2, action: clear}]", "the key 'at' stands twice"),
        ("name: a\nsteps: [{at: 1, action: clear, name: x}]", "is 'x', but no fault of that name begins before"),
        (
            f"name: a\nsteps: [{CRASH}, {CRASH}]",
            "steps[1].name is 'x', as that of another fault already is",
        ),
        ("name: [", "is not YAML"),
    ],
)
def test_errors_name_the_key_and_what_it_may_be(tmp_path, text, sentence):
    with pytest.raises(ScenarioError) as error:
        read(tmp_path, text)
    assert sentence in str(error.value)
    assert error.value.hint


def test_what_is_not_there_is_said_with_what_is():
    with pytest.raises(ScenarioError, match=r"no such file, and no example of that name .*warm-evening"):
        find_scenario("cold-evening")


@given(st.lists(st.floats(0, 100), max_size=20), st.lists(st.floats(0, 20), max_size=30))
def test_every_step_is_given_once_in_its_order_and_never_early(moments, pauses):
    timeline = Timeline(Scenario(name="any", steps=tuple(EndFaultsStep(at=at) for at in moments)))
    now, given_steps = 0.0, []
    for pause in [*pauses, 100.0]:
        now += pause
        at = timeline.next_at
        due = timeline.due(now)
        assert bool(due) == (at is not None and at <= now)
        assert all(step.at <= now for step in due)
        given_steps += due
    assert [step.at for step in given_steps] == sorted(moments)
    assert timeline.next_at is None
    assert timeline.next_step is None
