"""Frozen bytes of each protocol version. Blades in the field speak them: do not change them, add a version."""

import json
from itertools import product
from pathlib import Path

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import InvalidField, Nothing
from blade_agent.backplane.message import CompletionCode, Request, decode
from blade_agent.backplane.messages import board as board_messages
from blade_agent.backplane.messages import boot_options as boot_messages
from blade_agent.backplane.messages import chassis as chassis_messages
from blade_agent.backplane.messages import dcmi as dcmi_messages
from blade_agent.backplane.messages import device as device_messages
from blade_agent.backplane.messages import event_log as event_log_messages
from blade_agent.backplane.messages import fru as fru_messages
from blade_agent.backplane.messages import led as led_messages
from blade_agent.backplane.messages import picmg as picmg_messages
from blade_agent.backplane.messages import record as record_messages
from blade_agent.backplane.messages import sensor as sensor_messages
from blade_agent.backplane.messages import system_info as info_messages
from blade_agent.backplane.messages import upgrade as upgrade
from blade_agent.backplane.messages import watchdog as watchdog_messages
from blade_agent.backplane.messages.blade_facts import GET_READINGS, Readings, ReadingsFrom, facts_digest
from blade_agent.backplane.messages.device import (
    GET_DEVICE_GUID,
    GET_DEVICE_ID,
    GET_SELF_TEST_RESULTS,
    DeviceId,
    Guid,
    SelfTest,
)
from blade_agent.backplane.messages.event_receiver import GET_EVENT_RECEIVER, SET_EVENT_RECEIVER, ReceiverAddress
from blade_agent.backplane.messages.heartbeat import GET_BLADE_STATUS, GET_HEARTBEAT, BladeStatus, Heartbeat
from blade_agent.backplane.messages.picmg import (
    GET_ADDRESS_INFO,
    GET_FRU_ACTIVATION_POLICY,
    GET_PICMG_PROPERTIES,
    SET_FRU_ACTIVATION,
    SET_FRU_ACTIVATION_POLICY,
    Activation,
    AddressInfo,
    AddressQuery,
    FruNumber,
    PicmgProperties,
    Policy,
    SetActivation,
    SetPolicy,
)
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    DRAIN,
    STAGE_ADDRESS,
    STAGE_STATION,
    CommitRole,
    CommitRoleCompletion,
    Drain,
    Party,
    StageAddress,
    StageStation,
    StillCarried,
    assignment_digest,
)
from blade_agent.backplane.messages.station_blades import NOTE_BLADES, NoteBlades, SlotBlade
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.cbc.controller import COMMAND_MODULES
from media_network.address import Address

FOLDER = Path(__file__).parents[2] / "golden" / "cbc"
VERSION_1, VERSION_2 = (json.loads((FOLDER / f"version_{number}.json").read_text()) for number in (1, 2))
SEALED_SINCE = {"Stage Address", "Stage Station", "Commit Role", "Drain"}
"""What version 1 had without a seal, and under another number."""
DIRECTOR = Address("127.1.1.1", 8080)
CENTER = Address("10.160.165.166", 0xAA1B)  # full of bytes that Basic Mode escapes
ASSIGNMENT = RoleAssignment(role=Role.ENGINE, epoch=0x01020304, station="north", director=DIRECTOR, center=CENTER)
DIGEST = assignment_digest(ASSIGNMENT)

