"""Several runs of tests on one machine: none gets what another has."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.addresses import FIRST_PORT, free_port, network_number, sockets_in

ROOT = Path(__file__).parents[1]
TAKE_AND_WAIT = "from tests.addresses import network_number; print(network_number(), flush=True); input()"


def other_run():
    return subprocess.Popen(
        [sys.executable, "-c", TAKE_AND_WAIT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_number_is_nobody_elses_while_its_process_lives():
    with other_run() as one, other_run() as another:
        numbers = [int(run.stdout.readline()) for run in (one, another)] + [network_number(), network_number()]
        assert len(set(numbers)) == len(numbers)
        assert [sockets_in(number) for number in numbers] == [1, 1, 1, 1]
        one.kill()
        one.wait()
        assert sockets_in(numbers[0]) == 0


def test_a_network_in_which_somebody_still_listens_is_not_given():
    with other_run() as run:
        number = int(run.stdout.readline())
        with socket.create_server((f"127.{number}.2.3", free_port(f"127.{number}.2.3"))):
            run.kill()
            run.wait()
            with pytest.raises(RuntimeError):
                network_number([number])
        assert network_number([number]) == number


def test_each_port_is_another_and_none_that_linux_gives_to_connections():
    ports = [free_port("127.0.0.9") for _ in range(50)]
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert len(set(ports)) == len(ports)
    assert all(FIRST_PORT <= port < lowest for port in ports)
