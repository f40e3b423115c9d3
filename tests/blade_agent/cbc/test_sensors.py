import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.record import GET_SDR, RESERVE_SDR_REPOSITORY, RecordPiece
from blade_agent.backplane.messages.sensor import (
    GET_SENSOR_HYSTERESIS,
    GET_SENSOR_READING,
    GET_SENSOR_THRESHOLDS,
    SET_SENSOR_EVENT_ENABLE,
    SET_SENSOR_HYSTERESIS,
    SET_SENSOR_THRESHOLDS,
    Hysteresis,
    HysteresisQuery,
    SensorNumber,
    SetEventEnable,
    SetHysteresis,
    SetThresholds,
)
from blade_agent.backplane.sensor_codes import SensorKind, Threshold, Unit
from blade_agent.cbc.hardware import SensorFacts
from blade_agent.cbc.scale import scale_of
from blade_agent.cbc.sensor import event_offset

HOT_SWAP, WATCHDOG, CPU, FAN, SUPPLY = range(5)
UNC, UC, UNR = Threshold.UPPER_NON_CRITICAL, Threshold.UPPER_CRITICAL, Threshold.UPPER_NON_RECOVERABLE


def ask(controller, command, body):
    asked = Request(
        responder=0x86,
        requester=0x20,
        net_fn=command.code.net_fn,
        command=command.code.number,
        sequence=1,
        data=command.request_data(body),
    )
    response = controller.answer(asked)
    if response.completion != CompletionCode.OK:
        return command.completion(response.completion)
    return command.read_reply(response.data)


def events_of(controller, sensor):
    """Give the events of one sensor in the log: (asserted, data bytes)."""
    records = [record for record in controller.blade.log.records.values() if record[11] == sensor]
    return [(not record[12] & 0x80, record[13:]) for record in records]


def measure(equipped, value):
    """Let the board be at a value for a second, and the CBC look."""
    equipped.hardware.temperature.value = value
    equipped.clock.pass_s(1)
    return ask(equipped, GET_SENSOR_READING, SensorNumber(CPU))


@given(
    st.floats(-1000, 1000, allow_nan=False).map(lambda number: round(number, 2)),
    st.floats(0.5, 10000, allow_nan=False),
    st.floats(0, 1),
)
def test_a_scale_shows_every_reading_within_a_step(lowest, width, share):
    facts = SensorFacts(
        name="any", kind=SensorKind.OTHER, unit=Unit.WATT, lowest=lowest, highest=lowest + width, thresholds={}
    )
    scale = scale_of(facts)
    assert 10 <= scale.factor <= 100
    assert -512 <= scale.offset <= 511
    step = scale.reading(1) - scale.reading(0)
    assert step <= 1.12 * (width + 0.02 * abs(lowest)) / 255  # a lower end has two digits at least
    reading = lowest + share * width
    assert abs(scale.reading(scale.raw(reading)) - reading) <= step / 2 + 1e-5 * width


def test_a_reading_beyond_its_scale_is_at_the_end():
    scale = scale_of(SensorFacts(name="t", kind=SensorKind.TEMPERATURE, unit=Unit.CELSIUS, lowest=-20.0, highest=107.5))
    assert (scale.raw(-300), scale.raw(1e9)) == (0, 255)
    assert scale.reading(scale.raw(36.5)) == 36.5


def test_a_sensor_that_shows_nothing_is_refused():
    facts = SensorFacts(name="t", kind=SensorKind.VOLTAGE, unit=Unit.VOLT, lowest=5.0, highest=5.0)
    with pytest.raises(ValueError, match="no scale"):
        scale_of(facts)


def test_readings_are_the_boards(equipped):
    reading = ask(equipped, GET_SENSOR_READING, SensorNumber(CPU))
    assert (reading.reading, reading.flags, reading.states) == (83, 0xC0, 0xC0)
    equipped.hardware.temperature.value = 60.0
    assert ask(equipped, GET_SENSOR_READING, SensorNumber(CPU)).reading == 120
    assert ask(equipped, GET_SENSOR_READING, SensorNumber(99)) is CompletionCode.NO_SUCH_DEVICE


@pytest.mark.parametrize("nothing", [None, float("nan"), float("inf")])
def test_what_is_not_known_is_not_made_up(equipped, nothing):
    reading = measure(equipped, nothing)
    assert reading.flags & 0x20
    assert (reading.reading, reading.states) == (0, 0xC0)
    assert events_of(equipped, CPU) == []


def test_thresholds_give_events_out_and_back_with_hysteresis(equipped):
    measure(equipped, 69.5)
    assert events_of(equipped, CPU) == []
    measure(equipped, 70.0)
    assert events_of(equipped, CPU) == [(True, bytes((0x57, 140, 140)))]
    measure(equipped, 68.0)  # back, but within the hysteresis of 2 degrees
    assert len(events_of(equipped, CPU)) == 1
    measure(equipped, 67.5)
    assert events_of(equipped, CPU)[1:] == [(False, bytes((0x57, 135, 140)))]


