import pytest
from hypothesis import given
from hypothesis import strategies as st

from blade_agent.backplane.fru_format import FruFacts, areas_are_whole, fru_image
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages.device import GET_SELF_TEST_RESULTS, SelfTest
from blade_agent.backplane.messages.fru import (
    GET_FRU_INVENTORY_AREA_INFO,
    READ_FRU_INVENTORY_DATA,
    WRITE_FRU_INVENTORY_DATA,
    FruDevice,
    ReadFru,
    WriteFru,
    WriteFruCompletion,
)
from blade_agent.cbc.fru import IMAGE_BYTES, FruSettings
from tests.blade_agent.octet_file import OctetFile

FACTS = FruFacts(manufacturer="Example Boards", product="Blade One", serial_number="1")


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
        return response.completion
    return command.read_reply(response.data)


def read_all(controller):
    pieces = (
        ask(controller, READ_FRU_INVENTORY_DATA, ReadFru(fru=0, offset=offset, count=32))
        for offset in range(0, IMAGE_BYTES, 32)
    )
    return b"".join(piece.octets for piece in pieces)


def write(controller, offset, octets):
    return ask(controller, WRITE_FRU_INVENTORY_DATA, WriteFru(fru=0, offset=offset, octets=octets))


@given(st.builds(FruFacts, **dict.fromkeys(FruFacts.__struct_fields__, st.text(max_size=60))))
def test_any_facts_make_whole_areas_that_fit(facts):
    image = fru_image(facts)
    assert areas_are_whole(image)
    assert len(image) <= IMAGE_BYTES
    assert len(image) % 8 == 0


@given(st.integers(0, 7), st.integers(1, 255))
def test_a_changed_header_is_noticed(at, change):
    image = bytearray(fru_image(FACTS))
    image[at] ^= change
    assert not areas_are_whole(bytes(image))


@given(st.binary(max_size=64))
def test_any_bytes_are_judged(image):
    assert areas_are_whole(image) in (True, False)


def test_the_description_is_read_in_pieces(make_controller):
    controller = make_controller(fru=FruSettings(facts=FACTS))
    assert ask(controller, GET_FRU_INVENTORY_AREA_INFO, FruDevice(0)).length_bytes == IMAGE_BYTES
    assert read_all(controller) == fru_image(FACTS).ljust(IMAGE_BYTES, b"\x00")
    assert b"Example Boards" in read_all(controller)
    assert ask(controller, READ_FRU_INVENTORY_DATA, ReadFru(fru=0, offset=512, count=1)) == 0xC9
    assert ask(controller, READ_FRU_INVENTORY_DATA, ReadFru(fru=0, offset=0, count=33)) == 0xCA
    assert ask(controller, READ_FRU_INVENTORY_DATA, ReadFru(fru=1, offset=0, count=1)) == 0xCB


def test_it_is_written_only_where_that_is_allowed(make_controller, tmp_path):
    assert write(make_controller(), 0, b"\x01") == WriteFruCompletion.WRITE_PROTECTED
    kept = OctetFile(tmp_path / "fru")
    settings = FruSettings(facts=FACTS, kept=kept, writable=True)
    controller = make_controller(fru=settings)
    assert write(controller, 500, b"rack 7").count == 6
    assert write(controller, 510, b"beyond") == 0xC9
    restarted = make_controller(fru=settings)
    assert read_all(restarted)[500:506] == b"rack 7"
    assert restarted.blade.fru.is_whole


def test_an_eeprom_goes_before_the_facts_and_the_self_test_checks_it(make_controller, tmp_path):
    eeprom = OctetFile(tmp_path / "fru")
    eeprom.keep(fru_image(FruFacts(product="from the factory")))
    controller = make_controller(fru=FruSettings(facts=FACTS, kept=eeprom))
    assert b"from the factory" in read_all(controller)
    eeprom.keep(b"\xff" * 256)
    spoiled = make_controller(fru=FruSettings(facts=FACTS, kept=eeprom))
    assert ask(spoiled, GET_SELF_TEST_RESULTS, Nothing()) == SelfTest(0x57, 0x04)


def test_a_description_that_cannot_be_kept_is_not_changed(make_controller, tmp_path):
    folder = tmp_path / "folder"
    settings = FruSettings(facts=FACTS, kept=OctetFile(folder / "fru"), writable=True)
    controller = make_controller(fru=settings)
    folder.write_text("")  # a file can no longer be put there
    assert write(controller, 500, b"rack 7") == CompletionCode.UNSPECIFIED
    assert read_all(controller)[500:506] == bytes(6)
    with pytest.raises(OSError, match="directory"):
        make_controller(fru=settings)
