"""Events that blades send to 20h: noted once, under the blade's own address, and nothing else is taken from a blade."""

from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.message import Request
from blade_agent.cbc.event_log import CAPACITY, EventLog
from blade_agent.chassis_manager.board.blade_events import BladeEvents, EventFault
from blade_agent.chassis_manager.board.chassis_log import event_of, rows
from blade_agent.chassis_manager.policy.notice import Notice, NoticeKind

EVENT = b"\x04\xf0\x00\x6f\xa4\x23\x00"


def request(slot=3, sequence=1, data=EVENT, net_fn=4, command=2, responder=0x20, lun=0):
    return Request(
        responder=responder,
        requester=0x80 + 2 * slot,
        net_fn=net_fn,
        command=command,
        sequence=sequence,
        data=data,
        responder_lun=lun,
    )


def log():
    return EventLog(lambda: 1000.0, generator=0x20)


def nameless(_slot, _sensor):
    return None


def test_an_event_is_noted_under_the_blades_address():
    kept = log()
    response = BladeEvents(kept).answer(3, request(), 0.0)
    assert (response.completion, response.requester, response.sequence) == (0, 0x86, 1)
    (row,) = rows(kept, 0, nameless)
    assert (row.slot, row.sensor, row.event, row.time) == (3, "Hot Swap", "M3 to M4", 1000)


def test_a_repetition_is_acknowledged_and_not_noted_again():
    kept = log()
    events = BladeEvents(kept)
    for now in (0.0, 0.5, 1.5):
        assert events.answer(3, request(), now).completion == 0
    assert len(kept.records) == 1
    events.answer(3, request(sequence=2), 2.0)
    events.answer(4, request(slot=4, sequence=2), 2.0)
    assert len(kept.records) == 3
    events.answer(4, request(slot=4, sequence=2), 60.0)
    assert len(kept.records) == 4


def test_a_blade_speaks_for_itself_only_and_has_nothing_to_order():
    kept = log()
    events = BladeEvents(kept)
    assert events.answer(3, request(slot=4), 0.0) is None
    assert events.answer(3, request(responder=0x84), 0.0) is None
    assert events.faults == {EventFault.NOT_FOR_US: 2}
    assert events.answer(3, request(net_fn=0, command=2, data=b"\0"), 0.0).completion == 0xC1
    assert events.answer(3, request(net_fn=0x0A, command=0x47), 0.0).completion == 0xC1
    assert events.answer(3, request(lun=1), 0.0).completion == 0xC2
    assert events.answer(3, request(data=b"\x04"), 0.0).completion == 0xC7
    assert not kept.records


def test_a_full_log_is_counted_and_stops_no_blade():
    kept = log()
    events = BladeEvents(kept)
    for number in range(CAPACITY + 3):
        assert (
            events.answer(3, request(sequence=number % 64, data=EVENT[:5] + bytes([number % 251, 0])), 0.0).completion
            == 0
        )
    assert len(kept.records) == CAPACITY
    assert events.faults[EventFault.LOG_FULL] == 3


@given(st.binary(max_size=40), st.integers(0, 31), st.integers(0, 255), st.integers(0, 3))
def test_any_request_gets_an_answer_or_none(data, net_fn, command, lun):
    kept = log()
    BladeEvents(kept).answer(3, request(net_fn=2 * net_fn, command=command, data=data, lun=lun), 0.0)
    assert len(kept.records) <= 1


@given(st.lists(st.binary(min_size=16, max_size=16), max_size=10))
def test_any_record_can_be_shown(records):
    kept = log()
    for record in records:
        kept.add(record)
    shown = rows(kept, 0, nameless)
    assert [row.id for row in shown] == list(kept.records)
    assert all(row.event and row.sensor for row in shown)
    assert rows(kept, shown[0].id, nameless) == shown[1:] if shown else True


@given(
    kind=st.sampled_from(NoticeKind),
    number=st.integers(1, 16),
    asserted=st.booleans(),
    detail=st.tuples(st.integers(0, 7), st.integers(0, 7)),
)
def test_every_notice_becomes_a_sentence(kind, number, asserted, detail):
    kept = log()
    number -= kind is NoticeKind.SUPPLY  # they are counted from 0
    kept.note(event_of(Notice(kind=kind, number=number, asserted=asserted, detail=detail)))
    (row,) = rows(kept, 0, nameless)
    assert row.asserted == asserted
    assert row.slot == (None if kind in (NoticeKind.SUPPLY, NoticeKind.LOGIN) else number)
    assert "sensor type" not in row.event
