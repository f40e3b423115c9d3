"""What tools of data centers ask a blade: boot options, restart cause, policy, names, events of one sensor, faults."""

import uuid

import pytest
from msgspec.structs import replace

from blade_agent.backplane.guid import guid_of
from blade_agent.backplane.message import Request
from blade_agent.backplane.sensor_codes import Threshold
from blade_agent.cbc.hardware import BoardAction

BOOT_FROM_NETWORK = bytes((5, 0xC0, 4, 0, 0, 0))


@pytest.fixture
def ask(equipped):
    def asked(net_fn, command, *data):
        request = Request(responder=0x86, requester=0x20, net_fn=net_fn, command=command, sequence=1, data=bytes(data))
        return equipped.answer(request)

    return asked


def test_boot_flags_hold_for_a_minute_unless_they_are_told_to_stay(equipped, ask):
    assert ask(0, 8, *BOOT_FROM_NETWORK).completion == 0
    assert ask(0, 9, 5, 0, 0).data == bytes((1, 5)) + BOOT_FROM_NETWORK[1:]
    equipped.clock.pass_s(61)
    assert ask(0, 9, 5, 0, 0).data == bytes((1, 5, 0x40, 4, 0, 0, 0))
    assert ask(0, 8, 3, 8).completion == 0
    assert ask(0, 8, *BOOT_FROM_NETWORK).completion == 0
    equipped.clock.pass_s(3600)
    assert ask(0, 9, 5, 0, 0).data == bytes((1, 5)) + BOOT_FROM_NETWORK[1:]
    assert ask(0, 8, 0x85).completion == 0
    assert ask(0, 9, 5, 0, 0).data[1] == 0x85, "marked as one that does not hold"
    assert ask(0, 8, 4, 1, 1).completion == 0
    assert ask(0, 9, 4, 0, 0).data == b"\x01\x04\x00\x01"
    assert ask(0, 8, 6, 0).completion == ask(0, 9, 7, 0, 0).completion == 0x80
    assert ask(0, 8, 5, 0).completion == 0xC7


def test_the_restart_cause_is_what_the_controller_did(equipped, ask):
    assert ask(0, 7).data == b"\0\0"
    assert ask(0, 2, 2).completion == 0
    assert equipped.hardware.acted[-1] is BoardAction.POWER_CYCLE
    assert ask(0, 7).data == b"\1\0"
    assert ask(0, 2, 0).completion == 0
    ask(6, 0x24, 4, 1, 0, 0x10, 10, 0)
    ask(6, 0x22)
    equipped.clock.pass_s(2)
    assert ask(0, 7).data == b"\4\0"


def test_single_events_of_a_sensor_are_chosen(equipped, ask):
    assert ask(4, 0x28, 2, 0xE0, 0x80, 0x02, 0x80, 0x02).completion == 0
    assert ask(4, 0x29, 2).data == bytes((0xC0, 1, 0x08, 1, 0x08)), "the outermost two are left"
    equipped.hardware.temperature.value = 82.0
    equipped.clock.pass_s(1)
    before = len(equipped.blade.log.records)
    equipped.settle()
    assert len(equipped.blade.log.records) == before
    assert ask(4, 0x28, 2, 0xD0, 0x80).completion == 0
    assert ask(4, 0x29, 2).data == bytes((0xC0, 0x81, 0x08, 1, 0x08))
    assert ask(4, 0x28, 2, 0xF0).completion == 0xCC


def test_names_and_versions_are_told_in_blocks_and_not_set(ask):
    assert ask(6, 0x59, 0, 2, 0, 0).data == b"\x11\0\0\x07blade 3".ljust(18, b"\0")
    assert ask(6, 0x59, 0x80, 2, 0, 0).data == b"\x11"
    assert ask(6, 0x59, 0, 2, 9, 0).completion == 0xC9
    assert ask(6, 0x59, 0, 0x77, 0, 0).completion == 0x80
    assert ask(6, 0x58, 2, 0).completion == 0x82
    assert ask(6, 0x58, 0x77, 0).completion == 0x80


def test_a_restore_policy_is_not_chosen_where_there_is_none(ask):
    assert ask(0, 6, 3).data == b"\0"
    assert ask(0, 6, 1).completion == 0xCC


def test_a_guid_is_a_uuid_of_rfc_4122_the_same_at_every_start():
    guid = uuid.UUID(bytes=guid_of("a blade"))
    assert (guid.version, guid.variant) == (5, uuid.RFC_4122)
    assert guid_of("a blade") == guid.bytes != guid_of("another")


def test_a_guid_travels_least_significant_byte_first(equipped, ask):
    assert ask(6, 8).data == ask(6, 0x37).data == equipped.blade.identity.guid[::-1]


def test_a_light_under_test_says_all_of_itself(equipped, ask):
    assert len(ask(0x2C, 8, 0, 0, 1).data) == 5
    assert ask(0x2C, 7, 0, 0, 1, 0xFB, 20, 0x0F).completion == 0
    state = ask(0x2C, 8, 0, 0, 1).data
    assert (len(state), state[1], state[8]) == (9, 0x05, 20)
    assert ask(0x2C, 7, 0, 0, 1, 0xFF, 0, 0x0F).completion == 0
    assert len(ask(0x2C, 8, 0, 0, 1).data) == 8


def test_a_fan_that_stands_and_a_voltage_that_is_gone_are_faults_of_the_chassis(make_controller, make_hardware):
    hardware = make_hardware()
    fan, supply = hardware.tachometer, hardware.supply
    fan.facts = replace(fan.facts, thresholds={Threshold.LOWER_CRITICAL: 480.0})
    supply.facts = replace(supply.facts, thresholds={Threshold.LOWER_CRITICAL: 4.5})
    blade = make_controller(hardware=hardware)

    def faults():
        blade.blade.sensors.look_again()
        status = blade.answer(Request(responder=0x86, requester=0x20, net_fn=0, command=1, sequence=1)).data
        return bool(status[0] & 0x08), bool(status[2] & 0x08)

    fan.value, supply.value = 3000.0, 5.0
    assert faults() == (False, False)
    fan.value = 0.0
    assert faults() == (False, True)
    supply.value = 0.0
    assert faults() == (True, True)
