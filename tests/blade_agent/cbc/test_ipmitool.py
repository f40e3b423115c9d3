"""ipmitool against a fully equipped blade: one command line after the other, each with what it must print."""

import asyncio
import shlex
import subprocess

import pytest

from blade_agent.backplane.fru_format import FruFacts
from blade_agent.backplane.led_light import LedColor, LedLight
from blade_agent.backplane.serial_line import ServicePort
from blade_agent.cbc.clock import LoopClock
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.hardware import BoardAction
from tests.patience import PATIENCE_S

FACTS = FruFacts(
    manufacturer="Example Boards",
    product="Blade One",
    part_number="EB-1",
    version="C",
    serial_number="0042",
    asset_tag="rack 7",
)

TABLE = [
    ("mc info", 0, ["Provides Device SDRs      : yes", "SEL Device", "FRU Inventory Device", "Chassis Device"]),
    ("mc guid", 0, ["0F0E0D0C0B0A09080706050403020100"]),
    ("mc selftest", 0, ["passed"]),
    ("mc getenables", 0, ["System Event Logging                     : enabled"]),
    ("mc setenables system_event_log off", 0, ["System Event Logging                     : disabled"]),
    ("event 1", 0, []),
    ("mc setenables system_event_log on", 0, ["System Event Logging                     : enabled"]),
    ("channel info", 0, ["IPMB"]),
    ("mc watchdog get", 0, ["Stopped", "Initial Countdown:      0.0 sec"]),
    ("mc watchdog reset", 1, ["uninitialized watchdog"]),
    ("raw 0x06 0x24 0x04 0x01 0x00 0x10 0xe8 0x03", 0, []),
    ("mc watchdog reset", 0, ["countdown restarted"]),
    ("mc watchdog get", 0, ["SMS/OS (0x44)", "Started/Running", "Hard Reset", "100.0 sec"]),
    ("mc watchdog off", 0, ["timer stopped"]),
    ("mc watchdog get", 0, ["Stopped"]),
    ("raw 0x06 0x24 0x04 0x11 0x05 0x10 0xe8 0x03", 1, ["rsp=0xcc"]),
    ("sdr info", 0, ["SDR Version                         : 0x51", "Record Count                        : 6"]),
    ("sdr list all", 0, ["blade 3          | Dynamic MC @ 86h", "CPU Temp         | 41.50 degrees C   | ok"]),
    ("sdr elist full", 0, ["Fan              | 03h | ok  | 160.96 | 4080 RPM", "5V               | 04h | ns"]),
    ("sdr elist", 0, ["Hot Swap         | 00h | ok  | 160.96 | Transition to M2"]),
    ("sdr type Temperature", 0, ["CPU Temp         | 02h"]),
    ("sdr type Fan", 0, ["Fan              | 03h"]),
    ("sdr entity 160", 0, ["Watchdog         | 01h"]),
    ('sdr get "CPU Temp"', 0, ["41.500 (+/- 0) degrees C", "Settable Thresholds   : lnc unc ucr unr"]),
    (
        "sensor list",
        0,
        ["CPU Temp         | 41.500     | degrees C  | ok    | na        | na        | 5.000     | 70.000"],
    ),
    ('sensor get "CPU Temp"', 0, ["Assertions Enabled    : lnc- unc+ ucr+ unr+", "Positive Hysteresis   : 2.000"]),
    ('sensor get "5V"', 1, ["Unable to read sensor"]),
    ('sensor thresh "CPU Temp" unc 40', 0, ["Upper Non-Critical threshold to 40.000"]),
    ('sensor get "CPU Temp"', 0, ["Status                : Upper Non-Critical", "Upper Non-Critical    : 40.000"]),
    ("sel info", 0, ["Version          : 1.5", "'Delete' 'Reserve'"]),
    ("sel time set '01/02/27 03:04:05'", 0, ["01/02/27 03:04:05"]),
    ("sel time get", 0, ["01/02/27 03:04:"]),
    ("event 1", 0, ["Upper Critical - Going High"]),
    ("sel list", 0, ["01/02/27 | 03:04:", "Temperature #0x30 | Upper Critical going high | Asserted"]),
    ("sel elist", 0, ["FRU Hot Swap Hot Swap | Transition to M2 | Asserted"]),
    ("sel get 1", 0, ["Generator ID          : 0086", "Transition to M1"]),
    ("sel delete 1", 0, ["Deleted entry 1"]),
    ("sel get 1", 1, []),
    ("sel clear", 0, ["Clearing SEL"]),
    ("sel list", 0, ["SEL has no entries"]),
    ("sel info", 0, ["Entries          : 0", "Last Del Time    : 01/02/27"]),
    ("fru print", 0, ["Board Mfg             : Example Boards", "Product Asset Tag     : rack 7"]),
    ("fru read 0 {folder}/fru", 0, ["Fru Size         : 512 bytes"]),
    ("fru write 0 {folder}/fru", 0, ["Size to Write    : 512 bytes"]),
    ("fru print 0", 0, ["Product Serial        : 0042"]),
    ("chassis status", 0, ["System Power         : on", "Power Restore Policy : unknown"]),
    ("chassis power status", 0, ["Chassis Power is on"]),
    ("chassis power cycle", 0, ["Cycle"]),
    ("chassis power soft", 0, ["Soft"]),
    ("chassis identify 20", 0, ["20 seconds"]),
    ("chassis identify force", 0, ["indefinite"]),
    ("chassis identify 0", 0, ["off"]),
    ("picmg properties", 0, ["PICMG Ext. Version : 2.3"]),
    ("picmg addrinfo", 0, ["IPMB-0 Address   : 0x86"]),
    ("picmg frucontrol 0 0", 0, ["frucontrol: ok"]),
    ("picmg led prop 0", 0, ["Properties:  0x 3", "App. Specific  LED Count:       0x 1"]),
    ("picmg led cap 0 1", 0, ["RED, AMBER"]),
    ("picmg led get 0 0", 0, ["[BLINKING]", "On-Duration:  5a", "[BLUE]"]),
    ("picmg led set 0 1 255 0 4", 0, []),
    ("picmg led get 0 1", 0, ["[LOCAL CONTROL|OVERRIDE]", "[AMBER]"]),
    ("picmg power get 0 0", 0, ["Actual Power Level:          2", "Power Draw 3:            30"]),
    ("picmg power set 0 1 0", 0, []),
    ("picmg power get 0 0", 0, ["Actual Power Level:          1"]),
    ("picmg power set 0 9 0", 1, ["0xc9"]),
    ("raw 0x2c 0x14 0 0", 0, ["00 0a 64 28 80"]),
    ("raw 0x2c 0x15 0 0 80", 0, ["00"]),
    ("raw 0x2c 0x16 0 0", 0, ["00 50 23"]),
    ("picmg activate 0", 0, []),
    ('sensor get "Hot Swap"', 0, ["Transition to M4"]),
    ("picmg led get 0 0", 0, ["[OFF]"]),
    ("picmg deactivate 0", 0, []),
    ("picmg policy get 0", 0, [" activation locked"]),
    ("picmg led get 0 0", 0, ["[ON]"]),
    ("mc reset cold", 0, ["cold reset"]),
    ('sensor get "CPU Temp"', 0, ["Upper Non-Critical    : 70.000"]),
    ("picmg led get 0 1", 0, ["[LOCAL CONTROL]"]),
    ("mc reset warm", 0, ["warm reset"]),
    ("-t 0x86 sdr elist", 0, ["CPU Temp         | 02h"]),
]


