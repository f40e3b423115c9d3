"""What reads what strangers send takes little, says little, and never fails. `docs/protocols/sockets.md` lists it."""

import asyncio
import logging
import re
import socket
from pathlib import Path

import pytest

from benchmarks.strangers import MOST_US, SIZES, cost_us, hostile, noise_us, readers
from blade_agent.main_board.engine.sending.push_socket import PushSocket, open_push_socket
from media_network.deaf_socket import drop_all_that_comes
from tests.media_network.snmp.hostile_datagrams import GARBAGE

ROOT = Path(__file__).parents[1]
ON_A_SHARED_MACHINE = 10
"""A figure is for a quiet one."""


@pytest.mark.parametrize("port", readers())
def test_a_datagram_of_a_stranger_takes_little_and_is_no_line_in_the_log(port, caplog):
    caplog.set_level(logging.INFO)
    read = readers()[port]
    for octets in SIZES:
        assert cost_us(read, octets) < ON_A_SHARED_MACHINE * MOST_US
        for datagram in (*hostile(octets), *GARBAGE):
            read(datagram)
    assert caplog.records == []


def test_a_serial_line_full_of_noise_takes_a_small_part_of_the_processor():
    assert noise_us() < 0.2 * 1e6


def test_nobody_reads_what_comes_to_the_port_of_the_streams(monkeypatch):
    heard = []
    monkeypatch.setattr(PushSocket, "datagram_received", lambda *given: heard.append(given), raising=False)

    async def story():
        async with open_push_socket("127.0.0.1") as streams:
            address = streams._transport.get_extra_info("sockname")
            with socket.socket(type=socket.SOCK_DGRAM) as stranger, socket.socket(type=socket.SOCK_DGRAM) as console:
                console.bind(("127.0.0.1", 0))
                for _ in range(100):
                    stranger.sendto(bytes(1_000), address)
                streams.send(memoryview(bytes(188)), console.getsockname())
                await asyncio.sleep(0.1)
                assert len(console.recv(2_000)) == 188, "it still sends"

    asyncio.run(story())
    assert heard == []


def test_a_deaf_socket_has_nothing_to_be_read():
    with socket.socket(type=socket.SOCK_DGRAM) as deaf, socket.socket(type=socket.SOCK_DGRAM) as stranger:
        deaf.bind(("127.0.0.1", 0))
        drop_all_that_comes(deaf)
        stranger.sendto(b"anything", deaf.getsockname())
        deaf.setblocking(False)
        with pytest.raises(BlockingIOError):
            deaf.recv(100)


OPENS = re.compile(
    r"socket\.socket\(|create_datagram_endpoint\(|create_connection\(|start_unix_server\(|open_unix_connection\("
    r"|TCPSite\(|serial\.Serial\(|openpty\(|socketpair\("
)
PACKAGES = ("blade_agent", "chassis_emulator", "distribution_center", "media_network")


def test_the_document_names_every_file_that_opens_a_socket():
    document = (ROOT / "docs/protocols/sockets.md").read_text()
    opening = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if "simulation" not in path.parts and OPENS.search(path.read_text())
    }
    assert opening
    assert {path for path in opening if f"`{path}`" not in document} == set()
    named = set(re.findall(r"`((?:" + "|".join(PACKAGES) + r")/[^`]*\.py)`", document))
    assert {path for path in named if not (ROOT / path).is_file()} == set()
