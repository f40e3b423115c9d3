"""The controller at 20h as ipmitool sees it: the chassis as a whole, its sensors, its event log."""

import asyncio
import re

import pytest

from blade_agent.cbc.hardware import BoardAction
from tests.blade_agent.chassis_manager.lan.management_tree import write_tree
from tests.patience import until

COMMANDS = [
    ("mc info", 0, ["Device ID", "SEL Device", "SDR Repository Device", "FRU Inventory Device", "Chassis Device"]),
    ("mc selftest", 0, ["Selftest: passed"]),
    ("mc getenables", 0, ["System Event Logging", "enabled"]),
    ("sdr list all", 0, ["chassis manager", "Inlet temp", "22", "slot 3", "Slot 1", "Supply 1 V", "12"]),
    ("sdr elist full", 0, ["Inlet temp", "22", "Supply 2 W"]),
    ("sdr elist compact", 0, ["Slot 2", "Supply 1"]),
    ("sdr elist event", 0, ["Power budget", "Director", "Logins", "Overheating"]),
    ("sdr elist mcloc", 0, ["slot 1", "slot 2", "slot 3", "chassis manager"]),
    ("sdr type Temperature", 0, ["Inlet temp", "22"]),
    (
        "sensor list",
        0,
        ["Inlet temp       | 22.000     | degrees C  | ok", "Supply 1 W       |", "| Watts", "Supply 2 V       | 12"],
    ),
    ("sensor get Inlet_temp", 0, ["Sensor Reading        : 22", "Upper Critical        : 50"]),
    ("sdr get Slot_1", 0, ["FRU Hot Swap", "Transition to M4"]),
    ("sensor thresh Inlet_temp unc 30", 0, ["Setting sensor", "30.000"]),
    ("fru print 0", 0, ["media station chassis", "north", "Chassis emulator", "EM-CHASSIS", "Board Serial"]),
    ("dcmi power reading", 0, ["Instantaneous power reading:                    80 Watts"]),
    ("chassis poh", 0, ["POH Counter"]),
    ("raw 0x00 0x07", 0, ["00 00"]),
    ("chassis policy list", 0, ["Supported chassis power policy"]),
    ("chassis bootdev pxe", 0, ["Set Boot Device to pxe"]),
    ("chassis bootparam get 5", 0, ["Force PXE"]),
    ("lan print 1", 0, ["127.0.0.1", "Subnet Mask             : 255.0.0.0", "RMCP+ Cipher Suites     : 3,17"]),
    ("user list 1", 0, ["root", "watch", "ADMINISTRATOR"]),
    ("user test 3 16 only_looking", 0, ["Success"]),
    ("user test 3 16 guess", 1, ["password incorrect"]),
    ("user disable 3", 1, []),
    ("channel getaccess 1 3", 0, ["watch", "USER"]),
    ("sol info 1", 0, ["Enabled                         : false"]),
    ("sel info", 0, ["Version          : 1.5 (v1.5, v2 compliant)", "Entries          :"]),
    ("sel list", 0, ["FRU Hot Swap", "Transition to M4"]),
    ("sel time get", 0, ["/"]),
    ("chassis status", 0, ["System Power         : on", "Main Power Fault     : false"]),
    ("chassis identify 5", 0, ["Chassis identify interval: 5 seconds"]),
    ("picmg properties", 0, ["PICMG Ext. Version : 2.3"]),
    ("picmg addrinfo", 0, ["IPMB-0 Address   : 0x20", "Dedicated Shelf Manager"]),
    ("raw 0x2c 0x01 0x00 0x00 0x03 0x02 0x00", 0, ["00 42 84 ff 00 02 00"]),
    ("raw 0x00 0x00", 0, ["00 20 20 20 20"]),
    ("event 1", 0, ["Temperature"]),
    ("sel clear", 0, ["Clearing SEL"]),
    ("sel elist", 0, []),
]