async def ipmitool(path, command):
    process = await asyncio.create_subprocess_exec(
        *("ipmitool", "-I", "serial-basic", "-D", f"{path}:115200", *shlex.split(command)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/usr/sbin:/bin"},
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, output.decode()


@pytest.mark.peer("ipmitool")
def test_ipmitool_gets_from_a_blade_what_it_gets_from_a_shelf(make_controller, make_hardware, tmp_path):
    hardware = make_hardware()
    controller = make_controller(
        hardware=hardware, clock=LoopClock(), fru=FruSettings(facts=FACTS, writable=True), slot=3
    )

    async def story():
        service = ServicePort()
        controller.serve_service_port(service.line)
        for command, code, lines in TABLE:
            returned, output = await ipmitool(service.path, command.format(folder=tmp_path))
            assert returned == code, (command, output)
            for line in lines:
                assert line in output, (command, output)
        service.close()

    asyncio.run(story())
    assert hardware.acted == [BoardAction.POWER_CYCLE, BoardAction.SHUTDOWN, BoardAction.HARD_RESET]
    assert hardware.blue.light == LedLight(on_ms=1000, off_ms=0, color=LedColor.BLUE)
    assert (hardware.power.present, hardware.fan.override_level) == (1, None)
    assert controller.blade.frame_faults == controller.blade.message_faults == 0