CONVERSATION = [
    (
        GET_DEVICE_ID,
        Nothing(),
        DeviceId(
            device_id=0x21,
            revision=3,
            firmware_major=1,
            firmware_minor=0x42,
            ipmi_version=2,
            device_support=0,
            manufacturer=8072,
            product=0x0102,
            firmware_auxiliary=7,
        ),
    ),
    (GET_SELF_TEST_RESULTS, Nothing(), SelfTest(0x57, 0x10)),
    (GET_DEVICE_GUID, Nothing(), Guid(bytes(range(16)))),
    (GET_PICMG_PROPERTIES, Nothing(), PicmgProperties(version=0x32, max_fru=0, controller_fru=0)),
    (
        GET_ADDRESS_INFO,
        AddressQuery(fru=0, key=3, value=2, site_type=0),
        AddressInfo(hardware_address=0x42, ipmb_address=0x84, fru=0, site=2, site_type=0),
    ),
    (SET_FRU_ACTIVATION_POLICY, SetPolicy(fru=0, mask=3, bits=1), Nothing()),
    (GET_FRU_ACTIVATION_POLICY, FruNumber(0), Policy(1)),
    (SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE), Nothing()),
    (
        GET_BLADE_STATUS,
        Nothing(),
        BladeStatus(
            protocol_version=1,
            hot_swap=HotSwapState.M4_ACTIVE,
            main_board=MainBoardState.READY,
            role=Role.ENGINE,
            epoch=0x01020304,
            assignment_digest=DIGEST,
            address=Address("127.1.1.2", 8081),
            boot_id=0x0123456789ABCDEF,
            frame_faults=5,
            message_faults=6,
        ),
    ),
    (STAGE_ADDRESS, StageAddress(Party.DIRECTOR, DIRECTOR), Nothing()),
    (STAGE_ADDRESS, StageAddress(Party.CENTER, CENTER), Nothing()),
    (STAGE_ADDRESS, StageAddress(Party.CENTER, None), Nothing()),
    (STAGE_STATION, StageStation("north"), Nothing()),
    (COMMIT_ROLE, CommitRole(epoch=0x01020304, role=Role.ENGINE, assignment_digest=DIGEST), Nothing()),
    # The commands of a complete CBC.
    (board_messages.FRU_CONTROL, board_messages.ControlFru(0, board_messages.FruControl.GRACEFUL_REBOOT), Nothing()),
    (board_messages.FRU_CONTROL_CAPABILITIES, board_messages.WhichFru(0), board_messages.ControlCapabilities(0x0E)),
    (board_messages.SET_POWER_LEVEL, board_messages.SetPowerLevel(fru=0, level=2, copy=1), Nothing()),
    (
        board_messages.GET_POWER_LEVEL,
        board_messages.PowerQuery(0, board_messages.PowerKind.DESIRED_STEADY),
        board_messages.PowerLevelsReply(level=3, delay=0, multiplier=2, draws=bytes((33, 45, 150))),
    ),
    (
        board_messages.GET_FAN_SPEED_PROPERTIES,
        board_messages.WhichFru(0),
        board_messages.FanProperties(lowest=10, highest=100, normal=40, properties=0x80),
    ),
    (board_messages.SET_FAN_LEVEL, board_messages.SetFanLevel(fru=0, level=80), Nothing()),
    (
        board_messages.GET_FAN_LEVEL,
        board_messages.WhichFru(0),
        board_messages.FanLevel(override_level=80, local_level=35),
    ),
    (
        chassis_messages.GET_CHASSIS_STATUS,
        Nothing(),
        chassis_messages.ChassisStatus(power=0x61, last_event=0, miscellaneous=0x50),
    ),
    (
        chassis_messages.CHASSIS_CONTROL,
        chassis_messages.Control(chassis_messages.ChassisControl.SOFT_SHUTDOWN),
        Nothing(),
    ),
    (chassis_messages.CHASSIS_IDENTIFY, chassis_messages.IdentifyRequest(0, 1), Nothing()),
    (device_messages.COLD_RESET, Nothing(), Nothing()),
    (device_messages.WARM_RESET, Nothing(), Nothing()),
    (device_messages.GET_SYSTEM_GUID, Nothing(), Guid(bytes(range(16)))),
    (device_messages.SET_GLOBAL_ENABLES, device_messages.GlobalEnables(0x08), Nothing()),
    (device_messages.GET_GLOBAL_ENABLES, Nothing(), device_messages.GlobalEnables(0x08)),
    (
        device_messages.GET_CHANNEL_INFO,
        device_messages.ChannelNumber(0x0E),
        device_messages.ChannelInfo(
            channel=0, medium=device_messages.Medium.IPMB, protocol=1, sessions=0, vendor=7154, auxiliary=0
        ),
    ),
    (
        event_log_messages.GET_SEL_INFO,
        Nothing(),
        event_log_messages.LogInfo(
            version=0x51,
            records=2,
            free_bytes=8160,
            added_at=0x65A0AAA6,
            erased_at=0x651BA5A0,
            operations=0x0A,
        ),
    ),
    (event_log_messages.RESERVE_SEL, Nothing(), record_messages.ReservationId(0x0102)),
    (
        event_log_messages.GET_SEL_ENTRY,
        record_messages.RecordPiece(reservation=0x0102, record=1, offset=0, length_bytes=0xFF),
        record_messages.RecordPart(next_record=2, octets=bytes(range(16))),
    ),
    (
        event_log_messages.ADD_SEL_ENTRY,
        event_log_messages.LogRecord(bytes(range(16))),
        event_log_messages.RecordId(3),
    ),
    (
        event_log_messages.DELETE_SEL_ENTRY,
        event_log_messages.RemoveRecord(reservation=0x0102, record=3),
        event_log_messages.RecordId(3),
    ),
    (
        event_log_messages.CLEAR_SEL,
        event_log_messages.ClearLog(reservation=0x0102, word=b"CLR", step=event_log_messages.ClearStep.BEGIN),
        event_log_messages.Erasure(1),
    ),
    (event_log_messages.GET_SEL_TIME, Nothing(), event_log_messages.LogTime(0x65A0AAA6)),
    (event_log_messages.SET_SEL_TIME, event_log_messages.LogTime(0x65A0AAA6), Nothing()),
    (
        fru_messages.GET_FRU_INVENTORY_AREA_INFO,
        fru_messages.FruDevice(0),
        fru_messages.FruArea(length_bytes=512, access=0),
    ),
    (
        fru_messages.READ_FRU_INVENTORY_DATA,
        fru_messages.ReadFru(fru=0, offset=0x0108, count=4),
        fru_messages.FruPiece(count=4, octets=b"\x01\x02\x03\x04"),
    ),
    (
        fru_messages.WRITE_FRU_INVENTORY_DATA,
        fru_messages.WriteFru(fru=0, offset=0x0108, octets=b"\x01\x02\x03\x04"),
        fru_messages.FruWritten(4),
    ),
    (
        led_messages.GET_FRU_LED_PROPERTIES,
        led_messages.LedsOf(0),
        led_messages.LedProperties(status_leds=3, application_leds=1),
    ),
    (
        led_messages.GET_LED_COLOR_CAPABILITIES,
        led_messages.LedNumber(0, 1),
        led_messages.LedColors(colors=0x14, local_color=2, override_color=2),
    ),
    (
        led_messages.SET_FRU_LED_STATE,
        led_messages.SetLed(fru=0, led=1, function=30, on_duration=20, color=4),
        Nothing(),
    ),
    (
        led_messages.GET_FRU_LED_STATE,
        led_messages.LedNumber(0, 0),
        led_messages.LedState(states=1, local_function=10, local_on_duration=90, local_color=1),
    ),
    (
        led_messages.GET_FRU_LED_STATE,
        led_messages.LedNumber(0, 1),
        led_messages.LedState(
            states=3,
            local_function=0,
            local_on_duration=0,
            local_color=2,
            override_function=30,
            override_on_duration=20,
            override_color=4,
        ),
    ),
    (
        record_messages.GET_SDR_REPOSITORY_INFO,
        Nothing(),
        record_messages.RepositoryInfo(
            version=0x51, records=6, free_bytes=0, added_at=0x65A0AAA6, erased_at=0x65A0AAA6, operations=2
        ),
    ),
    (record_messages.RESERVE_SDR_REPOSITORY, Nothing(), record_messages.ReservationId(0x0102)),
    (
        record_messages.GET_SDR,
        record_messages.RecordPiece(reservation=0x0102, record=3, offset=5, length_bytes=8),
        record_messages.RecordPart(next_record=4, octets=bytes(range(8))),
    ),
    (record_messages.GET_DEVICE_SDR_INFO, record_messages.SdrCount(1), record_messages.DeviceSdrInfo(count=6, flags=1)),
    (record_messages.RESERVE_DEVICE_SDR_REPOSITORY, Nothing(), record_messages.ReservationId(0x0102)),
    (
        record_messages.GET_DEVICE_SDR,
        record_messages.RecordPiece(reservation=0x0102, record=3, offset=5, length_bytes=8),
        record_messages.RecordPart(next_record=4, octets=bytes(range(8))),
    ),
    (
        sensor_messages.PLATFORM_EVENT,
        sensor_messages.PlatformEvent(
            revision=4, sensor_type=1, sensor=0x30, reading_type=1, data=bytes((0x59, 0xFF, 0xFF))
        ),
        Nothing(),
    ),
    (
        sensor_messages.SET_SENSOR_HYSTERESIS,
        sensor_messages.SetHysteresis(sensor=2, mask=0xFF, rise=3, fall=1),
        Nothing(),
    ),
    (
        sensor_messages.GET_SENSOR_HYSTERESIS,
        sensor_messages.HysteresisQuery(2, 0xFF),
        sensor_messages.Hysteresis(rise=3, fall=1),
    ),
    (
        sensor_messages.SET_SENSOR_THRESHOLDS,
        sensor_messages.SetThresholds(sensor=2, present=0x38, values=bytes(range(6))),
        Nothing(),
    ),
    (
        sensor_messages.GET_SENSOR_THRESHOLDS,
        sensor_messages.SensorNumber(2),
        sensor_messages.ThresholdsReply(present=0x38, values=bytes(range(6))),
    ),
    (sensor_messages.SET_SENSOR_EVENT_ENABLE, sensor_messages.SetEventEnable(sensor=2, enables=0xC0), Nothing()),
    (
        sensor_messages.GET_SENSOR_EVENT_ENABLE,
        sensor_messages.SensorNumber(2),
        sensor_messages.EventEnable(enables=0xC0, asserted=0x0A80, deasserted=0x0A80),
    ),
    (
        sensor_messages.GET_SENSOR_READING,
        sensor_messages.SensorNumber(2),
        sensor_messages.SensorReadingReply(reading=83, flags=0xC0, states=0xC0, more_states=0x80),
    ),
    (sensor_messages.GET_SENSOR_TYPE, sensor_messages.SensorNumber(0), sensor_messages.SensorType(0xF0, 0x6F)),
    (watchdog_messages.RESET_WATCHDOG_TIMER, Nothing(), Nothing()),
    (
        watchdog_messages.SET_WATCHDOG_TIMER,
        watchdog_messages.SetWatchdog(use=4, actions=1, pre_timeout_s=0, cleared_uses=0x10, countdown=1000),
        Nothing(),
    ),
    (
        watchdog_messages.GET_WATCHDOG_TIMER,
        Nothing(),
        watchdog_messages.WatchdogState(
            use=0x44, actions=1, pre_timeout_s=0, expired_uses=0, countdown=1000, present=996
        ),
    ),
    (DRAIN, Drain(draining=True), StillCarried(0x01A5)),
    (DRAIN, Drain(draining=False), StillCarried(0)),
    # The event receiver, and firmware upgrade.
    (SET_EVENT_RECEIVER, ReceiverAddress(address=0x20, lun=0), Nothing()),
    (GET_EVENT_RECEIVER, Nothing(), ReceiverAddress(address=0x20, lun=0)),
    (
        board_messages.GET_FAN_LEVEL,
        board_messages.WhichFru(0),
        board_messages.FanLevel(override_level=0xFF, local_level=None),
    ),
    (
        upgrade.GET_TARGET_UPGRADE_CAPABILITIES,
        Nothing(),
        upgrade.UpgradeCapabilities(
            version=0,
            capabilities=0x80,
            upgrade_timeout=0,
            self_test_timeout=0,
            rollback_timeout=0,
            inaccessibility_timeout=0,
            components=1,
        ),
    ),
    (
        upgrade.GET_COMPONENT_PROPERTIES,
        upgrade.WhichProperty(component=0, selector=1),
        upgrade.PropertyValue(b"\x01\x42\x00\x00\x00\x07"),
    ),
    (upgrade.ABORT_UPGRADE, Nothing(), Nothing()),
    (
        upgrade.INITIATE_UPGRADE_ACTION,
        upgrade.InitiateUpgrade(components=1, action=upgrade.UpgradeAction.UPLOAD_FOR_UPGRADE),
        Nothing(),
    ),
    (upgrade.UPLOAD_FIRMWARE_BLOCK, upgrade.FirmwareBlock(number=3, octets=bytes(range(20))), Nothing()),
    (upgrade.FINISH_FIRMWARE_UPLOAD, upgrade.FinishUpload(component=0, length_bytes=0x01A5AA), Nothing()),
    (upgrade.GET_UPGRADE_STATUS, Nothing(), upgrade.UpgradeStatus(command=0x32, completion=0)),
    (upgrade.ACTIVATE_FIRMWARE, upgrade.Activate(1), Nothing()),
    (upgrade.QUERY_SELF_TEST_RESULTS, Nothing(), Nothing()),
    (upgrade.QUERY_ROLLBACK_STATUS, Nothing(), Nothing()),
    (upgrade.INITIATE_MANUAL_ROLLBACK, Nothing(), Nothing()),
    # What version 2 has beside the roles.
    (
        GET_HEARTBEAT,
        Nothing(),
        Heartbeat(
            protocol_version=2,
            hot_swap=HotSwapState.M4_ACTIVE,
            main_board=MainBoardState.READY,
            role=Role.ENGINE,
            epoch=0x01020304,
            assignment_digest=DIGEST,
            address=Address("127.1.1.2", 8081),
            boot_id=0x0123456789ABCDEF,
            frame_faults=5,
            message_faults=6,
            streams=0x01A5,
            facts_digest=facts_digest([b"a record", b"another"], b"an inventory"),
        ),
    ),
    (
        NOTE_BLADES,
        NoteBlades(
            (
                SlotBlade(1, DIRECTOR),
                SlotBlade(2, CENTER),
                SlotBlade(3, None),
                SlotBlade(62, Address("192.0.2.62", 65535)),
            )
        ),
        Nothing(),
    ),
    (GET_READINGS, ReadingsFrom(2), Readings(bytes(range(0xA0, 0xC0)))),
    # What a shelf and its tools ask besides.
    (picmg_messages.SET_IPMB_STATE, picmg_messages.LinkStates(first=0xFF, second=0xFF), Nothing()),
    (picmg_messages.GET_DEVICE_LOCATOR_RECORD_ID, FruNumber(0), picmg_messages.LocatorRecord(0)),
    (
        picmg_messages.COMPUTE_POWER_PROPERTIES,
        FruNumber(0),
        picmg_messages.PowerProperties(slots=1, controller_at=0),
    ),
    (
        chassis_messages.GET_CHASSIS_CAPABILITIES,
        Nothing(),
        chassis_messages.ChassisCapabilities(
            flags=0, inventory=0x84, records=0x84, log=0x84, management=0x84, bridge=0x84
        ),
    ),
    (
        chassis_messages.SET_POWER_RESTORE_POLICY,
        chassis_messages.SetRestorePolicy(chassis_messages.RestorePolicy.NO_CHANGE),
        chassis_messages.RestorePolicies(2),
    ),
    (
        chassis_messages.GET_SYSTEM_RESTART_CAUSE,
        Nothing(),
        chassis_messages.RestartCauseReply(cause=chassis_messages.RestartCause.WATCHDOG, channel=0),
    ),
    (
        chassis_messages.GET_POH_COUNTER,
        Nothing(),
        chassis_messages.PowerOnTime(minutes_a_count=1, count=0x01020304),
    ),
    (
        boot_messages.SET_SYSTEM_BOOT_OPTIONS,
        boot_messages.SetBootOption(parameter=5, data=bytes((0x80, 4, 0, 0, 0))),
        Nothing(),
    ),
    (
        boot_messages.GET_SYSTEM_BOOT_OPTIONS,
        boot_messages.BootOptionQuery(parameter=5, which_set=0, block=0),
        boot_messages.BootOption(version=1, parameter=5, data=bytes((0x80, 4, 0, 0, 0))),
    ),
    (
        info_messages.SET_SYSTEM_INFO_PARAMETERS,
        info_messages.SetSystemInfo(parameter=2, data=b"north"),
        Nothing(),
    ),
    (
        info_messages.GET_SYSTEM_INFO_PARAMETERS,
        info_messages.SystemInfoQuery(flags=0, parameter=2, which_set=0, block=0),
        info_messages.SystemInfo(revision=0x11, data=b"\0\0\x05north".ljust(17, b"\0")),
    ),
    (
        dcmi_messages.GET_DCMI_CAPABILITIES_INFO,
        dcmi_messages.CapabilitiesQuery(1),
        dcmi_messages.Capabilities(major=1, minor=5, revision=2, data=bytes((0, 1, 0))),
    ),
    (
        dcmi_messages.GET_POWER_READING,
        dcmi_messages.PowerStatisticsQuery(mode=1, attributes=0),
        dcmi_messages.PowerStatistics(
            now_w=9, least_w=3, most_w=12, average_w=7, at=0x60000000, period_ms=60000, state=0x40
        ),
    ),
    (
        sensor_messages.SET_SENSOR_EVENT_ENABLE,
        sensor_messages.SetEventEnable(sensor=2, enables=0xD0, asserted=0x0A80, deasserted=0x0A80),
        Nothing(),
    ),
    (board_messages.SET_FAN_LEVEL, board_messages.SetFanLevel(fru=0, level=80, local=1), Nothing()),
    (
        board_messages.GET_FAN_LEVEL,
        board_messages.WhichFru(0),
        board_messages.FanLevel(override_level=80, local_level=35, local=1),
    ),
    (
        led_messages.GET_FRU_LED_STATE,
        led_messages.LedNumber(0, 1),
        led_messages.LedState(
            states=5,
            local_function=0,
            local_on_duration=0,
            local_color=2,
            override_function=0,
            override_on_duration=0,
            override_color=2,
            test_duration=50,
        ),
    ),
]


