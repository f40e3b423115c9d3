"""Claim 9: each blade has a chassis blade controller at the backplane, and a main board: director, or engine."""

import subprocess

import pytest

ENTERPRISE = "0x88 0x1f 0x00"
GET_BLADE_STATUS = f"raw 0x2e 0x01 {ENTERPRISE}"
ROLES = {1: "director", 2: "engine"}
READY = 2


@pytest.mark.peer("ipmitool")
def test_each_blade_has_a_controller_that_a_foreign_tool_drives(network):
    for blade in blades(network):
        assert "IPMI Version              : 2.0" in ipmitool(blade, "mc info")
        assert "Selftest: passed" in ipmitool(blade, "mc selftest")
        assert f"Site ID          : 0x{blade['slot']:02x}" in ipmitool(blade, "picmg addrinfo")


@pytest.mark.peer("ipmitool")
def test_the_controller_got_the_main_boards_function_through_the_backplane(network):
    """The role that a controller holds, and where its main board answers in it, as the chassis manager assigned it."""
    for blade in blades(network):
        state, board, role, epoch, address, lost = blade_status(blade)
        assert (state, board, ROLES[role]) == (4, READY, blade["role"])
        assert epoch == blade["epoch"]
        assert address == blade["control"]
        assert lost == 0
        function = {"director": "media director", "engine": "media engine"}[ROLES[role]]
        assert network.title(address) == function


@pytest.mark.parametrize("station", ["home", "north", "south"])
def test_every_assignment_went_over_the_backplane(network, station):
    """The chassis manager has no way to a blade but its serial line; its log names what it sent."""
    log = (network.state / "logs" / f"{station}.manager.log").read_text()
    for blade in blades(network):
        if blade["station"] == station:
            assert f"slot {blade['slot']}: {blade['role']} at epoch {blade['epoch']}" in log


def blades(network):
    return [row for row in network.ps() if row["slot"]]


def ipmitool(blade, command):
    return subprocess.run(
        ["ipmitool", "-I", "serial-basic", "-D", f"{blade['serial']}:115200", *command.split()],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def blade_status(blade):
    """Hot swap state, main board's state, role, epoch, address, octets that were no frame; docs/protocols/cbc.md."""
    octets = bytes.fromhex("".join(ipmitool(blade, GET_BLADE_STATUS).split()))
    assert octets[:4] == bytes([0x88, 0x1F, 0x00, 2])
    facts = octets[3:]
    host, port = ".".join(str(octet) for octet in facts[12:16]), int.from_bytes(facts[16:18], "little")
    return (
        *facts[1:4],
        int.from_bytes(facts[4:8], "little"),
        f"{host}:{port}",
        int.from_bytes(facts[26:30], "little"),
    )
