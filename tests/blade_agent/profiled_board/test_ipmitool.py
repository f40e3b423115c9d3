"""ipmitool against the CBC on an emulated board, over a PTY: it sees the board, and acts on it."""

import asyncio
import shlex
import subprocess
from dataclasses import replace

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.role import MainBoardState
from blade_agent.backplane.serial_line import ServicePort
from blade_agent.wires import Wires
from tests.blade_agent.profiled_board.conftest import COOL, MemoryWire
from tests.patience import PATIENCE_S, until

LOOK = [
    (
        "sdr elist",
        ["SoC temp         | 02h | ok  |  3.96 | 30 degrees C", "Fan              | 07h | ok  | 29.96 | 2400 RPM"],
    ),
    ("sensor list", ["12 V supply      | 12.000     | Volts      | ok    | na        | 10.800"]),
    ("fru print", ["Board Mfg             : Example Boards", "Product Serial        : 0042"]),
    ("chassis status", ["System Power         : on", "Power Restore Policy : previous"]),
    ("hpm check", ["|   0|blade agent  |   0.01"]),
    ("hpm targetcap", ["Component 0 presence....[y]", "Component 1 presence....[n]", "Upgrade undesirable.....[y]"]),
    ("hpm compprop 0 2", ["blade agent"]),
    ("picmg power get 0 0", ["Actual Power Level:          3"]),
    ("raw 0x04 0x01", ["20 00"]),
]


async def ipmitool(path, command):
    process = await asyncio.create_subprocess_exec(
        *("ipmitool", "-I", "serial-basic", "-D", f"{path}:115200", *shlex.split(command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/usr/sbin:/bin"},
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, (command, output)
    return output.decode()


async def becomes(path, command, wanted):
    """Ask again until the answer has what is wanted: the board is measured once a second."""
    async with asyncio.timeout(PATIENCE_S):
        while wanted not in (output := await ipmitool(path, command)):
            pass
    return output


@pytest.mark.peer("ipmitool")
def test_ipmitool_sees_the_board_and_acts_on_it(emulated, eeprom):
    emulated.tree.write_fru(eeprom)

    async def story():
        service = ServicePort()
        wires = Wires(backplane=MemoryWire(), framing=BasicMode(), service_port=service.line)
        async with emulated.running(wires):
            path = service.path
            await becomes(path, "sdr elist full", "SoC temp         | 02h | ok")
            for command, lines in LOOK:
                output = await ipmitool(path, command)
                for line in lines:
                    assert line in output, (command, output)

            emulated.tree.write(replace(COOL, temperature_c=88.0))
            await becomes(path, 'sensor get "SoC temp"', "Status                : Upper Critical")
            emulated.tree.write(COOL)
            log = await becomes(path, "sel elist", "SoC temp | Upper Critical going high | Deasserted")
            assert "SoC temp | Upper Critical going high | Asserted" in log
            emulated.corrupt("sys/class/thermal/thermal_zone0/temp", b"nonsense\n")
            await becomes(path, "sdr elist full", "SoC temp         | 02h | ns")

            await ipmitool(path, "raw 0x2c 0x15 0 0 70")
            await becomes(path, "raw 0x2c 0x16 0 0", "00 46 64")
            await ipmitool(path, "picmg led set 0 1 255 0 2")
            await until(lambda: emulated.tree.lights()["fault"] == (1000, 0))
            await until(lambda: emulated.tree.fan_duty() == 1.0)

            await ipmitool(path, "chassis power off")
            await becomes(path, "chassis power status", "Chassis Power is off")
            assert emulated.blade.main_board.status().state is MainBoardState.OFF
            await ipmitool(path, "chassis power on")
            await becomes(path, "chassis power status", "Chassis Power is on")
            boot = emulated.cbc.blade.boot_id
            await ipmitool(path, "chassis power cycle")
            await becomes(path, "chassis power status", "Chassis Power is on")
            assert emulated.cbc.blade.boot_id != boot

            boot = emulated.cbc.blade.boot_id
            await ipmitool(path, "raw 0x06 0x24 0x04 0x01 0x00 0x10 0x05 0x00")
            await ipmitool(path, "mc watchdog reset")
            await becomes(path, "sel elist", "Watchdog2 Watchdog | Hard reset")
            assert emulated.cbc.blade.boot_id != boot
        service.close()

    asyncio.run(story())