@pytest.mark.peer("ipmitool")
def test_ipmitool_reads_the_chassis_at_20h(board):
    async def story():
        async with board as running:
            await until(lambda: running.manager.state().inlet_celsius == 22.0)
            # Blades tell of themselves in their own time, each of all its moves; none comes after the log was cleared.
            await until(lambda: [row.event for row in running.manager.events(0).events].count("M3 to M4") == 3)
            for command, code, lines in COMMANDS:
                returned, output = await running.ipmitool(*(part.replace("_", " ") for part in command.split()))
                assert returned == code, (command, output)
                for line in lines:
                    assert line in output, (command, line, output)
            assert [row.event for row in running.manager.events(0).events] == []

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_power_at_20h_is_the_chassis_and_behind_it_the_blade(board):
    async def story():
        async with board as running:
            assert (await running.ipmitool("-t", "0x84", "chassis", "power", "off"))[0] == 0
            assert [hardware.acted for hardware in board.made.values()] == [[], [BoardAction.POWER_OFF], []]
            assert running.manager.state().slots[1].desired_power == "off"
            assert (await running.ipmitool("chassis", "power", "cycle"))[0] == 0
            await until(lambda: all(BoardAction.POWER_CYCLE in hardware.acted for hardware in board.made.values()))
            assert (await running.ipmitool("chassis", "power", "diag"))[0] == 1

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_wrong_passwords_come_into_the_log_and_the_status(board):
    async def story():
        async with board as running:
            for _ in range(2):
                await running.ipmitool("mc", "info", password="guess")
            endpoint = running.server.endpoint
            endpoint.tick(asyncio.get_running_loop().time() + 60)
            state = running.manager.state()
            assert state.failed_logins == endpoint.login.attempts.failures >= 1
            events = [row for row in running.manager.events(0).events if row.sensor == "Logins"]
            assert [(row.event, row.severity) for row in events] == [("wrong password, 1 in all", "warning")]

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_a_supply_that_fails_lowers_the_budget_and_stands_in_the_log(board):
    async def story():
        async with board as running:
            await until(lambda: running.manager.state().budget.capacity_w == 500.0)
            write_tree(board.root, volts=(0.0, 12.0), watts=(0.0, 80.0))
            await until(lambda: running.manager.state().budget.capacity_w == 250.0)
            assert [supply.works for supply in running.manager.state().supplies] == [False, True]
            _, output = await running.ipmitool("sel", "list")
            assert "Power Supply #0x60 | Failure detected | Asserted" in output
            assert "Main Power Fault     : true" in (await running.ipmitool("chassis", "status"))[1]
            assert "Failure detected" in (await running.ipmitool("sdr", "elist", "compact"))[1]
            assert re.search(r"Supply 1 V .*\| 0\.000 .*\| cr", (await running.ipmitool("sensor", "list"))[1])
            write_tree(board.root)
            await until(lambda: running.manager.state().budget.capacity_w == 500.0)
            events = [row for row in running.manager.events(0).events if row.sensor == "Supply 1"]
            assert [(row.event, row.severity) for row in events] == [
                ("failed", "critical"),
                ("failed: has ended", "info"),
            ]

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_activation_and_power_over_the_bridge_are_orders_to_the_manager(board):
    async def story():
        async with board as running:

            async def tool(*command):
                return await running.ipmitool("-t", "0x86", *command)

            def slot():
                return running.manager.state().slots[2]

            assert (await tool("picmg", "deactivate", "0"))[0] == 0
            await until(lambda: slot().hot_swap == "M1")
            assert (slot().wanted_in_service, slot().waits_for) == (False, "out of service by order")
            assert (await tool("picmg", "activate", "0"))[0] == 0
            await until(lambda: slot().hot_swap == "M4")
            assert slot().wanted_in_service
            assert (await tool("chassis", "power", "off"))[0] == 0
            assert (slot().desired_power, board.made[3].acted) == ("off", [BoardAction.POWER_OFF])
            assert (await tool("picmg", "power", "set", "0", "1", "0"))[0] == 0
            await until(lambda: board.made[3].power.set[-2:] == [1, 3])  # the budget has its own mind
            returned, output = await tool("raw", "0x2c", "0x0c", "0", "7", "1")
            assert (returned, "rsp=0xcb" in output) == (1, True)
            returned, output = await tool("raw", "0x2c", "0x0c", "0", "0", "9")
            assert (returned, "rsp=0xcc" in output) == (1, True)

    asyncio.run(story())
