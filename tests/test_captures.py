"""The captures of `docs/protocols`: tshark decodes them, and they are what the code says today."""

import asyncio
import re
import subprocess
from collections import Counter

import pytest

from tests.captures import CAPTURES, record

pytestmark = pytest.mark.peer("tshark", "ipmitool")
DECODED = ("-o", "ipmi.dissect_bus_commands:TRUE", "-o", 'uat:user_dlts:"User 0 (DLT=147)","ipmb","0","","0",""')
FIELDS = ("ipmi.header.netfn", "ipmi.header.command", "ipmi.header.sequence", "_ws.col.Info")
HEARTBEAT, EVENT = ("0x2e", "0x11"), ("0x04", "0x02")
BACKPLANES = ("backplane-udp.pcap", "backplane-serial.pcap")
LOGIN = [
    "Presence Ping",
    "Presence Pong",
    "Req, Get Channel Authentication Capabilities",
    "Rsp, Get Channel Authentication Capabilities, Command Completed Normally (00h)",
    *(f"payload type: {step}" for step in ("RMCP+ Open Session Request", "RMCP+ Open Session Response")),
    *(f"payload type: RAKP Message {number}" for number in (1, 2, 3, 4)),
]


def tshark(path, *options):
    command = ["tshark", "-n", "-r", path, *DECODED, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def decoded(path):
    """Net function, command, sequence and what tshark calls it, of every message."""
    lines = tshark(path, "-T", "fields", *(f"-e{name}" for name in FIELDS)).splitlines()
    return [(*line.split("\t")[:3], re.sub(r"Session ID 0x\w+, ", "", line.split("\t")[3])) for line in lines]


def asked(messages):
    """What the manager asks and is answered, in order: without heartbeats, which come when they come, and repeats."""
    once = dict.fromkeys(messages)
    commands = {(f"0x{int(net_fn, 16) & ~1:02x}", command): None for net_fn, command, _, _ in once}
    assert {HEARTBEAT, EVENT} <= set(commands)
    return [
        (net_fn, command, info)
        for net_fn, command, _, info in once
        if (f"0x{int(net_fn, 16) & ~1:02x}", command) not in {HEARTBEAT, EVENT}
    ]


def test_tshark_decodes_a_ping_a_login_and_a_session():
    messages = [info for *_, info in decoded(CAPTURES / "lan.pcap")]
    assert messages[: len(LOGIN)] == LOGIN
    assert set(messages[len(LOGIN) :]) == {"payload type: IPMI Message"}
    details = tshark(CAPTURES / "lan.pcap", "-V")
    assert "Malformed" not in details
    assert details.count("IPMI Session Wrapper (trailer)") == len(messages) - len(LOGIN), "all else is authenticated"


@pytest.mark.parametrize("name", BACKPLANES)
def test_tshark_decodes_the_backplane(name):
    messages = decoded(CAPTURES / name)
    kinds = Counter(re.sub(r"^(Req|Rsp), ", "", info.removesuffix(", Command Completed Normally (00h)"))
                    for *_, info in messages)  # fmt: skip
    assert kinds.keys() >= {"Platform Event", "[ATCA] Get Power Level", "[ATCA] Set Power Level"}
    assert kinds["[ATCA] Set FRU Activation"] == 2
    assert all(info.startswith("Req, ") or info.endswith("(00h)") for *_, info in messages)
    details = tshark(CAPTURES / name, "-V")
    assert "Malformed" not in details
    assert "incorrect" not in details
    assert details.count("(correct)") == 2 * len(messages), "both checksums of each"
    if name == "backplane-udp.pcap":
        # What ipmitool asked for inside its session, on its way to the blade.
        assert [info.split(", ")[1] for *_, info in messages[-2:]] == ["Get Device ID"] * 2


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("captures")
    recording, printed = asyncio.run(record(folder))
    assert re.search(r"Device ID +: 66\b", printed), printed
    recording.write(folder)
    return folder


@pytest.mark.parametrize("name", BACKPLANES)
def test_what_is_said_on_the_backplane_is_what_the_capture_shows(recorded, name):
    assert asked(decoded(recorded / name)) == asked(decoded(CAPTURES / name)), "run python -m tests.captures"


def test_what_is_said_on_the_network_is_what_the_capture_shows(recorded):
    assert decoded(recorded / "lan.pcap") == decoded(CAPTURES / "lan.pcap"), "run python -m tests.captures"


@pytest.mark.parametrize("name", sorted(path.name for path in CAPTURES.glob("*.pcap")))
def test_the_documents_show_what_tshark_prints(name):
    """Lines of a document below a command that reads the capture."""
    shown = []
    for document in CAPTURES.parent.glob("*.md"):
        for block in document.read_text().split("\n\n"):
            lines = [" ".join(line.split()) for line in block.splitlines() if line.startswith("    ")]
            if lines and "tshark" in lines[0] and name in lines[0]:
                shown += lines[1:]
    printed = {" ".join(line.split()) for line in tshark(CAPTURES / name).splitlines()}
    assert shown
    assert set(shown) <= printed
