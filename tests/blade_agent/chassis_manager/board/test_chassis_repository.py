"""The records at 20h follow the blades that are there, outlive the manager, and are as old as they are."""

from random import Random

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.cbc.reservation import Reservation
from blade_agent.cbc.sensor_bank import board_sensors
from blade_agent.cbc.sensor_records import sensor_records
from blade_agent.chassis_manager.board.chassis_repository import ChassisRepository
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.blade_facts import BladeFacts, read_sensor_record
from blade_agent.chassis_manager.slots.slot import Slot
from tests.blade_agent.cbc.test_kept_over_restarts import Memory
from tests.blade_agent.chassis_manager.desk_hardware import DeskSensor

OWN = (b"\0\0\x51\x12\x06own it", b"\1\0\x51\x12\x06second")


def records_of(address=0x82, name="CPU temp"):
    return sensor_records(address, "blade", 0, board_sensors([DeskSensor(name)]), {})


class Bench:
    def __init__(self):
        self.memory, self.now, self.changes = Memory(), 100, 0
        self.start()

    def start(self):
        self.slots = {number: Slot(number, 0, Timing()) for number in (1, 2)}
        self.repository = ChassisRepository(OWN, self.slots, kept=self.memory, now=lambda: self.now, changed=self.note)

    def note(self):
        self.changes += 1

    def survey(self, number, records, digest=1):
        slot = self.slots[number]
        slot.asked_once, slot.hot_swap = True, HotSwapState.M4_ACTIVE
        slot.facts = BladeFacts(records=records, surveyed=True, digest=digest)

    @property
    def numbers(self):
        return list(self.repository.records)

    @property
    def times(self):
        return self.repository.added_at, self.repository.erased_at


@pytest.fixture
def bench():
    return Bench()


def test_a_blades_sensors_come_with_its_address_and_its_slot(bench):
    assert bench.numbers == [0, 1]
    bench.survey(2, records_of(address=0x20))
    assert bench.numbers == [0, 1, 0x200], "its controller is told of by the manager's own"
    record = bench.repository.records[0x200]
    assert record[:2] == b"\0\2"
    assert record[5] == 0x84, "whatever the blade says"
    seen = read_sensor_record(record)
    assert (seen.name, seen.number, len(record)) == ("2 CPU temp", 2, 5 + record[4])


def test_a_long_name_is_cut_and_a_broken_record_left_out(bench):
    whole = records_of(name="Big cores temp 1")[1]
    bench.survey(1, (whole, whole[:20], b"", whole[:3] + b"\x07" + whole[4:]))
    assert bench.numbers == [0, 1, 0x100]
    assert read_sensor_record(bench.repository.records[0x100]).name == "1 Big cores temp"


def test_times_change_with_the_records_and_with_nothing_else(bench):
    assert bench.times == (100, 100)
    bench.now = 200
    bench.survey(1, records_of())
    assert bench.times == (200, 100)
    bench.now = 300
    bench.survey(1, records_of(), digest=2)
    assert bench.times == (200, 100), "read again, and the same"
    changes = bench.changes
    bench.slots[1].hot_swap = HotSwapState.M7_COMMUNICATION_LOST
    assert (bench.times, bench.changes) == ((200, 100), changes), "it may come back"
    bench.slots[1].hot_swap = HotSwapState.M0_NOT_INSTALLED
    assert (bench.times, bench.numbers) == ((200, 300), [0, 1])


def test_a_manager_that_starts_anew_tells_what_it_told(bench):
    bench.survey(1, records_of())
    before, bench.now = (dict(bench.repository.records), bench.times), 900
    bench.start()
    assert (dict(bench.repository.records), bench.times) == before, "nobody has been asked yet"
    bench.survey(1, records_of())
    assert (dict(bench.repository.records), bench.times) == before
    bench.memory.octets = b"damaged"
    bench.start()
    assert (bench.numbers, bench.times) == ([0, 1], (900, 900))


def test_a_reader_learns_of_a_change_and_readers_do_not_disturb_each_other(bench):
    reservation = Reservation()
    bench.repository = ChassisRepository(OWN, bench.slots, kept=None, now=lambda: 1, changed=reservation.cancel)
    first, second = reservation.make(), reservation.make()
    assert len(bench.repository.records) == 2
    assert reservation.holds(first)
    assert reservation.holds(second)
    bench.survey(1, records_of())
    assert len(bench.repository.records) == 3
    assert not reservation.holds(first)


def test_whatever_a_blade_says_is_its_records_nothing_breaks(bench):
    rng = Random(1)
    for digest in range(200):
        bench.survey(1, tuple(rng.randbytes(rng.randrange(70)) for _ in range(5)), digest)
        assert all(len(record) == 5 + record[4] for record in bench.repository.records.values())
