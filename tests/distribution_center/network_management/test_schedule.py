"""When which agent is polled."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from distribution_center.network_management.schedule import PollSchedule


def polls(schedule, until, step=0.5, takes=0.1, begin=0.0):
    """Carry polls out as they come due; gives pairs of time and agent."""
    made, under_way, now = [], [], begin
    while now <= until:
        for at, agent in [each for each in under_way if each[0] <= now]:
            schedule.done(agent, at)
            under_way.remove((at, agent))
        while (agent := schedule.take_due(now)) is not None:
            made.append((now, agent))
            under_way.append((now + takes, agent))
        now += step
    return made


def test_a_thousand_agents_are_spread_over_the_interval():
    agents = {f"chassis-{number}" for number in range(1000)}
    schedule = PollSchedule(60.0)
    schedule.watch(agents, 0.0)
    made = polls(schedule, 300.0, step=1.0)
    settled = [(at, agent) for at, agent in made if at > 60.0]
    assert Counter(agent for _, agent in settled) == dict.fromkeys(agents, 4)
    a_second = Counter(at for at, _ in settled)
    assert max(a_second.values()) < 40  # 16.7 on average


def test_an_agent_that_spoke_is_polled_at_once_and_again_if_it_was_being_polled():
    schedule = PollSchedule(60.0)
    schedule.watch({"north"}, 0.0)
    assert schedule.take_due(0.0) == "north"
    schedule.hurry("north", 0.5)
    assert schedule.take_due(0.6) is None
    schedule.done("north", 1.0)
    assert schedule.take_due(1.0) == "north"
    schedule.done("north", 1.1)
    assert schedule.take_due(1.2) is None
    schedule.hurry("north", 2.0)
    schedule.hurry("nobody", 2.0)
    assert schedule.take_due(2.0) == "north"
    assert schedule.take_due(2.0) is None


def test_one_that_is_gone_is_polled_no_more():
    schedule = PollSchedule(10.0)
    schedule.watch({"north", "south"}, 0.0)
    assert schedule.take_due(0.0) == "north"
    schedule.watch({"south"}, 0.0)
    schedule.done("north", 1.0)
    assert {agent for _, agent in polls(schedule, 50.0)} == {"south"}
    schedule.watch(set(), 50.0)
    assert schedule.next_at() is None or schedule.next_at() > 50.0


@given(st.lists(st.tuples(st.sampled_from(["watch", "hurry", "take", "done"]), st.sampled_from("abc")), max_size=60))
def test_no_agent_is_polled_twice_at_a_time(events):
    schedule, under_way, watched = PollSchedule(10.0), set(), set()
    for now, (event, agent) in enumerate(events):
        if event == "watch":
            watched ^= {agent}
            schedule.watch(set(watched), float(now))
        elif event == "hurry":
            schedule.hurry(agent, float(now))
        elif event == "take":
            taken = schedule.take_due(float(now))
            assert taken is None or taken not in under_way
            assert taken is None or taken in watched
            under_way |= {taken} - {None}
        elif agent in under_way:
            under_way.discard(agent)
            schedule.done(agent, float(now))
