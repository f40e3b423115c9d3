import asyncio
import contextlib
import struct
from random import Random

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import Request, decode
from blade_agent.backplane.role import MainBoardState, MainBoardStatus
from blade_agent.backplane.serial_line import ServicePort
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity
from blade_agent.chassis_manager.board.management_board import ManagementBoard
from blade_agent.chassis_manager.board.supplies import Supplies
from blade_agent.chassis_manager.lan.cipher import CIPHER_SUITES, SessionKeys
from blade_agent.chassis_manager.lan.endpoint import Datagram, Endpoint
from blade_agent.chassis_manager.lan.packet import Packet, covered, read, write, write_protected
from blade_agent.chassis_manager.lan.rakp import Exchange
from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.lan.users import LanUser
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.policy.chassis import Chassis
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, Timing
from blade_agent.chassis_manager.slots.lines import close_lines, open_lines
from blade_agent.hardware.profile import load_profile
from blade_agent.profiled_board.measurements import Measurements
from media_network.address import Address
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware
from tests.blade_agent.chassis_manager.lan.management_tree import write_tree
from tests.patience import PATIENCE_S, until

GUID = bytes(range(16))
USERS = (
    LanUser(name="root", password="correct horse batt", privilege="administrator"),
    LanUser(name="watch", password="only looking", privilege="user"),
    LanUser(name="night", password="third shift", privilege="operator"),
)
TIMING = Timing(heartbeat_s=0.1, director_heartbeat_s=0.1, eager_s=0.02, attempts=3, look_over_s=2.0)


class DeskBoard:
    """A main board that takes every role at once."""

    def assign(self, assignment):
        self.assignment = assignment

    def drain(self, draining):
        return 0

    def know_blades(self, blades):
        self.blades = blades

    def status(self):
        return MainBoardStatus(state=MainBoardState.READY, address=Address("127.1.1.1", 8080))


def start_blade(slot, hardware=None):
    return Controller(
        identity=Identity(
            device_id=0x40 + slot,
            device_revision=0,
            manufacturer=8072,
            product=1,
            guid=bytes([slot] * 16),
            firmware_version="0.1",
        ),
        address=SlotAddress(slot),
        main_board=DeskBoard(),
        boot_id=slot,
        hardware=hardware,
    )


