"""Events on their way: in order, once each at the receiver, and never more of them than there is room for."""

from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.event_receiver import GET_EVENT_RECEIVER, SET_EVENT_RECEIVER
from blade_agent.backplane.messages.sensor import PLATFORM_EVENT
from blade_agent.cbc.event_sender import LONGEST_PAUSE_S, MOST_WAITING, EventLoss, EventReceiver, EventSender


def event(number):
    return SensorEvent(sensor_type=1, sensor=number, reading_type=1, asserted=True, data=b"\x57\x01\x02")


class Receiver:
    """A chassis manager on a line that loses messages: it tells repetitions by their sequence numbers."""

    def __init__(self):
        self.sequence = None
        self.sensors = []

    def take(self, request):
        if request.sequence != self.sequence:
            self.sequence = request.sequence
            self.sensors.append(PLATFORM_EVENT.read_request(request.data).sensor)
        return request.respond(CompletionCode.OK)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=200), st.integers(0, 40))
def test_every_event_comes_once_and_in_order_over_a_line_that_loses(losses, count):
    sender, receiver, now_s = EventSender(0x86), Receiver(), 0.0
    for number in range(count):
        sender.put(event(number))
    losses = [*losses, *[(False, False)] * (2 * count + 2)]
    for request_lost, answer_lost in losses:
        request = sender.tick(now_s)
        if request is not None and not request_lost:
            answer = receiver.take(request)
            if not answer_lost:
                assert sender.receive(answer)
        now_s += LONGEST_PAUSE_S
    assert receiver.sensors == list(range(count))
    assert (sender.sent, sender.due_s) == (count, None)


def test_a_receiver_that_is_away_is_asked_ever_more_rarely():
    sender = EventSender(0x86)
    sender.put(event(1))
    times, now_s = [], 0.0
    while now_s < 60:
        if sender.tick(now_s):
            times.append(now_s)
        now_s += 0.25
    assert times == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 23.5, 31.5, 39.5, 47.5, 55.5]


def test_too_many_events_lose_the_oldest_and_are_counted():
    sender = EventSender(0x86)
    for number in range(MOST_WAITING + 10):
        sender.put(event(number))
    assert sender.losses == {EventLoss.TOO_MANY: 10}
    assert PLATFORM_EVENT.read_request(sender.tick(0.0).data).sensor == 10


def test_a_receiver_that_refuses_is_not_asked_again_one_that_is_busy_is():
    sender = EventSender(0x86)
    sender.put(event(1))
    request = sender.tick(0.0)
    assert sender.receive(request.respond(CompletionCode.NODE_BUSY))
    assert sender.tick(1.0) == request
    assert sender.receive(request.respond(CompletionCode.INVALID_COMMAND))
    assert (sender.tick(10.0), sender.losses) == (None, {EventLoss.REFUSED: 1})
    assert not sender.receive(request.respond(CompletionCode.OK))


def test_without_a_receiver_nothing_is_sent():
    sender = EventSender(0x86)
    sender.put(event(1))
    sender.tick(0.0)
    sender.set_receiver(None)
    sender.put(event(2))
    assert (sender.due_s, sender.tick(100.0)) == (None, None)
    sender.set_receiver(EventReceiver(0x22, 1))
    sender.put(event(3))
    assert (sender.tick(100.0).responder, sender.tick(200.0).responder_lun) == (0x22, 1)


def test_the_receiver_is_set_and_told_what_holds(equipped):
    def ask(command, *fields):
        data = bytes(fields)
        return equipped.answer(
            Request(responder=0x86, requester=0x20, net_fn=4, command=command.code.number, sequence=1, data=data)
        )

    assert ask(GET_EVENT_RECEIVER).data == b"\x20\x00"
    assert ask(SET_EVENT_RECEIVER, 0xFF, 0).completion == CompletionCode.OK
    assert ask(GET_EVENT_RECEIVER).data == b"\xff\x00"
    assert ask(SET_EVENT_RECEIVER, 0x21, 0).completion == CompletionCode.INVALID_FIELD
    equipped.hardware.temperature.value = 82.0
    equipped.clock.pass_s(1)
    equipped.settle()
    logged = len(equipped.blade.log.records)
    ask(SET_EVENT_RECEIVER, 0x20, 0)
    told, sender = [], equipped.blade.event_sender
    while request := sender.tick(equipped.clock.now_s()):
        told.append(PLATFORM_EVENT.read_request(request.data))
        sender.receive(request.respond(CompletionCode.OK))
    assert [(one.sensor, one.data[0] & 0x0F) for one in told] == [(0, 2), (2, 7), (2, 9)]
    assert len(equipped.blade.log.records) == logged, "what is in the log already is not logged again"
