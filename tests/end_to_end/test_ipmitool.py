"""ipmitool drives the blades of a running chassis: by cable at the service port, and bridged by the chassis manager.

One table of command lines, each with what its output must show, is gone through on one blade by serial Basic Mode and
on another over RMCP+; nothing in it may depend on the way.
"""

import re
import subprocess
from functools import partial

import pytest

from tests.addresses import network_number
from tests.end_to_end.ipmi_tool import bridged, by_cable, ipmitool
from tests.patience import wait_until

NETWORK = network_number()

TABLE = [
    ("mc info", r"Device ID +: 32\b[\s\S]*IPMI Version +: 2\.0[\s\S]*Sensor Device[\s\S]*SEL Device"),
    ("mc guid", r"System GUID +: [0-9a-fA-F-]{32,36}\b"),
    ("mc selftest", r"Selftest: passed"),
    ("mc getenables", r"System Event Logging +: enabled"),
    ("mc watchdog get", r"Is: +Stopped"),
    ("raw 0x06 0x24 0x04 0x00 0x00 0x10 0x58 0x02", r"^\s*$"),
    ("mc watchdog reset", r"countdown restarted"),
    (
        "mc watchdog get",
        r"SMS/OS[\s\S]*Started/Running[\s\S]*Initial Countdown: +60\.0 sec[\s\S]*Present.*: +(5\d|60)\.\d",
    ),
    ("mc watchdog off", r"timer stopped"),
    ("sdr info", r"SDR Version +: 0x51\s+Record Count +: 9"),
    ("sdr elist all", r"Dynamic MC @ 8[68]h[\s\S]*Hot Swap .*Transition to M4"),
    ("sdr elist", r"SoC temp +\| 02h \| ok +\|  3\.\d+ \| [1-9]\d(\.\d+)? degrees C"),
    ("sdr type Temperature", r"SoC temp[\s\S]*Inlet temp +\| 03h \| ok +\| 55\.\d+ \| 22 degrees C"),
    ("sdr type Fan", r"Fan +\| 07h \| ok +\| 29\.\d+ \| [1-9]\d+ RPM"),
    ('sdr get "12 V supply"', r"Sensor Reading +: 1[12](\.\d+)? .*Volts[\s\S]*Lower critical +: 10\.800"),
    ("sensor list", r"SoC temp +\| [1-9]\d\.\d+ +\| degrees C +\| ok .*\| 70\.000 +\| 85\.000 +\| 95\.000"),
    ('sensor get "Board power"', r"Sensor Reading +: [1-9]\d?(\.\d+)? .*Watts\s+Status +: ok"),
    ('sensor thresh "SoC temp" unc 1', r"Upper Non-Critical threshold to 1\.000"),
    ('sensor get "SoC temp"', r"Status +: Upper Non-Critical\b[\s\S]*Upper Non-Critical +: 1\.000"),
    ("sel list", r"Temperature #0x02 \| Upper Non-critical going high \| Asserted"),
    ('sensor thresh "SoC temp" unc 70', r"threshold to 70\.000"),
    ('sensor get "SoC temp"', r"Status +: ok"),
    ("sel list", r"Temperature #0x02 \| Upper Non-critical going high \| Deasserted"),
    ("sel info", r"Entries +: [1-9]\d*\b[\s\S]*Overflow +: false[\s\S]*'Delete' 'Reserve'"),
    ("sel time get", r"^\d\d/\d\d/\d\d \d\d:\d\d:\d\d UTC"),
    ("event 1", r"Upper Critical - Going High"),
    ("sel elist", r"FRU Hot Swap Hot Swap \| Transition to M4 \| Asserted[\s\S]*Temperature #0x30 \| Upper Critical"),
    ("sel get 1", r"Sensor Type +: FRU Hot Swap"),
    ("sel clear", r"Clearing SEL"),
    ("sel list", r"SEL has no entries"),
    ("fru print", rf"Board Product +: A blade in the chassis emulator\s+Board Serial +: EM-{NETWORK:03}-002-0[34]"),
    ("fru read 0 {folder}/fru", r"Fru Size +: \d+ bytes\s+Done"),
    ("fru write 0 {folder}/fru", r"Size to Write +: \d+ bytes"),
    ("fru print 0", rf"Product Serial +: EM-{NETWORK:03}-002-0[34]"),
    ("chassis status", r"System Power +: on[\s\S]*Cooling/Fan Fault +: false"),
    ("chassis power status", r"Chassis Power is on"),
    ("chassis identify 5", r"interval: 5 seconds"),
    ("picmg properties", r"PICMG Ext\. Version : 2\.3"),
    ("picmg addrinfo", r"IPMB-0 Address +: 0x8[68]"),
    ("picmg policy get 0", r"activation not locked\s+deactivation not locked"),
    ("picmg led prop 0", r"General Status LED Properties: +0x 7"),
    ("picmg led cap 0 1", r"LED Color Capabilities: RED"),
    ("picmg led get 0 0", r"\[OFF\][\s\S]*\[BLUE\]"),
    ("picmg led set 0 1 255 0 2", r"^\s*$"),
    ("picmg led get 0 1", r"\[LOCAL CONTROL\|OVERRIDE\][\s\S]*Override function: +ff\b"),
    ("picmg led set 0 1 252 0 2", r"^\s*$"),
    ("picmg power get 0 0", r"Actual Power Level: +3\b[\s\S]*Power Draw 3: +12"),
    ("picmg power set 0 2 0", r"^\s*$"),  # the chassis manager's budget soon gives back what it can carry
    ("raw 0x2c 0x14 0 0", r"^ 00 00 64 "),
    ("raw 0x2c 0x15 0 0 80", r"^ 00"),
    ("raw 0x2c 0x16 0 0", r"^ 00 50 "),
    ("raw 0x2c 0x15 0 0 0xff", r"^ 00"),
    ("hpm targetcap", r"Component 0 presence\.+\[y\]"),
    ("picmg activate 0", r"^\s*$"),
    ("picmg frucontrol 0 0", r"FRU Control Option: Cold Reset\s+frucontrol: ok"),
    ("mc reset warm", r"Sent warm reset command"),
    ("mc reset cold", r"Sent cold reset command"),
    ("mc selftest", r"Selftest: passed"),
    ("picmg deactivate 0", r"^\s*$"),
]
OUT_OF_SERVICE = ("picmg policy get 0", r"^ activation locked")
"""In a moment: bridged, the command was an order, which the chassis manager carries out."""
BACK_IN_SERVICE = ('sensor get "Hot Swap"', r"Transition to M4")


