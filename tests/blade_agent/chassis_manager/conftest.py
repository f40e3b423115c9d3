import heapq
from itertools import count
from random import Random

import pytest

from blade_agent.cbc.basic_mode import BasicMode
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity, SlotAddress
from blade_agent.cbc.line import MessageLine
from blade_agent.cbc.role import MainBoardState, MainBoardStatus, Role, RoleAssignment
from blade_agent.chassis_manager.chassis import Chassis
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort
from media_network.address import Address

CENTER = Address("127.1.0.1", 9000)


class DeskBoard:
    """A main board that takes every role at once and remembers them."""

    def __init__(self, slot):
        self.state = MainBoardState.READY
        self.address = Address(f"127.1.1.{slot}", 8080)
        self.assignment = RoleAssignment()

    def assign(self, assignment):
        self.assignment = assignment

    def status(self):
        return MainBoardStatus(state=self.state, address=self.address)


def start_agent(slot, boot_id):
    """Start a blade's agent: a CBC in M2, handle closed, with no memory of an earlier start."""
    board = DeskBoard(slot)
    controller = Controller(
        identity=Identity(
            device_id=1, device_revision=0, manufacturer=8072, product=1, guid=bytes(16), firmware_version="0.1"
        ),
        address=SlotAddress(slot),
        main_board=board,
        boot_id=boot_id,
    )
    controller.board = board
    return controller


class MemoryLine:
    """One end of a wire on the bench."""

    usable = True

    def __init__(self, carry):
        self._carry = carry
        self.receive = None

    def attach(self, receive):
        self.receive = receive

    def write(self, data):
        self._carry(data)

    def close(self):
        self.receive = None


class Bench:
    """A chassis in virtual time: a manager, or none, and a wire with latency and noise to each of its slots."""

    LATENCY_S = 0.004

    def __init__(self, slots, seed=1, epoch_file=""):
        self.now = 0.0
        self.rng = Random(seed)
        self.noise = 0.0  # probability that a write is hit
        self.blades = {}
        self.hung = set()
        self.disk_takes_epochs = True
        self.kept_epoch = 0
        self.kept_epochs = []
        self.requests = 0
        self.settings = ManagerSettings(
            station="north",
            slots={slot: SerialPort(path=f"/nowhere/{slot}") for slot in range(1, slots + 1)},
            epoch_file=epoch_file,
            center=str(CENTER),
        )
        self._queue = []
        self._order = count()
        self._blade_ends = {slot: MemoryLine(None) for slot in self.settings.slots}
        self.chassis = None
        self.start_manager()
        for slot in self.settings.slots:
            self.start_blade(slot)

    def start_manager(self):
        self._chassis_lines = {}
        self.chassis = Chassis(self.settings, self.kept_epoch, self.rng, self.now)
        self._manager_ends = {}
        for slot in self.settings.slots:
            end = MemoryLine(lambda data, slot=slot: self._carry(data, lambda slot=slot: self._blade_ends[slot]))
            self._manager_ends[slot] = end
            self._chassis_lines[slot] = MessageLine(
                end, BasicMode(), lambda message, slot=slot: self._received(slot, message)
            )

    def stop_manager(self):
        self.chassis = None
        self._manager_ends = {}

    def start_blade(self, slot):
        self.blades[slot] = blade = start_agent(slot, self.rng.getrandbits(64))
        end = MemoryLine(lambda data: self._carry(data, lambda: self._manager_ends.get(slot)))
        self._blade_ends[slot] = end
        blade.serve_backplane(end, BasicMode())
        return blade

    def crash_blade(self, slot):
        del self.blades[slot]
        self._blade_ends[slot] = MemoryLine(None)

    def _carry(self, data, to):
        if self.rng.random() < self.noise:
            data = self._spoil(data)
        heapq.heappush(self._queue, (self.now + self.LATENCY_S, next(self._order), to, data))

    def _spoil(self, data):
        spoiled = bytearray(data)
        for _ in range(self.rng.randint(1, 4)):
            at = self.rng.randrange(len(spoiled) + 1)
            spoiled[at : at + self.rng.randint(0, 3)] = self.rng.randbytes(self.rng.randint(0, 5))
        return bytes(spoiled)

    def _received(self, slot, message):
        self._send(self.chassis.receive(slot, message, self.now))

    def _send(self, sends):
        for slot, request in sends:
            self.requests += 1
            self._chassis_lines[slot].send(request)
        epoch = self.chassis.epoch_to_keep(self.now)
        if epoch is None:
            return
        if not self.disk_takes_epochs:
            self.chassis.epoch_not_kept(self.now)
            return
        self.kept_epoch = epoch
        self.kept_epochs.append(epoch)
        self.chassis.epoch_kept(epoch)
        self._send(self.chassis.tick(self.now))

    def run(self, duration_s):
        until = self.now + duration_s
        while True:
            due = self.chassis.due if self.chassis is not None else until
            carried = self._queue[0][0] if self._queue else until
            if min(due, carried) >= until:
                break
            self.now = max(self.now, min(due, carried))
            if carried <= due:
                _, _, to, data = heapq.heappop(self._queue)
                end = to()
                if end is not None and end.receive is not None and self._listens(end):
                    end.receive(data)
            else:
                self._send(self.chassis.tick(self.now))
        self.now = until

    def _listens(self, end):
        return all(self._blade_ends[slot] is not end for slot in self.hung)

    def run_until(self, condition, limit_s):
        """Run in short steps until the condition holds; give how long it took."""
        start = self.now
        while not condition():
            assert self.now - start < limit_s, "it never came about"
            self.run(0.01)
        return self.now - start

    def roles(self):
        return {slot: blade.board.assignment.role for slot, blade in self.blades.items()}

    def served_by(self, slot):
        """Whether all blades in service hold a role of one epoch under the director in that slot."""
        held = {number: blade.board.assignment for number, blade in self.blades.items() if number not in self.hung}
        return (
            slot in held
            and all(
                assignment.role is (Role.DIRECTOR if number == slot else Role.ENGINE)
                for number, assignment in held.items()
            )
            and {(a.epoch, a.director, a.center, a.station) for a in held.values()}
            == {(self.chassis.epoch, self.blades[slot].board.address, CENTER, "north")}
        )


@pytest.fixture
def bench(tmp_path):
    return lambda slots=4, seed=1: Bench(slots, seed, tmp_path / "epoch")


@pytest.fixture
def make_blade():
    return start_agent