def octets_of(number):
    """Give request and response octets of one step of the conversation, chassis manager to slot 2 and back."""
    command, body, reply = CONVERSATION[number]
    request = Request(
        responder=0x84,
        requester=0x20,
        net_fn=command.code.net_fn,
        command=command.code.number,
        sequence=number % 64,
        data=command.request_data(body),
    )
    return request.encode(), request.respond(CompletionCode.OK, command.reply_data(reply)).encode()


def frozen(number):
    return {
        "command": CONVERSATION[number][0].name,
        **{
            name: {
                "message": message.hex(),
                "basic_mode": BasicMode.encode(message).hex(),
                "datagram": Rmcp.encode(message).hex(),
            }
            for name, message in zip(("request", "response"), octets_of(number), strict=True)
        },
    }


def test_every_step_is_frozen():
    assert len(VERSION_2["conversation"]) == len(CONVERSATION)


def test_every_command_is_frozen():
    frozen_codes = {command.code for command, _, _ in CONVERSATION}
    assert frozen_codes == {code for module in COMMAND_MODULES for code in module.answers}


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_the_bytes_are_the_frozen_ones(number):
    assert frozen(number) == VERSION_2["conversation"][number]


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_the_frozen_bytes_are_read(number):
    command, body, reply = CONVERSATION[number]
    request, response = (
        decode(BasicMode().receive(bytes.fromhex(VERSION_2["conversation"][number][name]["basic_mode"]))[0])
        for name in ("request", "response")
    )
    assert command.read_request(request.data.removeprefix(command.code.group)) == body
    assert command.read_reply(response.data) == reply


