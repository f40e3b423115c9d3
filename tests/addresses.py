"""Addresses of a test's own: numbers for networks, and ports. Several workers test at once, beside a person's demo.

A network is 127.<number>.0.0/16. Its number is taken by a socket at an address that no blade has, so that the kernel
takes it back when the process ends, however it ends.
"""

import os
import random
import socket
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

NUMBERS = range(96, 255)
"""Networks below are people's (the examples have the first ones), and those that tests only speak of."""
CLAIM = ("255.254", 61_999)
FIRST_PORT, END_PORT = 10_000, 32_768
"""Ports below those that Linux gives to connections (ip_local_port_range), which would come in between."""
SOCKET_TABLES = [Path("/proc/net") / name for name in ("tcp", "udp")]

_claims: list[socket.socket] = []
_given: set[tuple[str, int]] = set()


def network_number(among: Sequence[int] = NUMBERS) -> int:
    """A number for a network, which no other process of this machine gets until this one ends."""
    for number in random.SystemRandom().sample(among, len(among)):
        claim = socket.socket(type=socket.SOCK_DGRAM)
        with suppress(OSError):
            claim.bind((f"127.{number}.{CLAIM[0]}", CLAIM[1]))
            # What a run that was killed has left behind still listens.
            if sockets_in(number) == 1:
                _claims.append(claim)
                return number
        claim.close()
    raise RuntimeError(f"none of the networks {among[0]} to {among[-1]} is free")


def sockets_in(number: int) -> int:
    """How many sockets of this machine are bound in a network."""
    end = f"{number:02X}7F"  # of an address as the kernel prints it, its last byte first
    local = (line.split()[1].partition(":")[0] for table in SOCKET_TABLES for line in table.open())
    return sum(len(address) == 8 and address.endswith(end) for address in local)


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody holds on a loopback host, neither for TCP nor for UDP; each call another."""
    while True:
        port = random.SystemRandom().randrange(*_ports_of_this_worker())
        if (host, port) in _given:
            continue
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            try:
                stream.bind((host, port))
                datagrams.bind((host, port))
            except OSError:
                continue
        _given.add((host, port))
        return port


def is_bound(port: int) -> bool:
    """Whether somebody receives at a UDP port of 127.0.0.1."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def _ports_of_this_worker() -> tuple[int, int]:
    """Its share, so that no other worker gets a port between its finding here and its use."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    share = (END_PORT - FIRST_PORT) // workers
    return FIRST_PORT + worker * share, FIRST_PORT + (worker + 1) * share