def test_several_thresholds_at_once_and_the_fault_light(equipped):
    assert measure(equipped, 85.0).states == 0xC0 | 1 << UNC | 1 << UC
    assert [data[0] & 0x0F for _, data in events_of(equipped, CPU)] == [event_offset(UNC), event_offset(UC)]
    assert equipped.hardware.fault.light.on_ms > 0
    measure(equipped, 20.0)
    assert equipped.hardware.fault.light.on_ms == 0
    measure(equipped, 4.0)
    assert events_of(equipped, CPU)[-1] == (True, bytes((0x50, 8, 10)))


def test_the_board_is_not_measured_at_every_request(equipped):
    measure(equipped, 20.0)
    equipped.hardware.temperature.value = 85.0
    ask(equipped, GET_SENSOR_READING, SensorNumber(FAN))
    assert events_of(equipped, CPU) == []
    equipped.clock.pass_s(0.5)
    ask(equipped, GET_SENSOR_READING, SensorNumber(FAN))
    assert len(events_of(equipped, CPU)) == 2


def test_no_events_from_a_sensor_that_gives_none(equipped):
    ask(equipped, SET_SENSOR_EVENT_ENABLE, SetEventEnable(sensor=CPU, enables=0x40))
    assert measure(equipped, 85.0).flags == 0x40
    assert events_of(equipped, CPU) == []
    ask(equipped, SET_SENSOR_EVENT_ENABLE, SetEventEnable(sensor=CPU, enables=0x80))
    assert measure(equipped, 85.0).flags == 0xA0


def test_thresholds_and_hysteresis_are_set_and_checked(equipped):
    def set_thresholds(**fields):
        return ask(equipped, SET_SENSOR_THRESHOLDS, SetThresholds(sensor=CPU, **fields))

    values = bytes((20, 0, 0, 100, 110, 120))
    assert set_thresholds(present=0x39, values=values) not in tuple(CompletionCode)
    assert ask(equipped, GET_SENSOR_THRESHOLDS, SensorNumber(CPU)).values == values
    descending = bytes((0, 0, 0, 0, 90, 0))
    assert set_thresholds(present=1 << UC, values=descending) is CompletionCode.INVALID_FIELD
    not_there = set_thresholds(present=1 << Threshold.LOWER_CRITICAL, values=bytes(6))
    assert not_there is CompletionCode.INVALID_FIELD
    assert ask(equipped, GET_SENSOR_THRESHOLDS, SensorNumber(CPU)).values == values
    ask(equipped, SET_SENSOR_HYSTERESIS, SetHysteresis(sensor=CPU, mask=0xFF, rise=3, fall=1))
    assert ask(equipped, GET_SENSOR_HYSTERESIS, HysteresisQuery(CPU, 0xFF)) == Hysteresis(rise=3, fall=1)
    assert ask(equipped, GET_SENSOR_THRESHOLDS, SensorNumber(HOT_SWAP)) is CompletionCode.INVALID_FIELD


def test_records_are_read_whole_in_pieces(equipped):
    reservation = ask(equipped, RESERVE_SDR_REPOSITORY, Nothing()).reservation
    records, number = [], 0
    while number != 0xFFFF:
        record, piece = b"", None
        while len(record) < 5 or len(record) < 5 + record[4]:
            wanted = RecordPiece(reservation=reservation, record=number, offset=len(record), length_bytes=16)
            piece = ask(equipped, GET_SDR, wanted)
            record += piece.octets
        records.append(record)
        number = piece.next_record
    assert records == list(equipped.blade.records)
    assert [record[3] for record in records] == [0x12, 0x02, 0x02, 0x01, 0x01, 0x01]
    assert all(record[4] == len(record) - 5 for record in records)


def test_pieces_are_refused_without_reservation_beyond_the_end_or_too_long(equipped):
    def piece(**fields):
        return ask(
            equipped, GET_SDR, RecordPiece(**{"reservation": 0, "record": 3, "offset": 0, "length_bytes": 5} | fields)
        )

    assert piece(offset=5) is CompletionCode.RESERVATION_CANCELLED
    assert piece(length_bytes=0xFF) is CompletionCode.TOO_MANY_BYTES_REQUESTED
    assert piece(record=77) is CompletionCode.NO_SUCH_DEVICE
    assert len(piece().octets) == 5


def test_a_bare_board_has_the_sensors_of_its_controller_alone(controller):
    assert [record[3] for record in controller.blade.records] == [0x12, 0x02, 0x02]
    assert ask(controller, GET_SENSOR_READING, SensorNumber(CPU)) is CompletionCode.NO_SUCH_DEVICE


def test_hot_swap_is_a_sensor_with_events(controller):
    reading = ask(controller, GET_SENSOR_READING, SensorNumber(HOT_SWAP))
    assert reading.states == 1 << controller.blade.hot_swap.state
    controller.blade.hot_swap.move_handle(closed=False)
    assert [data for _, data in events_of(controller, HOT_SWAP)] == [
        bytes((0xA1, 0x00, 0)),
        bytes((0xA2, 0x21, 0)),
        bytes((0xA1, 0x22, 0)),
    ]