@pytest.mark.parametrize("number", range(len(VERSION_1["conversation"])))
def test_what_carries_no_seal_is_as_it_was_in_version_1(number):
    """The standard commands, and what every version answers: tools and blades of version 1 go on reading them."""
    before = VERSION_1["conversation"][number]
    assert (before == VERSION_2["conversation"][number]) is (before["command"] not in SEALED_SINCE)


@pytest.mark.parametrize("step", [step for step in VERSION_1["conversation"] if step["command"] in SEALED_SINCE])
def test_an_order_of_version_1_is_taken_by_nobody(controller, step):
    request = decode(bytes.fromhex(step["request"]["message"]))
    held = controller.blade.post.held
    assert controller.answer(request).completion == CompletionCode.INVALID_COMMAND
    assert controller.blade.post.held == held


def test_a_refusal_of_what_was_sealed_is_sealed():
    refusal = COMMIT_ROLE.refusal_data(CommitRoleCompletion.STALE_EPOCH)
    assert refusal.hex() == VERSION_2["refusal"]


def test_a_broken_seal_is_no_request_and_no_reply():
    commit = CommitRole(epoch=7, role=Role.DIRECTOR, assignment_digest=1)
    for octets, read in (
        (COMMIT_ROLE.request_data(commit).removeprefix(COMMIT_ROLE.code.group), COMMIT_ROLE.read_request),
        (DRAIN.reply_data(StillCarried(3)), DRAIN.read_reply),
    ):
        read(octets)
        for at, bit in product(range(len(octets)), range(8)):
            spoiled = bytearray(octets)
            spoiled[at] ^= 1 << bit
            with pytest.raises(InvalidField):
                read(bytes(spoiled))


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_messages_are_short(number):
    assert all(len(octets) <= 56 for octets in octets_of(number))


def test_the_digest_of_an_assignment_is_frozen():
    for version in (VERSION_1, VERSION_2):
        assert version["assignment_digest"] == DIGEST
        assert version["unassigned_digest"] == assignment_digest(RoleAssignment())
