"""Sensor data records: how a tool learns what a controller can tell. They are the same for as long as it runs."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.record import (
    GET_DEVICE_SDR,
    GET_DEVICE_SDR_INFO,
    GET_SDR,
    GET_SDR_REPOSITORY_INFO,
    LONGEST_PIECE_BYTES,
    RESERVE_DEVICE_SDR_REPOSITORY,
    RESERVE_SDR_REPOSITORY,
    DeviceSdrInfo,
    RecordPart,
    RecordPiece,
    RepositoryInfo,
    ReservationId,
    SdrCount,
)
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.sensor_records import SDR_VERSION

NO_MORE_RECORDS = 0xFFFF
_FIRST_RECORD = 0
_TO_THE_END = 0xFF
_RESERVE_SUPPORTED = 0x02
_LUN_0_HAS_SENSORS = 0x01


def piece_of(record: bytes, next_record: int, wanted: RecordPiece) -> RecordPart:
    """Cut the part that is asked for out of a record. Raises NotCarriedOut."""
    if wanted.offset > len(record):
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    rest = record[wanted.offset :]
    length_bytes = len(rest) if wanted.length_bytes == _TO_THE_END else wanted.length_bytes
    if length_bytes > LONGEST_PIECE_BYTES:
        raise NotCarriedOut(CompletionCode.TOO_MANY_BYTES_REQUESTED)
    return RecordPart(next_record=next_record, octets=rest[:length_bytes])


def _get_info(controller: ManagementController, _request: Nothing) -> RepositoryInfo:
    repository = controller.repository
    return RepositoryInfo(
        version=SDR_VERSION,
        records=len(repository.records),
        free_bytes=0,
        added_at=repository.added_at,
        erased_at=repository.erased_at,
        operations=_RESERVE_SUPPORTED,
    )


def _reserve(controller: ManagementController, _request: Nothing) -> ReservationId:
    return ReservationId(controller.sdr_reservation.make())


def _get_sdr(controller: ManagementController, request: RecordPiece) -> RecordPart:
    return _piece(controller, controller.repository.records, request)


def _get_device_sdr(controller: ManagementController, request: RecordPiece) -> RecordPart:
    return _piece(controller, dict(enumerate(controller.records)), request)


def _piece(controller: ManagementController, records: Mapping[int, bytes], request: RecordPiece) -> RecordPart:
    if request.offset and not controller.sdr_reservation.holds(request.reservation):
        raise NotCarriedOut(CompletionCode.RESERVATION_CANCELLED)
    numbers = list(records)
    at = _place(numbers, request.record)
    next_record = numbers[at + 1] if at + 1 < len(numbers) else NO_MORE_RECORDS
    return piece_of(records[numbers[at]], next_record, request)


def _place(numbers: Sequence[int], record: int) -> int:
    """Give where a record stands: 0 is the first, FFFFh the last."""
    if numbers and record in (_FIRST_RECORD, NO_MORE_RECORDS):
        return 0 if record == _FIRST_RECORD else len(numbers) - 1
    at = bisect_left(numbers, record)
    if at == len(numbers) or numbers[at] != record:
        raise NotCarriedOut(CompletionCode.NO_SUCH_DEVICE)
    return at


def _get_device_info(controller: ManagementController, request: SdrCount) -> DeviceSdrInfo:
    count = len(controller.records) if request.operation else len(controller.sensors.by_number)
    return DeviceSdrInfo(count=count, flags=_LUN_0_HAS_SENSORS)


RECORD_COMMANDS = CommandModule(
    dict(
        (
            answering(GET_SDR_REPOSITORY_INFO, _get_info),
            answering(RESERVE_SDR_REPOSITORY, _reserve),
            answering(GET_SDR, _get_sdr),
            answering(GET_DEVICE_SDR_INFO, _get_device_info),
            answering(RESERVE_DEVICE_SDR_REPOSITORY, _reserve),
            answering(GET_DEVICE_SDR, _get_device_sdr),
        )
    ),
    device_support=0x02,
)
