"""The CBC's wires as others see them: ipmitool drives it over a PTY, tshark decodes its datagrams."""

import asyncio
import os
import struct
import subprocess

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import Request, decode
from blade_agent.backplane.messages.role import STAGE_STATION, StageStation
from blade_agent.backplane.rmcp import PORT, Rmcp
from blade_agent.backplane.serial_line import ServicePort, serial_line
from tests.patience import PATIENCE_S

IPMITOOL = [
    (
        "mc info",
        0,
        ["Device ID                 : 33", "Firmware Revision         : 1.42", "Product ID                : 258"],
    ),
    ("mc selftest", 0, ["Selftest: passed"]),
    ("picmg properties", 0, ["PICMG Ext. Version : 2.3", "Max FRU Device ID\t: 0x00"]),
    ("picmg addrinfo", 0, ["Hardware Address : 0x43", "IPMB-0 Address   : 0x86", "Site ID          : 0x03"]),
    ("picmg policy get 0", 0, ["activation not locked", "deactivation not locked"]),
    ("picmg policy set 0 2 2", 0, []),
    ("picmg policy get 0", 0, [" deactivation locked"]),
    ("picmg activate 0", 0, []),
    ("picmg deactivate 0", 0, []),
    ("raw 0x2e 0x01 0x88 0x1f 0x00", 0, ["88 1f 00 02"]),
    ("raw 0x2e 0x14 0x88 0x1f 0x00 0x01", 1, ["rsp=0xc7"]),
    ("raw 0x2e 0x04 0x88 0x1f 0x00 0x01", 1, ["rsp=0xc1"]),
    ("raw 0x06 0x7f", 1, ["rsp=0xc1"]),
    ("user list 1", 1, ["Invalid command"]),
]


async def ipmitool(path, command):
    process = await asyncio.create_subprocess_exec(
        *("ipmitool", "-I", "serial-basic", "-D", f"{path}:115200", *command.split()),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, output.decode()


async def keep_asking(path, answers):
    """Be a chassis manager that asks slot 3 for its status without a pause."""
    line, framing, answered = serial_line(path), BasicMode(), asyncio.Event()

    def receive(data):
        answers.extend(decode(octets) for octets in framing.receive(data))
        answered.set()

    line.attach(receive)
    while True:
        answered.clear()
        request = Request(responder=0x86, requester=0x20, net_fn=0x2E, command=1, sequence=0, data=b"\x88\x1f\x00")
        line.write(BasicMode.encode(request.encode()))
        await answered.wait()


@pytest.mark.peer("ipmitool")
def test_ipmitool_drives_the_service_port_while_the_backplane_is_busy(controller):
    async def story():
        backplane, service, answers = ServicePort(), ServicePort(), []
        controller.serve_backplane(backplane.line, BasicMode())
        controller.serve_service_port(service.line)
        manager = asyncio.create_task(keep_asking(backplane.path, answers))
        for command, code, lines in IPMITOOL:
            before = len(answers)
            returned, output = await ipmitool(service.path, command)
            assert returned == code, output
            for line in lines:
                assert line in output, output
            assert len(answers) > before
        manager.cancel()
        assert {answer.completion for answer in answers} == {0}
        assert controller.blade.frame_faults == controller.blade.message_faults == 0
        backplane.close()
        service.close()

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_ipmitool_gets_through_after_noise_on_the_service_port(controller):
    async def story():
        service = ServicePort()
        controller.serve_service_port(service.line)
        tool = os.open(service.path, os.O_RDWR | os.O_NOCTTY)
        os.write(tool, b"\xa0\xaalogin: root\r\n\xa0\x20\x18")
        os.close(tool)
        returned, output = await ipmitool(service.path, "mc info")
        assert returned == 0, output
        assert controller.blade.frame_faults > 0
        service.close()

    asyncio.run(story())


def tshark(path, *options):
    """Decode a capture, the IPMB messages in it included."""
    command = ["tshark", "-n", "-r", path, "-o", "ipmi.dissect_bus_commands:TRUE", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def tshark_fields(path, names):
    """Give these fields of every packet; `-` for one that is not there."""
    output = tshark(path, "-T", "fields", *(f"-e{name}" for name in names.split()))
    return [[field or "-" for field in line.split("\t")] for line in output.splitlines()]


def capture(path, datagrams):
    """Write datagrams, each with its UDP ports, as a pcap file of raw IPv4 packets."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for second, (source, target, payload) in enumerate(datagrams):
            udp = struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
            file.write(struct.pack("<IIII", second, 0, len(ip), len(ip)) + ip)


@pytest.mark.peer("tshark")
def test_tshark_decodes_the_datagrams(controller, tmp_path):
    client, datagrams = 50000, []
    requests = [
        Request(responder=0x86, requester=0x20, net_fn=0x06, command=0x01, sequence=11),
        Request(responder=0x86, requester=0x20, net_fn=0x2C, command=0x01, sequence=12, data=b"\x00"),
        Request(
            responder=0x86,
            requester=0x20,
            net_fn=0x2E,
            command=STAGE_STATION.code.number,
            sequence=13,
            data=STAGE_STATION.request_data(StageStation("north")),
        ),
    ]
    for request in requests:
        datagrams.append((client, PORT, Rmcp.encode(request.encode())))
        datagrams.append((PORT, client, Rmcp.encode(controller.answer(request).encode())))
    capture(tmp_path / "backplane.pcap", datagrams)
    decoded = tshark_fields(
        tmp_path / "backplane.pcap",
        "rmcp.class ipmi_session.authtype ipmi.header.target ipmi.header.source ipmi.header.netfn ipmi.header.command "
        "ipmi.header.sequence ipmi.header.completion ipmi.header.signature ipmi.response_to ipmi.app01.manufacturer "
        "ipmi.app01.fw.minor ipmi.picmg01.rs_ipmbaddr ipmi.picmg01.rs_site_num",
    )
    assert [" ".join(fields) for fields in decoded] == [
        "0x07 0x00 0x86 0x20 0x06 0x01 0x0b - - - - - - -",
        "0x07 0x00 0x20 0x86 0x07 0x01 0x0b 0x00 - 1 8072 0x42 - -",
        "0x07 0x00 0x86 0x20 0x2c 0x01 0x0c - 00 - - - - -",
        "0x07 0x00 0x20 0x86 0x2d 0x01 0x0c 0x00 00 3 - - 0x86 3",
        "0x07 0x00 0x86 0x20 0x2e 0x13 0x0d - 881f00 - - - - -",
        "0x07 0x00 0x20 0x86 0x2f 0x13 0x0d 0x00 881f00 5 - - - -",
    ]
    assert tshark(tmp_path / "backplane.pcap", "-V").count("(correct)") == 2 * len(datagrams)
