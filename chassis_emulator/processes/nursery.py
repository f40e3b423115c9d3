"""The nursery: a parent that has imported and built everything, and forks a process of the network on request.

Sixteen blades that each start an interpreter take nine seconds and share nothing; forked from here they take a tenth
of a second and share all code. So that a fork is safe and cheap, the nursery has one thread and no event loop, and its
objects are frozen out of the collector, which would otherwise touch, and so copy, every page.

It reads requests from one end of a SOCK_SEQPACKET pair and reports on it; when the other end closes it ends its
children, waits for them, and is done. When it is killed, the kernel kills its children (see `child`).
"""

import gc
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from chassis_emulator.processes.child import live
from chassis_emulator.processes.parts import ProcessPart

MESSAGE_BYTES_MAX = 65_536
_GRACE_S = 5.0


class Fork(Struct, frozen=True, tag=True):
    """Request: start a process."""

    name: str
    part: str
    """Key in the table of parts."""
    settings: msgspec.Raw
    log: str


class Signal(Struct, frozen=True, tag=True):
    """Request: send a signal to a process, if it still lives."""

    name: str
    number: int


class Forked(Struct, frozen=True, tag=True):
    """Report: the process lives."""

    name: str
    pid: int


class NotForked(Struct, frozen=True, tag=True):
    """Report: the kernel refused the fork."""

    name: str
    reason: str


class ProcessEnded(Struct, frozen=True, tag=True):
    """Report: the process is gone. A negative code is the signal that ended it."""

    name: str
    pid: int
    exit_code: int


_request = msgspec.json.Decoder(Fork | Signal)


def freeze() -> None:
    """Call once when everything is imported: what exists now will be shared by all children."""
    gc.collect()
    gc.disable()
    gc.freeze()


def tend(requests: socket.socket, parts: Mapping[str, ProcessPart[Any]]) -> None:
    """Serve requests until the other end closes; then end the children and return when they are gone."""
    with selectors.DefaultSelector() as selector:
        nursery = _Nursery(requests, parts, selector)
        selector.register(requests, selectors.EVENT_READ)
        while nursery.serve():
            pass
        nursery.end_children()


class _Nursery:
    def __init__(
        self, requests: socket.socket, parts: Mapping[str, ProcessPart[Any]], selector: selectors.BaseSelector
    ) -> None:
        self._requests = requests
        self._parts = parts
        self._selector = selector
        self._pids: dict[str, int] = {}

    def serve(self, timeout_s: float | None = None) -> bool:
        """Wait for events and act on them; False when the other end is closed."""
        for key, _ in self._selector.select(timeout_s):
            if key.data is not None:
                self._reap(key.fd, key.data)
            elif not self._answer(self._requests.recv(MESSAGE_BYTES_MAX)):
                return False
        return True

    def end_children(self) -> None:
        self._selector.unregister(self._requests)
        patience = ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, _GRACE_S))
        for number, seconds in patience:
            give_up_at = time.monotonic() + seconds
            for pid in self._pids.values():
                os.kill(pid, number)
                os.kill(pid, signal.SIGCONT)
            while self._pids and time.monotonic() < give_up_at:
                self.serve(give_up_at - time.monotonic())

    def _answer(self, message: bytes) -> bool:
        if not message:
            return False
        request = _request.decode(message)
        match request:
            case Fork():
                self._fork(request)
            case Signal(name, number):
                # A child that has ended keeps its process id until it is reaped here, so this hits no stranger.
                if name in self._pids:
                    os.kill(self._pids[name], number)
        return True

    def _fork(self, request: Fork) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:
            self._report(NotForked(request.name, error.strerror or "fork failed"))
            return
        if pid == 0:
            live(
                self._parts[request.part],
                name=request.name,
                settings=bytes(request.settings),
                log=request.log,
                parent=parent,
            )
        self._pids[request.name] = pid
        self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, request.name)
        self._report(Forked(request.name, pid))

    def _reap(self, descriptor: int, name: str) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        pid, status = os.waitpid(self._pids.pop(name), 0)
        self._report(ProcessEnded(name, pid, os.waitstatus_to_exitcode(status)))

    def _report(self, report: Forked | NotForked | ProcessEnded) -> None:
        try:
            self._requests.send(msgspec.json.encode(report))
        except (BrokenPipeError, ConnectionResetError):
            # Nobody is left to be told; the next receive says so too.
            return
