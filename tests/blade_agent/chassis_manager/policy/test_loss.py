"""When a blade counts as lost: never while it answers in time, soon when it does not, and not for noise."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import Request
from blade_agent.backplane.messages.heartbeat import GET_HEARTBEAT
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.line_quality import LineQuality
from blade_agent.chassis_manager.slots.slot import Slot
from tests.blade_agent.chassis_manager.policy.heartbeats import HEARTBEAT

TIMING = Timing()
M = HotSwapState
HEARTBEAT_DATA = GET_HEARTBEAT.reply_data(HEARTBEAT)


class Wire:
    """A slot and a blade that answers each request after a while, or never again from some time on."""

    def __init__(self, delays, leads=True):
        self.slot = Slot(1, 0, TIMING)
        self.slot.leads = leads
        self.delays = delays
        self.now = 0.0
        self.silent_from = float("inf")
        self.answers = []
        self.states = []

    def run(self, until, noise_every=None):
        next_noise = 0.0 if noise_every else float("inf")
        while True:
            soonest = min([self.slot.due, next_noise, *(at for at, _ in self.answers)])
            if soonest > until:
                self.now = until
                return
            self.now = max(self.now, soonest)
            if noise_every and next_noise <= self.now:
                self.slot.noise(1, self.now)
                next_noise += noise_every
            for at, response in [entry for entry in self.answers if entry[0] <= self.now]:
                self.answers.remove((at, response))
                self.slot.receive(response, self.now)
            request = self.slot.tick(self.now)
            if isinstance(request, Request) and self.now < self.silent_from:
                self._answer(request)
            self.states.append((self.now, self.slot.hot_swap))

    def _answer(self, request):
        if (request.net_fn, request.command) == (0x2E, 0x11):
            response = request.respond(0, HEARTBEAT_DATA)
        else:
            response = request.respond(0xC1)
        self.answers.append((self.now + next(self.delays), response))

    def ran(self):
        return {state for _, state in self.states}


@given(st.lists(st.floats(0.001, TIMING.patience_s - 0.001), min_size=5, max_size=40), st.booleans())
def test_a_blade_that_answers_in_time_is_never_lost(delays, leads):
    wire = Wire(iter(delays + [0.01] * 10_000), leads)
    wire.run(10.0)
    assert wire.ran() <= {M.M0_NOT_INSTALLED, M.M4_ACTIVE}


@given(st.floats(2.0, 4.0))
def test_a_director_that_falls_silent_is_found_lost_in_time(at):
    wire = Wire(iter([0.01] * 10_000))
    wire.silent_from = at
    wire.run(at + 5)
    lost_at = next(when for when, state in wire.states if state is M.M7_COMMUNICATION_LOST)
    assert lost_at - at <= TIMING.director_heartbeat_s + TIMING.patience_s + 0.02 < 0.9
    assert lost_at - at >= TIMING.patience_s - 0.02


@pytest.mark.parametrize("busy_s", [0.1, 0.3, 0.5])
@given(st.floats(2.0, 3.0))
def test_a_blade_that_is_busy_for_a_moment_is_not_lost(busy_s, at):
    wire = Wire(iter(()))

    def delays():
        while True:
            yield max(0.005, at + busy_s - wire.now) if at <= wire.now < at + busy_s else 0.005

    wire.delays = delays()
    wire.run(at + 3)
    assert M.M7_COMMUNICATION_LOST not in wire.ran()


def test_a_line_that_hangs_up_is_looked_into_at_once():
    wire = Wire(iter([0.005] * 10_000), leads=False)
    wire.run(3.01)
    wire.silent_from = wire.now
    wire.slot.line_closed(wire.now)
    wire.run(6)
    lost_at = next(when for when, state in wire.states if state is M.M7_COMMUNICATION_LOST)
    assert lost_at - 3.01 < 0.45


def test_a_line_that_hung_up_and_came_back_costs_nothing():
    wire = Wire(iter([0.005] * 10_000))
    wire.run(3.01)
    wire.slot.line_closed(wire.now)
    wire.slot.line_opened()
    wire.run(6)
    assert M.M7_COMMUNICATION_LOST not in wire.ran()


@settings(max_examples=30)
@given(st.integers(1, 22))
def test_on_a_noisy_line_silence_says_less(swallowed):
    """So many answers in a row are destroyed, while the noise that does it is heard."""
    answered = iter([0.01] * 12 + [1e9] * swallowed + [0.01] * 10_000)
    wire = Wire(answered)
    wire.run(12, noise_every=0.3)
    assert M.M7_COMMUNICATION_LOST not in wire.ran()


def test_a_blade_that_is_gone_is_found_lost_through_all_noise():
    wire = Wire(iter([0.01] * 10_000))
    wire.run(4, noise_every=0.1)
    wire.silent_from = wire.now
    wire.run(8, noise_every=0.1)
    assert wire.slot.hot_swap is M.M7_COMMUNICATION_LOST


def test_a_crackle_is_not_noise_and_noise_is_forgotten():
    quality = LineQuality()
    quality.note(1, 1.0)
    quality.note(1, 1.1)
    assert not quality.noisy(1.1)
    quality.note(1, 1.2)
    assert quality.noisy(1.2)
    assert quality.noisy(20.0), "a heartbeat a second says little of a line"
    assert not quality.noisy(21.3)
    quality.note(50, 30.0)
    assert quality.noisy(30.0)


def test_a_chassis_under_a_storm_of_noise_loses_no_director(bench):
    chassis = bench(seed=5)
    chassis.run_until(lambda: chassis.served_by(1), 3)
    chassis.noise = 0.3
    chassis.run(60)
    assert chassis.kept_epochs == [1]
    assert all(blade.blade.frame_faults + blade.blade.message_faults for blade in chassis.blades.values())


def test_take_over_after_a_surprise_pull_at_any_moment(bench):
    took_s = []
    for seed in range(20):
        chassis = bench(seed=seed)
        chassis.run_until(lambda chassis=chassis: chassis.served_by(1), 3)
        chassis.run(2 + seed / 20)
        chassis.crash_blade(1)
        took_s.append(chassis.run_until(lambda chassis=chassis: chassis.served_by(2), 5))
    took_s.sort()
    assert took_s[-1] < 1.0
    assert took_s[len(took_s) // 2] < 0.9
