import pytest

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.device import GET_DEVICE_ID, GET_SELF_TEST_RESULTS, SelfTest
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.requester import (
    AnswerOutcome,
    Relay,
    Requester,
    ResponseFault,
    SlotQuestion,
)

TIMING = Timing(timeout_s=0.25, repeat_s=0.125, attempts=3)
SELF_TEST = SlotQuestion(GET_SELF_TEST_RESULTS, Nothing())
PASSED = GET_SELF_TEST_RESULTS.reply_data(SelfTest(0x55, 0))


@pytest.fixture
def requester():
    return Requester(0x84, 62, TIMING)


def test_an_answer_ends_the_question(requester):
    requester.ask(SELF_TEST)
    request = requester.tick(1.0)
    answered = requester.receive(request.respond(CompletionCode.OK, PASSED))
    assert (answered.outcome, answered.reply) == (AnswerOutcome.ANSWERED, SelfTest(0x55, 0))
    assert requester.idle


def test_an_unanswered_question_is_repeated_as_it_was_and_given_up(requester):
    requester.ask(SELF_TEST)
    sent, now = [], 0.0
    while isinstance(due := requester.tick(now), Request):
        sent.append((now, due))
        now = requester.due
    assert [at for at, _ in sent] == [0.0, 0.25, 0.375]
    assert len({request for _, request in sent}) == 1
    assert (due.outcome, now) == (AnswerOutcome.UNANSWERED, 0.5)


def test_one_question_at_a_time_and_each_with_another_sequence_number(requester):
    requester.ask(SELF_TEST, SlotQuestion(GET_DEVICE_ID, Nothing()))
    first = requester.tick(0.0)
    assert requester.tick(0.1) is None
    assert requester.receive(first.respond(CompletionCode.OK, PASSED)).outcome is AnswerOutcome.ANSWERED
    second = requester.tick(0.1)
    assert (first.sequence, second.sequence, second.command) == (63, 0, 1)


def test_what_answers_something_else_changes_nothing(requester):
    requester.ask(SELF_TEST)
    request = requester.tick(0.0)
    good = request.respond(CompletionCode.OK, PASSED)
    for changes in ({"sequence": 5}, {"command": 1}, {"net_fn": 0x2D}, {"responder": 0x86}, {"requester": 0x81}):
        fields = {name: getattr(good, name) for name in good.__struct_fields__}
        assert requester.receive(type(good)(**{**fields, **changes})) is None
    assert requester.receive(request) is None
    assert requester.receive(request.respond(CompletionCode.OK, b"too long")) is None
    assert requester.faults == {ResponseFault.UNEXPECTED: 6, ResponseFault.UNREADABLE: 1}
    assert requester.receive(good).outcome is AnswerOutcome.ANSWERED
    assert requester.receive(good) is None


def test_a_refusal_ends_its_conversation_and_no_other(requester):
    ends = []
    told = SlotQuestion(GET_DEVICE_ID, Nothing(), ended=lambda answered: ends.append(answered.outcome))
    requester.ask(SELF_TEST, told)
    requester.ask(told)
    first = requester.tick(0.0)
    refused = requester.receive(first.respond(CompletionCode.INVALID_COMMAND))
    assert (refused.outcome, refused.completion) == (AnswerOutcome.REFUSED, CompletionCode.INVALID_COMMAND)
    assert ends == [AnswerOutcome.UNANSWERED]
    assert requester.tick(0.1).command == 1
    requester.forget()
    assert ends == [AnswerOutcome.UNANSWERED]


def test_a_relay_gives_way_to_the_managers_questions_and_is_repeated_after_them(requester):
    ends = []
    relay = Relay(net_fn=0x0A, command=0x23, data=bytes(6), ended=ends.append)
    assert requester.relay(relay)
    sent = requester.tick(0.0)
    requester.ask(SELF_TEST)
    assert requester.tick(0.1) is None, "it has time to be answered before it gives way"
    own = requester.tick(0.25)
    assert own.command == SELF_TEST.command.code.number
    assert requester.receive(own.respond(CompletionCode.OK, PASSED)).outcome is AnswerOutcome.ANSWERED
    again = requester.tick(0.26)
    assert again == sent, "the same request, so that who carried it out knows it again"
    assert ends == []
    requester.receive(sent.respond(CompletionCode.OK, b"late"))
    assert [end.data for end in ends] == [b"late"]
    assert requester.due is None


def test_a_relay_that_has_given_way_takes_its_answer_all_the_same(requester):
    ends = []
    requester.relay(Relay(net_fn=0x0A, command=0x23, data=bytes(6), ended=ends.append))
    sent = requester.tick(0.0)
    requester.ask(SELF_TEST)
    own = requester.tick(0.25)
    requester.receive(sent.respond(CompletionCode.OK, b"late"))
    assert [end.data for end in ends] == [b"late"]
    assert requester.receive(own.respond(CompletionCode.OK, PASSED)).outcome is AnswerOutcome.ANSWERED
    assert requester.due is None


def test_a_relay_is_given_up_with_the_patience_of_the_managers_own_questions(requester):
    ends, sent, now = [], 0, 0.0
    requester.relay(Relay(net_fn=0x0A, command=0x23, data=bytes(6), ended=ends.append))
    while not ends:
        request = requester.tick(now)
        if request is not None and request.command == 0x23:
            sent += 1
            requester.ask(SELF_TEST)
        elif request is not None:
            requester.receive(request.respond(CompletionCode.OK, PASSED))
        now = max(now, requester.due or now) + 0.01
    assert (ends, sent) == ([None], TIMING.attempts)


def test_relays_that_wait_end_when_the_blade_is_lost(requester):
    ends = []
    for _ in range(2):
        requester.relay(Relay(net_fn=0x0A, command=0x23, data=bytes(6), ended=ends.append))
    requester.tick(0.0)
    requester.ask(SELF_TEST)
    requester.tick(0.25)
    requester.forget_relays()
    assert ends == [None, None]
