"""Frozen bytes of protocol version 1. Blades in the field speak them: do not change them, add a version."""

import json
from pathlib import Path

import pytest

from blade_agent.cbc.basic_mode import BasicMode
from blade_agent.cbc.device_messages import (
    GET_DEVICE_GUID,
    GET_DEVICE_ID,
    GET_SELF_TEST_RESULTS,
    DeviceId,
    Guid,
    SelfTest,
)
from blade_agent.cbc.hot_swap import HotSwapState
from blade_agent.cbc.layout import Nothing
from blade_agent.cbc.message import CompletionCode, Request, decode
from blade_agent.cbc.picmg_messages import (
    GET_ADDRESS_INFO,
    GET_FRU_ACTIVATION_POLICY,
    GET_PICMG_PROPERTIES,
    SET_FRU_ACTIVATION,
    SET_FRU_ACTIVATION_POLICY,
    Activation,
    AddressInfo,
    AddressQuery,
    Fru,
    PicmgProperties,
    Policy,
    SetActivation,
    SetPolicy,
)
from blade_agent.cbc.rmcp import Rmcp
from blade_agent.cbc.role import MainBoardState, Role, RoleAssignment
from blade_agent.cbc.role_messages import (
    COMMIT_ROLE,
    GET_BLADE_STATUS,
    STAGE_ADDRESS,
    STAGE_STATION,
    BladeStatus,
    CommitRole,
    Party,
    StageAddress,
    StageStation,
    assignment_digest,
)
from media_network.address import Address

VERSION_1 = json.loads((Path(__file__).parents[2] / "golden" / "cbc" / "version_1.json").read_text())
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
    (GET_FRU_ACTIVATION_POLICY, Fru(0), Policy(1)),
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
]


def octets_of(number):
    """Give request and response octets of one step of the conversation, chassis manager to slot 2 and back."""
    command, body, reply = CONVERSATION[number]
    request = Request(
        responder=0x84,
        requester=0x20,
        net_fn=command.code.net_fn,
        command=command.code.number,
        sequence=number,
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
    assert len(VERSION_1["conversation"]) == len(CONVERSATION)


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_the_bytes_are_the_frozen_ones(number):
    assert frozen(number) == VERSION_1["conversation"][number]


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_the_frozen_bytes_are_read(number):
    command, body, reply = CONVERSATION[number]
    request, response = (
        decode(BasicMode().receive(bytes.fromhex(VERSION_1["conversation"][number][name]["basic_mode"]))[0])
        for name in ("request", "response")
    )
    assert command.read_request(request.data.removeprefix(command.code.group)) == body
    assert command.read_reply(response.data) == reply


@pytest.mark.parametrize("number", range(len(CONVERSATION)))
def test_messages_are_short(number):
    assert all(len(octets) <= 48 for octets in octets_of(number))


def test_the_digest_of_an_assignment_is_frozen():
    assert VERSION_1["assignment_digest"] == DIGEST
    assert VERSION_1["unassigned_digest"] == assignment_digest(RoleAssignment())
