"""A socket that was bound before the process began: found by its address, in a process that has it at descriptor 3."""

import os
import socket
import subprocess
import sys

from media_network.snmp.passed_socket import passed_socket

CODE = """
import os, sys
os.environ["LISTEN_PID"] = str(os.getpid())
from media_network.snmp.passed_socket import passed_socket
for _ in range(2):
    found = passed_socket("127.0.0.1", int(sys.argv[1]))
    print(found.getsockname() if found else None)
    if found:
        found.close()
"""


def found_in_a_process(*sockets, port):
    def place():
        for number, sock in enumerate(sockets):
            os.dup2(sock.fileno(), 3 + number)

    finished = subprocess.run(
        [sys.executable, "-c", CODE, str(port)],
        env=os.environ | {"LISTEN_FDS": str(len(sockets))},
        preexec_fn=place,
        pass_fds=range(3, 3 + len(sockets)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return finished.stdout.splitlines()


def bound(kind):
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", 0))
    return sock


def test_it_is_found_by_its_address_each_time_it_is_asked_for():
    with bound(socket.SOCK_DGRAM) as first, bound(socket.SOCK_STREAM) as stream, bound(socket.SOCK_DGRAM) as second:
        port = second.getsockname()[1]
        assert found_in_a_process(first, stream, second, port=port) == [f"('127.0.0.1', {port})"] * 2
        assert found_in_a_process(first, stream, port=port) == ["None"] * 2
        assert found_in_a_process(stream, port=stream.getsockname()[1]) == ["None"] * 2


def test_what_was_passed_to_another_process_is_not_ours():
    for environment in (
        {},
        {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
    ):
        assert passed_socket("127.0.0.1", 161, environment) is None
