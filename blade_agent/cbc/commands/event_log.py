"""The event log: reading it, adding to it, clearing it, and its clock."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.event_log import (
    ADD_SEL_ENTRY,
    CLEAR_SEL,
    CLEAR_WORD,
    DELETE_SEL_ENTRY,
    GET_SEL_ENTRY,
    GET_SEL_INFO,
    GET_SEL_TIME,
    RESERVE_SEL,
    SET_SEL_TIME,
    ClearLog,
    ClearStep,
    Erasure,
    LogInfo,
    LogRecord,
    LogTime,
    RecordId,
    RemoveRecord,
)
from blade_agent.backplane.messages.record import RecordPart, RecordPiece, ReservationId
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.commands.record import NO_MORE_RECORDS, piece_of
from blade_agent.cbc.management_controller import ManagementController

_VERSION = 0x51
_FIRST_RECORD = 0x0000
_RESERVE_AND_DELETE_SUPPORTED = 0x0A
_OVERFLOWED = 0x80
_ERASED = 0x01


def _get_info(controller: ManagementController, _request: Nothing) -> LogInfo:
    log = controller.log
    return LogInfo(
        version=_VERSION,
        records=len(log.records),
        free_bytes=log.free_bytes,
        added_at=log.added_at,
        erased_at=log.erased_at,
        operations=_RESERVE_AND_DELETE_SUPPORTED | (_OVERFLOWED if log.overflowed else 0),
    )


def _reserve(controller: ManagementController, _request: Nothing) -> ReservationId:
    return ReservationId(controller.log_reservation.make())


def _get_entry(controller: ManagementController, request: RecordPiece) -> RecordPart:
    if request.offset:
        _require_reservation(controller, request.reservation)
    record = _record_id(controller, request.record)
    after = list(controller.log.records)
    following = after[after.index(record) + 1 :][:1]
    return piece_of(controller.log.records[record], following[0] if following else NO_MORE_RECORDS, request)


def _add_entry(controller: ManagementController, request: LogRecord) -> RecordId:
    record = controller.log.add(request.record)
    if record is None:
        raise NotCarriedOut(CompletionCode.OUT_OF_SPACE)
    return RecordId(record)


def _delete_entry(controller: ManagementController, request: RemoveRecord) -> RecordId:
    _require_reservation(controller, request.reservation)
    record = _record_id(controller, request.record)
    controller.log.remove(record)
    controller.log_reservation.cancel()
    return RecordId(record)


def _clear(controller: ManagementController, request: ClearLog) -> Erasure:
    _require_reservation(controller, request.reservation)
    if request.word != CLEAR_WORD:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if request.step is ClearStep.BEGIN:
        controller.log.clear()
        controller.log_reservation.cancel_others(request.reservation)
    return Erasure(_ERASED)


def _get_time(controller: ManagementController, _request: Nothing) -> LogTime:
    return LogTime(controller.log.time)


def _set_time(controller: ManagementController, request: LogTime) -> Nothing:
    controller.log.set_time(request.time)
    return Nothing()


def _require_reservation(controller: ManagementController, reservation: int) -> None:
    if not controller.log_reservation.holds(reservation):
        raise NotCarriedOut(CompletionCode.RESERVATION_CANCELLED)


def _record_id(controller: ManagementController, record: int) -> int:
    """Give the id of a record, of the first for 0 and of the last for FFFFh."""
    ids = list(controller.log.records)
    if ids and record == _FIRST_RECORD:
        return ids[0]
    if ids and record == NO_MORE_RECORDS:
        return ids[-1]
    if record not in controller.log.records:
        raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)
    return record


EVENT_LOG_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_SEL_INFO, _get_info),
            answering(RESERVE_SEL, _reserve),
            answering(GET_SEL_ENTRY, _get_entry),
            answering(ADD_SEL_ENTRY, _add_entry),
            answering(DELETE_SEL_ENTRY, _delete_entry),
            answering(CLEAR_SEL, _clear),
            answering(GET_SEL_TIME, _get_time),
            answering(SET_SEL_TIME, _set_time),
        )
    ),
    device_support=0x04,
)
