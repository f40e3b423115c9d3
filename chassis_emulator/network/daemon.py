"""The process behind `up`: takes the state folder, warms up, and becomes nursery and environment.

`python -m chassis_emulator.network.daemon STATE_FOLDER` reads a topology in JSON from its standard input and writes one
line in JSON to its standard output: `Started` once every process has been, or `StartFailed`.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.credentials import digest_passwords, snmp_users
from chassis_emulator.network.environment import run_environment
from chassis_emulator.network.errors import AddressInUse
from chassis_emulator.network.start_report import Started, StartFailed
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.processes.child import die_with
from chassis_emulator.processes.nursery import freeze, tend
from chassis_emulator.processes.parts import ProcessPart
from chassis_emulator.topology.plan import NetworkPlan, plan_network
from chassis_emulator.topology.topology import Topology
from media_network.address import Address
from media_network.operators_log import begin_logging

Parts = Mapping[str, ProcessPart[Any]]


def run_daemon(folder: StateFolder, load_parts: Callable[[], Parts]) -> None:
    """Be the nursery of a network, and fork its environment; returns when every process of the network is gone."""
    try:
        topology = msgspec.json.decode(sys.stdin.buffer.read(), type=Topology)
        folder.prepare()
        # Held by nursery and environment, and free again when the last of the two is gone.
        folder.take()
        folder.set_damaged_aside()
        plan = plan_network(topology, folder.path)
        _refuse_addresses_in_use(plan, folder)
    except EmulatorError as error:
        _report(StartFailed(str(error), error.hint))
        return
    parts = load_parts()
    _rehearse_snmp(topology, folder)
    freeze()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nursery = os.getpid()
    if os.fork() == 0:
        ours.close()
        die_with(nursery)
        asyncio.run(run_environment(plan, folder, theirs, lambda: _report(Started())))
        return
    theirs.close()
    # Whoever waits for the report must see the end of the pipe if the environment dies before it.
    os.dup2(2, 1)
    tend(ours, parts)
    os.wait()


def _rehearse_snmp(topology: Topology, folder: StateFolder) -> None:
    """Do once what every agent would do at its start."""
    digest_passwords(snmp_users(folder))
    if topology.snmp.targets:
        # pysnmp, which tells the targets, takes long to load and much memory.
        import_module("media_network.snmp.notifying.notifier")


def _refuse_addresses_in_use(plan: NetworkPlan, folder: StateFolder) -> None:
    for name, addresses in plan.listening.items():
        for address in addresses:
            _refuse_address_in_use(name, address, folder)


def _refuse_address_in_use(name: str, address: Address, folder: StateFolder) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = (error.strerror or "refused").lower()
            raise AddressInUse(str(address), name, folder.log(name), reason) from error


def _report(report: Started | StartFailed) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    sys.stdout.flush()
    os.dup2(2, 1)


def _real_parts() -> Parts:
    # Slow to import, and a refusal should be quick.
    from chassis_emulator.network.real_parts import REAL_PARTS, rehearse  # noqa: PLC0415

    rehearse()
    return REAL_PARTS


def main() -> None:
    """Entry point of the module."""
    os.chdir("/")
    begin_logging(dated=True)
    run_daemon(StateFolder(Path(sys.argv[1])), _real_parts)


if __name__ == "__main__":
    main()
