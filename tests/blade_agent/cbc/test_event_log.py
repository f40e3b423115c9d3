import pytest

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.device import GET_SELF_TEST_RESULTS, SelfTest
from blade_agent.backplane.messages.event_log import (
    ADD_SEL_ENTRY,
    CLEAR_SEL,
    DELETE_SEL_ENTRY,
    GET_SEL_ENTRY,
    GET_SEL_INFO,
    GET_SEL_TIME,
    RESERVE_SEL,
    SET_SEL_TIME,
    ClearLog,
    ClearStep,
    LogRecord,
    LogTime,
    RemoveRecord,
)
from blade_agent.backplane.messages.record import RecordPiece
from blade_agent.cbc.event_log import CAPACITY, EventLog
from tests.blade_agent.octet_file import OctetFile

RECORD = bytes((0, 0, 0x02)) + bytes(4) + bytes(range(9))
FIRST, LAST = 0x0000, 0xFFFF


def ask(controller, command, body=None):
    data = command.request_data(Nothing() if body is None else body)
    asked = Request(
        responder=0x86,
        requester=0x20,
        net_fn=command.code.net_fn,
        command=command.code.number,
        sequence=1,
        data=data,
    )
    response = controller.answer(asked)
    if response.completion != CompletionCode.OK:
        return command.completion(response.completion)
    return command.read_reply(response.data)


def entry(controller, record):
    return ask(controller, GET_SEL_ENTRY, RecordPiece(reservation=0, record=record, offset=0, length_bytes=0xFF))


class BrokenDisk:
    """A disk that has gone read-only, or is not there at all."""

    def read(self):
        raise OSError("no such device")

    def keep(self, octets):
        raise OSError("read-only file system")


def test_records_get_an_id_and_the_logs_time(controller):
    ask(controller, SET_SEL_TIME, LogTime(1_000_000))
    controller.clock.pass_s(30)
    number = ask(controller, ADD_SEL_ENTRY, LogRecord(RECORD)).record
    piece = entry(controller, LAST)
    assert piece.next_record == 0xFFFF
    assert piece.octets == number.to_bytes(2, "little") + b"\x02" + (1_000_030).to_bytes(4, "little") + RECORD[7:]
    assert entry(controller, FIRST).next_record == 2
    assert ask(controller, GET_SEL_TIME).time == 1_000_030
    assert ask(controller, GET_SEL_INFO).added_at == 1_000_030


def test_a_record_without_a_time_keeps_its_bytes(controller):
    record = bytes((0, 0, 0xE0)) + bytes(range(13))
    number = ask(controller, ADD_SEL_ENTRY, LogRecord(record)).record
    assert entry(controller, number).octets[2:] == record[2:]


def test_the_log_is_bounded_and_says_that_it_overflowed(controller):
    added = [ask(controller, ADD_SEL_ENTRY, LogRecord(RECORD)) for _ in range(CAPACITY)]
    assert added[-1] is CompletionCode.OUT_OF_SPACE
    info = ask(controller, GET_SEL_INFO)
    assert (info.records, info.free_bytes, info.operations) == (CAPACITY, 0, 0x8A)


def test_clearing_takes_a_reservation_that_still_holds(controller):
    def clear(reservation, step=ClearStep.BEGIN, word=b"CLR"):
        return ask(controller, CLEAR_SEL, ClearLog(reservation=reservation, word=word, step=step))

    old, new = (ask(controller, RESERVE_SEL).reservation for _ in range(2))
    assert clear(new + 1) is CompletionCode.RESERVATION_CANCELLED
    assert clear(new, word=b"clr") is CompletionCode.INVALID_FIELD
    assert clear(new, ClearStep.STATUS).progress == 1
    assert ask(controller, GET_SEL_INFO).records == 2
    assert clear(new).progress == clear(new).progress == 1
    assert ask(controller, GET_SEL_INFO).records == 0
    assert clear(old) is CompletionCode.RESERVATION_CANCELLED, "somebody else has cleared the log"
    assert entry(controller, FIRST) is CompletionCode.NO_SUCH_DEVICE


def test_removing_a_record_cancels_reservations_and_no_id_is_used_twice(controller):
    reservation = ask(controller, RESERVE_SEL).reservation
    removal = RemoveRecord(reservation=reservation, record=LAST)
    assert ask(controller, DELETE_SEL_ENTRY, removal).record == 2
    assert ask(controller, DELETE_SEL_ENTRY, removal) is CompletionCode.RESERVATION_CANCELLED
    assert ask(controller, ADD_SEL_ENTRY, LogRecord(RECORD)).record == 3
    assert entry(controller, 1).next_record == 3


def test_ids_begin_again_after_the_highest():
    log = EventLog(lambda: 0.0, generator=0x82)
    numbers = set()
    for _ in range(0xFFFE + 3):
        number = log.add(RECORD)
        numbers.add(number)
        log.remove(number)
    assert (min(numbers), max(numbers), number) == (1, 0xFFFE, 3)


def test_the_log_survives_a_restart(make_controller, tmp_path):
    store = OctetFile(tmp_path / "state" / "events")
    before = make_controller(event_log=store)
    ask(before, ADD_SEL_ENTRY, LogRecord(RECORD))
    kept = dict(before.blade.log.records)
    after = make_controller(event_log=store)
    assert {number: after.blade.log.records[number] for number in kept} == kept
    assert min(set(after.blade.log.records) - set(kept)) == max(kept) + 1
    assert ask(after, GET_SELF_TEST_RESULTS) == SelfTest(0x55, 0)
    assert [path.name for path in sorted((tmp_path / "state").iterdir())] == ["events", "events.before"]


@pytest.mark.parametrize("content", [b"", b"short", bytes(16 * CAPACITY + 160), bytes(range(256)) * 3])
def test_any_content_is_survived(make_controller, tmp_path, content):
    store = OctetFile(tmp_path / "events")
    store.keep(content)
    controller = make_controller(event_log=store)
    assert len(controller.blade.log.records) <= CAPACITY
    assert all(len(record) == 16 for record in controller.blade.log.records.values())


def test_a_log_that_cannot_be_kept_goes_on_and_the_self_test_tells(make_controller):
    controller = make_controller(event_log=BrokenDisk())
    ask(controller, ADD_SEL_ENTRY, LogRecord(RECORD))
    assert ask(controller, GET_SEL_INFO).records == 3
    assert ask(controller, GET_SELF_TEST_RESULTS) == SelfTest(0x57, 0x80)