def by_lock(station, arguments, slot):
    """Once the chassis manager has seen that somebody took it out, it takes the lock's end for a hand at the blade."""
    wait_until(lambda: seen(station, slot), lambda row: row["hot_swap"] == "M1", why=station.logs)
    assert ipmitool(arguments, "picmg policy set 0 1 0").returncode == 0


def seen(station, slot):
    """A slot as its chassis manager sees it."""
    socket = station.state / "stations" / "north" / "manager" / "orders.sock"
    chassis = station.json("blade-agent", "chassis", "status", "--socket", socket)
    return next(row for row in chassis["slots"] if row["slot"] == slot)


def by_order(station, arguments, slot):
    """Bridged, the command is an order to the chassis manager, which keeps what was ordered out out until then."""
    assert ipmitool(arguments, "picmg activate 0").returncode == 0


@pytest.mark.peer("ipmitool")
@pytest.mark.parametrize(("way", "slot", "bring_back"), [(by_cable, 3, by_lock), (bridged, 4, by_order)])
def test_a_blade_answers_ipmitool_as_a_blade_of_a_shelf_does(station, tmp_path, way, slot, bring_back):
    arguments = way(station, slot)
    for command, shows in TABLE:
        finished = ipmitool(arguments, command.format(folder=tmp_path))
        told = finished.stdout + finished.stderr  # some of the tool's words go here, some there
        assert finished.returncode == 0, (command, told, station.logs())
        assert re.search(shows, told, re.MULTILINE), f"{command}\n{told}"
    wait_until_shown(station, arguments, *OUT_OF_SERVICE)
    bring_back(station, arguments, slot)
    wait_until_shown(station, arguments, *BACK_IN_SERVICE)


def wait_until_shown(station, arguments, command, shows):
    wait_until(lambda: ipmitool(arguments, command).stdout, partial(re.search, shows), why=station.logs)


def test_the_table_is_as_long_as_was_promised():
    assert len({command for command, _ in TABLE}) >= 40


@pytest.mark.peer("ipmitool")
def test_the_log_of_a_blades_process_is_its_console(station):
    process = subprocess.Popen(
        ["ipmitool", *bridged(station, 3)[:-2], "sol", "activate", "instance=3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    log = (station.state / "logs" / "north.3.log").read_bytes()[-4096:].strip().splitlines()[-1]
    told = b""
    try:
        while log not in told:
            heard = process.stdout.read1(65536)
            assert heard, told
            told += heard
    finally:
        process.kill()
        process.wait()
