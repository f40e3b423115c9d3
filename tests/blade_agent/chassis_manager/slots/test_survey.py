"""What a blade says of itself over the standard commands is believed when it is what the sealed heartbeat names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from blade_agent.backplane.fru_format import FruFacts, fru_image, read_fru
from blade_agent.backplane.message import CompletionCode, checksum
from blade_agent.backplane.messages.board import GET_POWER_LEVEL
from blade_agent.backplane.messages.fru import READ_FRU_INVENTORY_DATA
from blade_agent.backplane.messages.record import GET_DEVICE_SDR
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware

PRINTABLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=2, max_size=31)


@pytest.fixture
def surveyed(bench):
    def begin(spoil=None, slots=2):
        chassis = bench(slots, make_hardware=lambda _: DeskHardware())
        if spoil is not None:
            spoil(chassis.blades[2])
        chassis.run_until(lambda: chassis.chassis.slots[2].facts.surveyed, 20)
        return chassis

    return begin


def spoil_some(blade, command, how_often):
    """Let so many answers to a command be other than they are, as noise makes them that the 8-bit sum lets through."""
    today, left = blade.answer, [how_often]

    def answer(request):
        response = today(request)
        of_command = (request.net_fn, request.command) == (command.code.net_fn, command.code.number)
        if not of_command or not left[0] or response.completion != CompletionCode.OK:
            return response
        left[0] -= 1
        return replace(response, data=response.data[:-1] + bytes([response.data[-1] ^ 0x10]))

    blade.answer = answer
    return left


@pytest.mark.parametrize("command", [GET_DEVICE_SDR, READ_FRU_INVENTORY_DATA, GET_POWER_LEVEL], ids=lambda c: c.name)
def test_what_was_read_wrong_is_read_again(surveyed, command):
    true = surveyed().chassis.slots[2].facts
    left = []
    facts = surveyed(lambda blade: left.extend([spoil_some(blade, command, 1)])).chassis.slots[2].facts
    assert left == [[0]]
    assert facts == true


def test_what_stays_wrong_is_taken_in_the_end_for_blades_are_cooled_by_it(surveyed):
    facts = surveyed(lambda blade: spoil_some(blade, READ_FRU_INVENTORY_DATA, 10_000)).chassis.slots[2].facts
    assert facts.sensors


def test_facts_are_read_once_and_again_when_they_change(surveyed):
    chassis = surveyed()
    chassis.run(5)
    blade, asked = chassis.blades[2], []
    answer = blade.answer

    def noting(request):
        asked.append((request.net_fn, request.command))
        return answer(request)

    blade.answer = noting
    chassis.run(60)
    read = (READ_FRU_INVENTORY_DATA.code.net_fn, READ_FRU_INVENTORY_DATA.code.number)
    assert read not in asked
    blade.blade.fru.image = fru_image(FruFacts(product="another", serial_number="S-17")).ljust(512, b"\x00")
    chassis.run(10)
    assert read in asked
    board = chassis.chassis.slots[2].facts.board
    assert (board.product, board.serial_number) == ("another", "S-17")


@given(st.builds(FruFacts, **dict.fromkeys(FruFacts.__struct_fields__, PRINTABLE | st.just(""))))
def test_an_inventory_is_read_as_it_was_written(facts):
    assert read_fru(fru_image(facts)) == facts


@given(st.binary(max_size=600))
def test_any_bytes_are_an_inventory_that_says_something_or_nothing(image):
    facts = read_fru(image)
    assert all(getattr(facts, name).isprintable() for name in FruFacts.__struct_fields__)


@given(st.data())
def test_any_area_with_its_sums_right_is_read_within_its_bounds(data):
    area = bytes((1, 4)) + data.draw(st.binary(min_size=29, max_size=29))
    area += bytes([checksum(area)])
    header = bytes((1, 0, 0, 0, 1, 0, 0))
    facts = read_fru(header + bytes([checksum(header)]) + area)
    assert sum(len(getattr(facts, name)) for name in FruFacts.__struct_fields__) <= 2 * len(area)


def test_packed_letters_and_digits_are_read():
    """IPMI FRU definition, section 13: 6-bit ASCII "IPMI" is 29 DC A6, BCD plus has digits, blank, dash and dot."""
    fields = bytes([0x83, 0x29, 0xDC, 0xA6, 0x43, 0x12, 0xB4, 0xC5, 0x02, 0xAB, 0xCD, 0xC1])
    area = (bytes((1, 2, 0x19)) + fields).ljust(15, b"\x00")
    header = bytes((1, 0, 0, 0, 1, 0, 0))
    facts = read_fru(header + bytes([checksum(header)]) + area + bytes([checksum(area)]))
    assert (facts.manufacturer, facts.product, facts.part_number) == ("IPMI", "12-4.5", "abcd")
