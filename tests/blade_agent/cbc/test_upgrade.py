"""Firmware upgrade over the backplane: what runs is told, and an upgrade is refused as HPM.1 says."""

import pytest

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode, Request
from blade_agent.backplane.messages import upgrade as upgrade


def ask(controller, command, body=None):
    data = command.request_data(Nothing() if body is None else body)
    code = command.code
    response = controller.answer(
        Request(responder=0x86, requester=0x20, net_fn=code.net_fn, command=code.number, sequence=1, data=data)
    )
    if response.completion != CompletionCode.OK:
        return command.completion(response.completion)
    return command.read_reply(response.data)


def test_the_component_is_the_agent_in_its_version(controller):
    def component(number, selector):
        return ask(
            controller, upgrade.GET_COMPONENT_PROPERTIES, upgrade.WhichProperty(component=number, selector=selector)
        )

    assert ask(controller, upgrade.GET_TARGET_UPGRADE_CAPABILITIES).components == 1
    assert component(0, 1).octets == bytes((1, 0x42, 0, 0, 0, 7))
    assert component(0, 2).octets == b"blade agent\0"
    assert component(0, 0).octets == b"\0"
    assert component(1, 1) is upgrade.GetPropertyCompletion.INVALID_COMPONENT
    for selector in (3, 4, 5, 255):
        assert component(0, selector) is upgrade.GetPropertyCompletion.INVALID_PROPERTY


@pytest.mark.parametrize("action", upgrade.UpgradeAction)
def test_no_upgrade_begins(controller, action):
    def initiate(components):
        return ask(
            controller, upgrade.INITIATE_UPGRADE_ACTION, upgrade.InitiateUpgrade(components=components, action=action)
        )

    assert initiate(1) is CompletionCode.WRONG_STATE
    assert initiate(0) is initiate(2) is initiate(3) is upgrade.InitiateUpgradeCompletion.INVALID_COMPONENTS
    block = upgrade.FirmwareBlock(number=0, octets=bytes(20))
    assert ask(controller, upgrade.UPLOAD_FIRMWARE_BLOCK, block) is CompletionCode.WRONG_STATE
    for command in (upgrade.QUERY_SELF_TEST_RESULTS, upgrade.QUERY_ROLLBACK_STATUS, upgrade.INITIATE_MANUAL_ROLLBACK):
        assert ask(controller, command) is CompletionCode.WRONG_STATE
    assert ask(controller, upgrade.ACTIVATE_FIRMWARE, upgrade.Activate()) is CompletionCode.WRONG_STATE
    assert ask(controller, upgrade.GET_UPGRADE_STATUS) == upgrade.UpgradeStatus(command=0, completion=0)
    assert ask(controller, upgrade.ABORT_UPGRADE) == Nothing()
