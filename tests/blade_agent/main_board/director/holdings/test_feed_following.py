"""A director hears of a change when it happens; and still, a little later, where it cannot wait for it."""

import asyncio

from blade_agent.main_board.director.holdings.feed_following import WAIT_S
from media_network.messages.program_information import ASK_CHANGES, AskChanges
from media_network.messages.registry import RegisterStation
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.scripted_center import stage_with_center
from tests.blade_agent.main_board.director.stage import INTERVALS, program_of

FILM = program_of()
REGISTRATION_S = INTERVALS.registration_ms / 1000
A_MOMENT_S = 0.1
ANSWER_WITHIN_S = 3.0
"""Or whoever asks tries it later."""
SETTLED_S = 5.0


def told(story, up=True):
    with stage_with_center({2: "0-3"}, [FILM], up) as (world, center):
        world.tell(lambda: story(world, center))


def now_s():
    return asyncio.get_running_loop().time()


async def knows(world, version):
    """How long it takes until the director knows of a change."""
    began_s = now_s()
    while world.director._catalogue.heard < version:
        assert now_s() < began_s + 100.0
        await asyncio.sleep(0.005)
    return now_s() - began_s


def waiting(center):
    return [question for question in center.of(AskChanges) if question.wait_ms]


def test_a_change_is_known_in_a_moment():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        for version in range(2, 8):
            await asyncio.sleep(0.37)
            center.add(program_of(name=f"film-{version}", version=version))
            assert await knows(world, version) < A_MOMENT_S

    told(story)


def test_while_nothing_changes_one_question_waits_and_no_other_is_asked():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        asked = len(center.of(AskChanges))
        await asyncio.sleep(4 * WAIT_S)
        assert 3 <= len(center.of(AskChanges)) - asked <= 5
        assert all(question.since == 1 for question in waiting(center))

    told(story)


def test_a_center_that_lets_nobody_wait_is_asked_when_it_says_that_there_is_something():
    async def story(world, center):
        center.lets_wait = False
        await asyncio.sleep(SETTLED_S + WAIT_S)
        asked = len(center.of(AskChanges))
        center.add(program_of(name="epic", version=2))
        assert await knows(world, 2) < REGISTRATION_S + A_MOMENT_S
        assert len(center.of(AskChanges)) == asked + 1
        await asyncio.sleep(200.0)
        assert len(center.of(AskChanges)) < asked + 7, "who cannot wait does not ask on and on"

    told(story)


def test_a_question_that_is_lost_is_as_late_as_a_registration():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        center.slow = {ASK_CHANGES: 1000.0}  # those that wait are not answered any more
        center.add(program_of(name="gala", version=2))
        assert await knows(world, 2) < A_MOMENT_S, "this one was asked before"
        center.add(program_of(name="epic", version=3))
        await asyncio.sleep(A_MOMENT_S)
        center.slow = {}
        assert await knows(world, 3) < ANSWER_WITHIN_S + REGISTRATION_S + A_MOMENT_S

    told(story)


def test_a_center_that_comes_back_is_followed_again():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        world.simulation.crash(center.host)
        await asyncio.sleep(100.0)
        asked = len(center.of(AskChanges))
        assert asked < 10, "a center that is away is not asked on and on"
        world.simulation.restart(center.host)
        await asyncio.sleep(2 * REGISTRATION_S + 1.0)
        center.add(program_of(name="epic", version=2))
        assert await knows(world, 2) < A_MOMENT_S

    told(story)


def test_a_center_that_turns_one_away_when_it_ends_is_waited_at_again():
    async def story(world, center):
        center.turns_away = 1
        await asyncio.sleep(SETTLED_S + REGISTRATION_S)
        center.add(program_of(name="epic", version=2))
        assert await knows(world, 2) < A_MOMENT_S

    told(story)


def test_a_center_that_refuses_is_not_asked_on_and_on():
    async def story(world, center):
        await asyncio.sleep(SETTLED_S)
        center.refusals = {ASK_CHANGES: Refused(Reason.OVERDUE)}
        center.add(program_of(name="epic", version=2))  # ends the wait
        asked = len(center.of(AskChanges))
        await asyncio.sleep(30.0)
        assert len(center.of(AskChanges)) - asked < 30.0 / REGISTRATION_S * 2 + 3
        center.refusals = {}
        assert await knows(world, 2) < REGISTRATION_S + A_MOMENT_S

    told(story)


def test_the_center_says_how_seldom_it_wants_to_be_told():
    async def story(world, center):
        center.again_ms = 9_000
        await asyncio.sleep(SETTLED_S)
        before = len(center.of(RegisterStation))
        await asyncio.sleep(90.0)
        assert 9 <= len(center.of(RegisterStation)) - before <= 11
        assert center.of(RegisterStation)[-1].lease_ms == 45_000

    told(story)
