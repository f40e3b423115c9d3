"""What a controller says is the same after it was started anew: ids, times, minutes, and records that stay."""

import pytest

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.sensor_codes import ReadingType, SensorKind
from blade_agent.cbc.event_log import CAPACITY, EventLog
from blade_agent.cbc.lifetime import Lifetime
from blade_agent.cbc.power_meter import PowerMeter
from blade_agent.cbc.reservation import Reservation

EVENT = SensorEvent(
    sensor_type=SensorKind.TEMPERATURE,
    sensor=2,
    reading_type=ReadingType.THRESHOLD,
    asserted=True,
    data=bytes((0x57, 90, 80)),
)


class Memory:
    """Octets that outlive who kept them."""

    def __init__(self):
        self.octets = b""

    def read(self):
        return self.octets

    def keep(self, octets):
        self.octets = octets


class Clock:
    def __init__(self):
        self.now = 1000.0

    def now_s(self):
        return self.now

    def wall_s(self):
        return 1_700_000_000 + self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def memory():
    return Memory()


def log_of(clock, memory):
    return EventLog(clock.wall_s, generator=0x20, kept=memory)


def test_ids_and_times_of_the_log_go_on_after_a_restart_even_of_one_that_was_cleared(clock, memory):
    log = log_of(clock, memory)
    assert [log.note(EVENT) for _ in range(3)] == [1, 2, 3]
    added, clock.now = log.added_at, clock.now + 10
    log.clear()
    again = log_of(clock, memory)
    assert (again.added_at, again.erased_at, dict(again.records)) == (added, added + 10, {})
    assert again.note(EVENT) == 4


def test_that_a_log_has_overflowed_is_not_forgotten(clock, memory):
    log = log_of(clock, memory)
    for _ in range(CAPACITY + 1):
        log.note(EVENT)
    assert log.overflowed
    assert log_of(clock, memory).overflowed
    assert len(log_of(clock, memory).records) == CAPACITY


def test_a_log_that_was_kept_without_a_header_is_read(clock, memory):
    log = log_of(clock, memory)
    log.note(EVENT)
    memory.octets = memory.octets[16:]
    assert log_of(clock, memory).note(EVENT) == 2


def test_minutes_are_counted_over_restarts_and_only_with_power(clock, memory):
    lifetime = Lifetime(clock, memory)
    for on in (True, True, False, True):
        lifetime.look(on=on)
        clock.now += 3600
    lifetime.look(on=True)
    assert lifetime.on_minutes == 180
    again = Lifetime(clock, memory)
    assert again.on_minutes == 180
    clock.now += 10**6
    again.look(on=True)
    assert again.on_minutes == 180, "nobody knows what was while it did not run"


def test_records_are_as_old_as_they_are_whoever_starts_anew(clock, memory):
    records = (b"one", b"two")
    assert Lifetime(clock, memory).records_since(records, 100) == 100
    assert Lifetime(clock, memory).records_since(records, 200) == 100
    assert Lifetime(clock, memory).records_since((b"one", b"2"), 300) == 300
    memory.octets = b"\xffno JSON"
    assert Lifetime(clock, memory).records_since(records, 400) == 400


def test_reservations_hold_beside_each_other_until_something_changes():
    reservation = Reservation()
    first, second = reservation.make(), reservation.make()
    assert reservation.holds(first)
    assert reservation.holds(second)
    assert not reservation.holds(second + 1)
    assert not reservation.holds(0)
    reservation.cancel()
    assert not reservation.holds(first)
    assert not reservation.holds(second)
    third = reservation.make()
    assert reservation.holds(third)
    assert not reservation.holds(second)
    for _ in range(64):
        reservation.make()
    assert not reservation.holds(third), "what is kept of them is bounded"
    for _ in range(0x10000):
        last = reservation.make()
    assert reservation.holds(last)
    assert 1 <= last <= 0xFFFF


def test_the_power_meter_says_what_was_measured(clock):
    watts = [10.0]
    meter = PowerMeter(clock, lambda: watts[0])
    meter.look()
    for reading, seconds in ((20.0, 5), (None, 5), (6.0, 5), (6.0, 5)):
        clock.now += seconds
        watts[0] = reading
        meter.look()
    assert (meter.now_w, meter.least_w, meter.most_w, meter.period_s) == (6.0, 6.0, 20.0, 20)
    assert meter.average_w == pytest.approx((10 * 5 + 20 * 5 + 6 * 5) / 15)