class RunningChassis:
    """A chassis manager on PTYs, a controller at the other end of each, and its LAN interface."""

    def __init__(self, manager, server, blades):
        self.manager = manager
        self.server = server
        self.blades = blades

    async def ipmitool(self, *command, suite=17, user="root", password="correct horse batt"):
        """Run ipmitool; give its exit code and everything that it says."""
        address = self.server.address
        process = await asyncio.create_subprocess_exec(
            *("ipmitool", "-I", "lanplus", "-H", address.host, "-p", str(address.port), "-C", str(suite)),
            *("-U", user, "-P", password, "-N", "2", "-R", "3", *command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        return process.returncode, output.decode()


@contextlib.asynccontextmanager
async def running_chassis(tmp_path, slots=(1, 2, 3), empty=(), make_hardware=None, profile=None, **settings):
    ports = {slot: ServicePort() for slot in (*slots, *empty)}
    settings = ManagerSettings(
        station="north",
        slots={slot: SerialPort(path=port.path) for slot, port in ports.items()},
        epoch_file=str(tmp_path / "epoch"),
        timing=TIMING,
        **settings,
    )
    blades = {slot: start_blade(slot, make_hardware(slot) if make_hardware else None) for slot in slots}
    for slot, blade in blades.items():
        blade.serve_backplane(ports[slot].line, BasicMode())
    lines = await open_lines(settings)
    manager = ChassisManager(settings, lines, Random(1), profile)
    task = asyncio.create_task(manager.run())
    here = Address("127.0.0.1", 0)
    async with lan_server(here, manager=manager, guid=GUID, users=USERS, rng=Random(2)) as server:
        await until(lambda: [slot.hot_swap for slot in manager.snapshot()].count("M4") == len(slots))
        yield RunningChassis(manager, server, blades)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    close_lines(lines)
    for port in ports.values():
        port.close()


@pytest.fixture
def chassis(tmp_path):
    return lambda **settings: running_chassis(tmp_path, **settings)


@pytest.fixture
def board(chassis, tmp_path):
    """A chassis whose management board has sensors and supplies, with blades that have all there is."""
    root = tmp_path / "root"
    write_tree(root)
    made = {}

    def make_hardware(slot):
        made[slot] = DeskHardware()
        return made[slot]

    running = chassis(make_hardware=make_hardware, profile=load_profile("emulated-chassis"), root=str(root))
    running.root, running.made = root, made
    return running


class StillClock:
    """No time goes by."""

    def now_s(self):
        return 0.0

    def wall_s(self):
        return 1_700_000_000.0


def controller_at_20h():
    """The controller of a chassis without slots."""
    settings = ManagerSettings(station="north", slots={}, epoch_file="nowhere")
    chassis = Chassis(settings, 0, Random(1), 0.0)
    return ManagementBoard(
        settings,
        chassis,
        profile=None,
        measurements=Measurements(lambda: 0.0),
        supplies=Supplies(()),
        event_log=None,
        lines_work=lambda: True,
        clock=StillClock(),
    )


@pytest.fixture
def endpoint():
    return Endpoint(guid=GUID, users=USERS, controller=controller_at_20h(), rng=Random(7))


class Console:
    """An IPMI tool in virtual time. What it does wrong, it does on purpose."""

    def __init__(self, endpoint, host="10.0.0.9", port=50000):
        self.endpoint = endpoint
        self.peer = Address(host, port)
        self.now = 100.0
        self.session = 0
        self.sequence = 0
        self.answers = []

    def send(self, octets):
        """Send a datagram; give the datagrams that come back."""
        out = self.endpoint.receive(octets, self.peer, self.now)
        return [item.octets if isinstance(item, Datagram) else item for item in out]

    def step(self, payload_type, payload):
        """Send a step of the login; give the payload of its answer, or None."""
        answers = self.send(write(Packet(payload_type=payload_type, payload=payload)))
        return read(answers[0]).payload if answers else None

    def open(self, suite=CIPHER_SUITES[1], privilege=4):
        self.suite = suite
        algorithms = b"".join(
            struct.pack("<B2xBB3x", kind, 8, number)
            for kind, number in enumerate((suite.authentication, suite.integrity, suite.confidentiality))
        )
        answer = self.step(0x10, struct.pack("<BB2xI", 7, privilege, 0xA0A2A3A4) + algorithms)
        if answer is not None and answer[1] == 0:
            self.managed_id = int.from_bytes(answer[8:12], "little")
        return answer

    def rakp_1(self, name=b"root", role=0x14):
        self.name, self.role = name, role
        head = struct.pack("<B3xI16sB2xB", 8, self.managed_id, bytes(range(16)), role, len(name))
        answer = self.step(0x12, head + name)
        if answer is not None and answer[1] == 0:
            self.managed_random, self.guid, self.proof = answer[8:24], answer[24:40], answer[40:]
        return answer

    def rakp_3(self, password=b"correct horse batt", status=0):
        self.exchange = Exchange(
            suite=self.suite,
            key=password,
            console_id=0xA0A2A3A4,
            managed_id=self.managed_id,
            console_random=bytes(range(16)),
            managed_random=self.managed_random,
            guid=self.guid,
            role=self.role,
            name=self.name,
        )
        head = struct.pack("<BB2xI", 9, status, self.managed_id)
        answer = self.step(0x14, head + self.exchange.rakp_3_code())
        if answer is not None and answer[1] == 0:
            self.session, self.sequence = self.managed_id, 0
            self.keys = SessionKeys(self.suite, self.exchange.session_integrity_key())
        return answer

    def log_in(self, name=b"root", password=b"correct horse batt", role=0x14, suite=CIPHER_SUITES[1]):
        assert self.open(suite)[1] == 0
        assert self.rakp_1(name, role)[1] == 0
        return self.rakp_3(password)[1]

    def packet(self, net_fn, command, data=b"", sequence=None, lun=0):
        """Give the datagram of a request."""
        if sequence is None:
            self.sequence = sequence = self.sequence + 1
        request = Request(
            responder=0x20,
            requester=0x81,
            net_fn=net_fn,
            command=command,
            sequence=sequence % 64,
            data=data,
            responder_lun=lun,
        )
        packet = Packet(
            payload=self.keys.encrypt(request.encode(), bytes(16)),
            session=self.session,
            sequence=sequence,
            protected=True,
        )
        return write_protected(packet, self.keys.integrity_code(covered(packet)))

    def read(self, octets):
        """Give the response in a datagram of the session, once it has proved authentic."""
        packet = read(octets)
        assert self.keys.vouches_for(packet.octets)
        assert packet.session == 0xA0A2A3A4
        return decode(self.keys.decrypt(packet.payload))

    def ask(self, net_fn, command, data=b"", **settings):
        """Ask something; give the response, or None."""
        answers = self.send(self.packet(net_fn, command, data, **settings))
        return self.read(answers[0]) if answers else None


@pytest.fixture
def console(endpoint):
    return Console(endpoint)


@pytest.fixture
def make_console(endpoint):
    return lambda **settings: Console(endpoint, **settings)
