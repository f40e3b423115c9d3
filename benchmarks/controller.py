"""A request and its answer over a PTY: through the whole CBC, against an echo of the same bytes without it.

The other end runs in a process of its own: the CBC on its event loop, the echo on bare os.read and os.write. Both are
asked in turns, so that what disturbs one disturbs the other.

Each end has a processor of its own, as the ends of a wire have. Left to the scheduler the echo takes now 70, now 8 us,
for the kernel moves it to the asking processor or not, and the CBC 100 in either case.
"""

import asyncio
import os
import signal
import time
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from statistics import median

from benchmarks.figure import Figure, show
from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, Request
from blade_agent.backplane.messages.device import GET_DEVICE_ID
from blade_agent.backplane.role import MainBoardState, MainBoardStatus, RoleAssignment
from blade_agent.backplane.serial_line import descriptor_line
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity
from blade_agent.version import installed_version
from media_network.address import Address

ROUNDS = 20
ROUND_TRIPS = 200
BOUND = 3.0
"""How many times the bare round trip was promised at most."""
SLOT = SlotAddress(1)
PROCESSORS = sorted(os.sched_getaffinity(0))


class NoMainBoard:
    """A main board that is never asked to do anything here."""

    def assign(self, assignment: RoleAssignment) -> None:
        """Take no role."""

    def drain(self, draining: bool) -> int:  # noqa: ARG002, FBT001 -- as the protocol has it
        """Carry no stream."""
        return 0

    def know_blades(self, blades: Mapping[int, Address]) -> None:
        """Need none of them."""

    def status(self) -> MainBoardStatus:
        """Say that it is off."""
        return MainBoardStatus(state=MainBoardState.OFF, address=None)


def main() -> None:
    """Ask both in turns and print."""
    question = BasicMode.encode(
        Request(
            responder=SLOT.ipmb_address,
            requester=CHASSIS_MANAGER_ADDRESS,
            net_fn=GET_DEVICE_ID.code.net_fn,
            command=GET_DEVICE_ID.code.number,
            sequence=1,
        ).encode()
    )
    os.sched_setaffinity(0, {PROCESSORS[0]})
    with ExitStack() as stack:
        controller = stack.enter_context(child(be_controller))
        echo = stack.enter_context(child(be_echo))
        answer = ask(controller, question)
        ours_us: list[float] = []
        bare_us: list[float] = []
        for _ in range(ROUNDS):
            ours_us.append(round_trip_us(controller, question, len(answer)))
            bare_us.append(round_trip_us(echo, question, len(question)))
        show(
            Figure(
                figure="Get Device ID over a PTY, through the whole CBC",
                value=median(ours_us),
                unit="us",
                peer=median(bare_us),
                peer_name="bare os.read and os.write",
                runs=ROUNDS * ROUND_TRIPS,
            ),
            Figure(
                figure="the same, as a multiple of the bare round trip",
                value=median(ours / bare for ours, bare in zip(ours_us, bare_us, strict=True)),
                unit="x",
                peer=BOUND,
                peer_name="bound",
                runs=ROUNDS,
            ),
        )


@contextmanager
def child(be: Callable[[int], None]) -> Iterator[int]:
    """Fork a process that holds one end of a PTY; yields the other end."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        os.sched_setaffinity(0, {PROCESSORS[-1]})
        try:
            be(theirs)
        finally:
            os._exit(0)
    os.close(theirs)  # if the child ends, reading fails instead of waiting for it
    try:
        yield ours
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ours)


def be_echo(line: int) -> None:
    """Give back what comes."""
    while octets := os.read(line, 4096):
        os.write(line, octets)


def be_controller(line: int) -> None:
    """Answer as a blade does."""

    async def answer() -> None:
        controller = Controller(
            identity=Identity(
                device_id=1,
                device_revision=0,
                manufacturer=0,
                product=0,
                guid=bytes(16),
                firmware_version=installed_version(),
            ),
            address=SLOT,
            main_board=NoMainBoard(),
            boot_id=1,
        )
        # As at the service port: over the backplane it would tell of its hot swap in between.
        controller.serve_service_port(descriptor_line(line))
        await asyncio.get_running_loop().create_future()

    asyncio.run(answer())


def ask(line: int, question: bytes) -> bytes:
    """Ask once; everything up to the end of the answer's frame."""
    os.write(line, question)
    answer = b""
    while not answer.endswith(b"\xa5"):
        answer += os.read(line, 4096)
    return answer


def round_trip_us(line: int, question: bytes, answer_bytes: int) -> float:
    """The median of many."""
    spans = []
    for _ in range(ROUND_TRIPS):
        began = time.perf_counter()
        os.write(line, question)
        missing = answer_bytes
        while missing > 0:
            missing -= len(os.read(line, 4096))
        spans.append(time.perf_counter() - began)
    return median(spans) * 1e6


if __name__ == "__main__":
    main()
