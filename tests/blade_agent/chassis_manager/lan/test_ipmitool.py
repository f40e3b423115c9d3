"""A chassis manager as ipmitool sees it: real lines to real controllers, and RMCP+ on a loopback socket."""

import asyncio
from random import Random

import pytest

from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.lan.users import generated_administrator
from tests.patience import PATIENCE_S, until

GUID = "000102030405060708090A0B0C0D0E0F"
USERS = (generated_administrator(Random(1)),)

COMMANDS = [
    ("mc info", 0, ["Device ID                 : 16", "Chassis Device", "SEL Device", "SDR Repository Device"]),
    ("mc selftest", 0, ["Selftest: passed"]),
    ("mc guid", 0, [GUID]),
    ("chassis status", 0, ["System Power         : on", "Power Restore Policy : unknown"]),
    ("session info active", 0, ["privilege level               : ADMINISTRATOR", "IPMIv2/RMCP+", "127.0.0.1"]),
    ("channel info 1", 0, ["802.3 LAN", "Active Session Count  : 1"]),
    ("channel info 0", 0, ["IPMB (I2C)", "session-less"]),
    ("channel authcap 1 4", 0, ["Channel supports IPMI v1.5 : no", "Channel supports IPMI v2.0 : yes"]),
    ("channel getciphers ipmi 1", 0, ["3    N/A     hmac_sha1 ", "17   N/A     hmac_sha256 "]),
    ("picmg properties", 0, ["PICMG Ext. Version : 2.3"]),
    ("picmg addrinfo", 0, ["IPMB-0 Address   : 0x20", "Dedicated Shelf Manager"]),
    ("raw 0x06 0x7f", 1, ["rsp=0xc1"]),
    ("-t 0x82 mc info", 0, ["Device ID                 : 65"]),
    ("-t 0x84 mc info", 0, ["Device ID                 : 66"]),
    ("-t 0x86 mc selftest", 0, ["Selftest: passed"]),
    ("-t 0x84 picmg addrinfo", 0, ["IPMB-0 Address   : 0x84", "Site ID          : 0x02"]),
    ("-t 0x84 picmg policy get 0", 0, ["activation not locked"]),
    ("-t 0x86 raw 0x2e 0x01 0x88 0x1f 0x00", 0, ["88 1f 00 02 04"]),
    ("-t 0x84 raw 0x06 0x7f", 1, ["rsp=0xc1"]),
    ("-t 0x88 mc info", 1, ["0x83"]),
    ("-t 0xa0 mc info", 1, ["0x83"]),
]


@pytest.mark.peer("ipmitool")
@pytest.mark.parametrize("suite", [3, 17])
def test_ipmitool_drives_the_manager_and_every_blade_behind_it(chassis, suite):
    async def story():
        async with chassis(empty=(4,)) as running:
            for command, code, lines in COMMANDS:
                returned, output = await running.ipmitool(*command.split(), suite=suite)
                assert returned == code, (command, output)
                for line in lines:
                    assert line in output, (command, output)
            endpoint = running.server.endpoint
            assert len(endpoint.sessions) == endpoint.login.attempts.failures == endpoint.faults.total() == 0
            assert {slot.hot_swap for slot in running.manager.snapshot()} == {"M0", "M4"}

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_ipmitool_finds_the_best_suite_by_itself(chassis):
    async def story():
        async with chassis(slots=(1,)) as running:
            address = running.server.address
            process = await asyncio.create_subprocess_exec(
                *("ipmitool", "-v", "-I", "lanplus", "-H", address.host, "-p", str(address.port)),
                *("-U", "root", "-P", "correct horse batt", "mc", "guid"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
            assert process.returncode == 0, output
            assert GUID.encode() in output

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_who_may_not_gets_no_further(chassis, caplog):
    async def story():
        async with chassis() as running:
            watch = {"user": "watch", "password": "only looking"}
            assert (await running.ipmitool("-L", "USER", "-t", "0x84", "mc", "info", **watch))[0] == 0
            assert (await running.ipmitool("mc", "info", **watch))[0] == 1
            blade = running.blades[2].blade
            before = blade.hot_swap.state
            returned, output = await running.ipmitool("-L", "USER", "-t", "0x84", "picmg", "deactivate", "0", **watch)
            assert (returned, blade.hot_swap.state) == (1, before), output
            night = {"user": "night", "password": "third shift"}
            returned, output = await running.ipmitool(
                "-L", "OPERATOR", "-t", "0x84", "picmg", "deactivate", "0", **night
            )
            assert returned == 0, output
            await until(lambda: [slot.hot_swap for slot in running.manager.snapshot()] == ["M4", "M1", "M4"])
            endpoint = running.server.endpoint
            for user, password in (("root", "guess"), ("nobody", "guess")):
                returned, output = await running.ipmitool("mc", "info", user=user, password=password)
                assert returned == 1
                assert "Unable to establish" in output
            assert endpoint.login.half_open == 2
            endpoint.tick(asyncio.get_running_loop().time() + 60)
            assert endpoint.login.attempts.failures == 2
            assert "login as 'root' from 127.0.0.1 failed" in caplog.text

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_a_tool_without_a_pause_takes_no_blade_from_its_manager(chassis):
    async def story():
        async with chassis() as running:
            tools = [running.ipmitool("-t", target, "mc", "info") for target in ("0x82", "0x84", "0x84", "0x86") * 2]
            assert [returned for returned, _ in await asyncio.gather(*tools)] == [0] * 8
            assert {slot.hot_swap for slot in running.manager.snapshot()} == {"M4"}

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_a_blade_that_falls_silent_is_told_as_such(chassis):
    async def story():
        async with chassis() as running:
            running.blades[2].close()
            returned, output = await running.ipmitool("-t", "0x84", "mc", "info")
            assert returned == 1
            assert "0xc3" in output.lower() or "Timeout" in output or "0x83" in output, output
            assert (await running.ipmitool("-t", "0x86", "mc", "info"))[0] == 0

    asyncio.run(story())


def test_a_port_in_use_is_an_error_at_the_door(chassis):
    async def story():
        async with chassis(slots=(1,)) as running:
            here = {"guid": bytes(16), "users": USERS, "rng": Random(1)}
            with pytest.raises(OSError, match="in use"):
                async with lan_server(running.server.address, manager=running.manager, **here):
                    pass
            with pytest.raises(ValueError, match="needs users"):
                async with lan_server(running.server.address, manager=running.manager, **{**here, "users": ()}):
                    pass

    asyncio.run(story())
