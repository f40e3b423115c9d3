"""Somebody else's requests among the manager's own: passed on as they are, and never in the way."""

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import Request
from blade_agent.backplane.messages.device import GET_SELF_TEST_RESULTS
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.requester import MAX_RELAYS, AnswerOutcome, Relay, Requester, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot

TIMING = Timing(timeout_s=0.25, attempts=3)
SELF_TEST = SlotQuestion(GET_SELF_TEST_RESULTS, Nothing())


@pytest.fixture
def requester():
    return Requester(0x84, 62, TIMING)


@pytest.fixture
def answers():
    return []


@pytest.fixture
def relay(answers):
    return Relay(net_fn=0x0A, command=0x11, data=b"\1\2", lun=1, ended=answers.append)


def test_it_is_sent_as_it_is_and_its_answer_given_back(requester, relay, answers):
    requester.relay(relay)
    assert requester.idle
    request = requester.tick(1.0)
    assert request == Request(
        responder=0x84, requester=0x20, net_fn=0x0A, command=0x11, sequence=63, data=b"\1\2", responder_lun=1
    )
    refused = request.respond(0xC9, b"why")
    assert requester.receive(refused) is None
    assert answers == [refused]
    assert requester.due is None


def test_it_is_repeated_and_given_up(requester, relay, answers):
    requester.relay(relay)
    sent, now = [], 0.0
    while requester.due is not None:
        sent.append(requester.tick(now))
        now = requester.due or now
    assert len([request for request in sent if request]) == 3
    assert answers == [None]


def test_the_managers_own_questions_go_first(requester, relay, answers):
    for _ in range(3):
        requester.relay(relay)
    requester.ask(SELF_TEST)
    own = requester.tick(0.0)
    assert own.net_fn == 6
    requester.receive(own.respond(0, b"\x55\0"))
    assert requester.tick(0.0).net_fn == 0x0A
    requester.ask(SELF_TEST)
    assert not requester.idle
    assert requester.tick(0.1) is None
    assert requester.tick(0.25).net_fn == 6
    assert answers == [], "the relay is repeated after it"


def test_only_so_many_wait(requester, relay):
    assert [requester.relay(relay) for _ in range(MAX_RELAYS + 1)] == [True] * MAX_RELAYS + [False]


def test_those_that_wait_for_a_blade_that_is_lost_end_without_an_answer(answers, relay):
    slot = Slot(2, 0, TIMING)
    heartbeat = slot.tick(0.0)
    assert heartbeat.net_fn == 0x2E
    slot.relay(relay, 0.0)
    now = 0.0
    while not answers:
        now += 0.25
        slot.tick(now)
        assert now < 5
    assert answers == [None]
    assert slot.hot_swap is HotSwapState.M0_NOT_INSTALLED


def test_a_flood_of_them_delays_a_question_by_one_timeout_at_most(requester, relay):
    for _ in range(MAX_RELAYS):
        requester.relay(relay)
    requester.tick(0.0)
    requester.ask(SELF_TEST)
    request = requester.tick(0.25)
    assert request.net_fn == 6
    assert requester.receive(request.respond(0, b"\x55\0")).outcome is AnswerOutcome.ANSWERED
