"""The datagrams of a ping, a login and a session as tshark decodes them."""

import struct
import subprocess

import pytest

from blade_agent.backplane.message import Request
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES
from blade_agent.chassis_manager.lan.packet import Packet, write

CONSOLE, MANAGER = 50000, 623
PING = bytes.fromhex("0600ff06 000011be 80 2a 00 00")
FIELDS = (
    "rmcp.class asf.type asf.tag ipmi_session.authtype ipmi_session.payloadtype ipmi_session.payloadtype.auth "
    "ipmi_session.payloadtype.enc ipmi_session.id ipmi_session.sequence ipmi.app38.rs_ipmi20_conn"
)


def capture(path, datagrams):
    """Write datagrams, each with its UDP ports, as a pcap file of raw IPv4 packets."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for second, (source, target, payload) in enumerate(datagrams):
            udp = struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), bytes(4)) + udp
            file.write(struct.pack("<IIII", second, 0, len(ip), len(ip)) + ip)


def tshark(path, *options):
    command = ["tshark", "-n", "-r", path, "-o", "ipmi.dissect_bus_commands:TRUE", *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def conversation(console, suite):
    """Go through a login and a question; give every datagram with its UDP ports."""
    carried = []
    send = console.send

    def recorded(octets):
        answers = send(octets)
        carried.append((CONSOLE, MANAGER, octets))
        carried.extend((MANAGER, CONSOLE, answer) for answer in answers)
        return answers

    console.send = recorded
    console.send(PING)
    capabilities = Request(responder=0x20, requester=0x81, net_fn=6, command=0x38, sequence=1, data=b"\x8e\x04")
    console.send(write(Packet(payload=capabilities.encode(), plus=False)))
    assert console.log_in(suite=suite) == 0
    assert console.ask(6, 1).completion == 0
    return carried


@pytest.mark.peer("tshark")
@pytest.mark.parametrize("suite", CIPHER_SUITES, ids=lambda suite: f"suite {suite.number}")
def test_tshark_decodes_what_the_manager_sends(console, tmp_path, suite):
    path = tmp_path / "lan.pcap"
    capture(path, conversation(console, suite))
    output = tshark(path, "-Y", f"udp.srcport == {MANAGER}", "-T", "fields", *(f"-e{name}" for name in FIELDS.split()))
    decoded = [" ".join(field or "-" for field in line.split("\t")) for line in output.splitlines()]
    assert decoded == [
        "0x06 0x40 0x2a - - - - - - -",
        "0x07 - - 0x00 - - - 0x00000000 0x00000000 1",
        "0x07 - - 0x06 0x11 0 0 0x00000000 0x00000000 -",
        "0x07 - - 0x06 0x13 0 0 0x00000000 0x00000000 -",
        "0x07 - - 0x06 0x15 0 0 0x00000000 0x00000000 -",
        "0x07 - - 0x06 0x00 1 1 0xa0a2a3a4 0x00000001 -",
    ]
    details = tshark(path, "-V")
    assert "Malformed" not in details
    assert details.count("IPMI Session Wrapper (trailer)") == 2
