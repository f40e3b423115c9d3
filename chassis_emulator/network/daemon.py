"""The process behind `up`: takes the state folder, warms up, and becomes nursery and environment.

`python -m chassis_emulator.network.daemon STATE_FOLDER` reads a `StartOrder` in JSON from its standard input and writes
one line in JSON to its standard output: `Started` once every process has been, or `StartFailed`. Until then it ends,
with all that it has started, when its standard input is closed.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.binding import begin, go_on
from chassis_emulator.network.credentials import digest_passwords, network_users
from chassis_emulator.network.environment import run_environment
from chassis_emulator.network.network_number import take_any_number, take_number
from chassis_emulator.network.start_report import Started, StartFailed, StartOrder
from chassis_emulator.network.starter import Starter
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.processes.child import die_with
from chassis_emulator.processes.nursery import freeze, tend
from chassis_emulator.processes.parts import ProcessPart
from chassis_emulator.topology.plan import NetworkPlan
from chassis_emulator.topology.topology import Topology
from media_network.operators_log import begin_logging

Parts = Mapping[str, ProcessPart[Any]]


class _Settled(NamedTuple):
    """What is to be brought up, when nothing stands in its way."""

    plan: NetworkPlan
    changes: tuple[str, ...]


def run_daemon(folder: StateFolder, load_parts: Callable[[], Parts]) -> None:
    """Be the nursery of a network, and fork its environment; returns when every process of the network is gone."""
    starter = Starter()
    order = starter.read_order()
    if order is None:
        return
    # Not closed: the folder is free again when the process is gone, and not before.
    held = ExitStack()
    try:
        settled = _settle(order, folder, held)
    except EmulatorError as error:
        starter.tell(StartFailed(str(error), error.hint))
        return
    parts = load_parts()
    _rehearse_snmp(settled.plan.topology, folder)
    if not starter.is_gone:
        _bring_up(settled, folder, parts, starter)


def _settle(order: StartOrder, folder: StateFolder, held: ExitStack) -> _Settled:
    """Take the folder and a number, both held by nursery and environment, and free when the last of the two is gone.

    Raises EmulatorError.
    """
    folder.prepare()
    folder.take()
    folder.set_damaged_aside()
    record, wanted = folder.record(), order.topology
    if record:
        go_on(folder.path, record.topology, wanted)
    else:
        begin(folder.path, wanted)
    if order.any_number:
        first = (record.topology.network, wanted.network) if record else (wanted.network,)
        plan = take_any_number(wanted, folder, held, first)
    else:
        plan = take_number(wanted, folder, held)
    return _Settled(plan, go_on(folder.path, record.topology, plan.topology) if record else ())


def _bring_up(settled: _Settled, folder: StateFolder, parts: Parts, starter: Starter) -> None:
    freeze()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nursery = os.getpid()
    if os.fork() == 0:
        ours.close()
        die_with(nursery)
        started = Started(topology=settled.plan.topology, changes=settled.changes)
        announce = partial(starter.tell, started)
        asyncio.run(run_environment(settled.plan, folder, theirs, announce, starter.watched))
        return
    theirs.close()
    starter.forget()
    tend(ours, parts)
    os.wait()


def _rehearse_snmp(topology: Topology, folder: StateFolder) -> None:
    """Do once what every agent would do at its start."""
    for users in network_users(folder, topology).values():
        digest_passwords(users.snmp)
    if topology.snmp.targets:
        # pysnmp, which tells the targets, takes long to load and much memory.
        import_module("media_network.snmp.notifying.notifier")


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
