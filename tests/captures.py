"""Records what a chassis says on its wires, as pcap files that tshark decodes.

    python -m tests.captures

writes those of `docs/protocols/captures`. A chassis manager runs with slot 2 on a UDP wire and slot 3 on a serial one;
ipmitool logs in over the network and asks slot 2. Addresses and times in the files are made up; octets and their order
are not.
"""

import asyncio
import struct
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import Request, Response, decode
from blade_agent.backplane.rmcp import PORT, Rmcp
from blade_agent.backplane.serial_line import ServicePort
from blade_agent.backplane.udp_line import udp_listener
from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.lan.users import LanUser
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort, Timing, UdpPeer
from blade_agent.chassis_manager.slots.lines import close_lines, open_lines
from media_network.address import Address
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware
from tests.blade_agent.chassis_manager.lan.conftest import GUID, start_blade
from tests.patience import PATIENCE_S, until

CAPTURES = Path(__file__).parents[1] / "docs" / "protocols" / "captures"
USER = LanUser(name="capture", password="of no use elsewhere", privilege="administrator")
PING = bytes.fromhex("0600ff06 000011be 80 2a 00 00")
"""ASF Presence Ping (ASF 2.0, 3.2.4.2)."""
RAW_IPV4, IPMB = 101, 147
"""Link types: IPv4 without a frame around it, and the first of those that everybody may use."""
CONSOLE, MANAGER, BLADE = "192.0.2.9", "192.0.2.1", "192.0.2.2"
RMCP_VERSION, SENSOR_EVENT, M4 = 6, 0x04, 4
_TIMING = Timing(
    heartbeat_s=1.0, director_heartbeat_s=1.0, eager_s=0.05, look_over_s=5.0, timeout_s=5.0, survey_after_s=600.0
)
"""However slow the machine: nothing is asked twice, and sensors not before the recording ends."""


class Recording:
    """What passed on each wire, in order: (to the blade or manager asked, octets)."""

    def __init__(self):
        self.lan, self.udp, self.serial = [], [], []

    def write(self, folder):
        """Write the three captures."""
        for name, octets in self.files().items():
            (folder / name).write_bytes(octets)

    def files(self):
        """Each capture's octets by the name of its file."""
        return {
            "lan.pcap": _pcap(RAW_IPV4, [_datagram(CONSOLE, MANAGER, *each) for each in self.lan]),
            "backplane-udp.pcap": _pcap(RAW_IPV4, [_datagram(MANAGER, BLADE, *each) for each in self.udp]),
            "backplane-serial.pcap": _pcap(IPMB, [octets for _, octets in self.serial]),
        }


def _pcap(link, packets):
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link)
    return head + b"".join(
        struct.pack("<IIII", 0, 1000 * number, len(packet), len(packet)) + packet
        for number, packet in enumerate(packets)
    )


def _datagram(asker, asked, there, octets):
    ends = [(asker, 50000), (asked, PORT)]
    (source, source_port), (target, target_port) = ends if there else ends[::-1]
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(octets), 0) + octets
    addresses = bytes(map(int, (*source.split("."), *target.split("."))))
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
    return header[:10] + struct.pack(">H", _internet_checksum(header)) + header[12:] + udp


def _internet_checksum(octets):
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class _Tapped:
    """A line whose messages are noted."""

    def __init__(self, line, framing, noted):
        self._line, self._noted = line, noted
        self._ways = {there: framing() for there in (True, False)}
        self._whole = framing is Rmcp
        """The datagram is what is noted; of a serial frame, the message in it."""

    def _note(self, there, data):
        messages = self._ways[there].receive(data)
        self._noted.extend((there, data if self._whole else message) for message in messages)

    def attach(self, receive):
        def arrived(data):
            self._note(there=False, data=data)
            receive(data)

        self._line.attach(arrived)

    def write(self, data):
        self._note(there=True, data=data)
        self._line.write(data)

    def close(self):
        self._line.close()

    @property
    def usable(self):
        return self._line.usable


class _Relay(asyncio.DatagramProtocol):
    """Stands between one tool and the chassis manager."""

    def __init__(self, noted, there, forward):
        self._noted, self._there, self._forward = noted, there, forward
        self.seen = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.seen = address
        self._noted.append((self._there, data))
        self._forward(data)


@asynccontextmanager
async def _relayed(server, noted):
    """The address of a relay to a server."""
    loop = asyncio.get_running_loop()
    _, inner = await loop.create_datagram_endpoint(
        lambda: _Relay(noted, False, lambda data: outer.transport.sendto(data, outer.seen)),
        remote_addr=(server.host, server.port),
    )
    _, outer = await loop.create_datagram_endpoint(
        lambda: _Relay(noted, True, inner.transport.sendto),
        local_addr=("127.0.0.1", 0),
    )
    yield outer
    inner.transport.close()
    outer.transport.close()


async def _ipmitool(address, *command):
    process = await asyncio.create_subprocess_exec(
        *("ipmitool", "-I", "lanplus", "-H", address.host, "-p", str(address.port), "-C", "17"),
        *("-U", USER.name, "-P", USER.password, *command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    written, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, written.decode()
    return written.decode()


async def record(folder):
    """Bring a chassis up and ask its slot 2 over the network; gives the recording and what ipmitool printed."""
    recording, port = Recording(), ServicePort()
    listener = await udp_listener("127.0.0.1", 0)
    blades = {
        2: (start_blade(2, DeskHardware()), listener, Rmcp()),
        3: (start_blade(3, DeskHardware()), port.line, BasicMode()),
    }
    settings = ManagerSettings(
        station="north",
        slots={2: UdpPeer(address=str(listener.address)), 3: SerialPort(path=port.path)},
        epoch_file=str(folder / "epoch"),
        timing=_TIMING,
    )
    opened = await open_lines(settings)
    lines = {2: _Tapped(opened[2], Rmcp, recording.udp), 3: _Tapped(opened[3], BasicMode, recording.serial)}
    for blade, line, framing in blades.values():
        blade.serve_backplane(line, framing)
        blade.move_handle(closed=True)
    manager = ChassisManager(settings, lines, Random(1))
    task = asyncio.create_task(manager.run())
    async with lan_server(Address("127.0.0.1", 0), manager=manager, guid=GUID, users=(USER,), rng=Random(2)) as server:
        await until(lambda: all(_is_settled(slot) for slot in manager.snapshot()))
        for wire, (blade, _, _) in zip((recording.udp, recording.serial), blades.values(), strict=True):
            await until(lambda wire=wire, blade=blade: _has_told(blade, wire))
        async with _relayed(server.address, recording.lan) as relay:
            relay.seen = None
            ping = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=relay.transport.get_extra_info("sockname")
            )
            ping[0].sendto(PING)
            await until(lambda: len(recording.lan) == 2)
            ping[0].close()
            address = Address(*relay.transport.get_extra_info("sockname"))
            printed = await _ipmitool(address, "-t", "0x84", "mc", "info")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    close_lines(lines)
    for blade, _, _ in blades.values():
        blade.close()
    port.close()
    return recording, printed


def _is_settled(slot):
    return slot.hot_swap == "M4" and slot.role is not None


def _has_told(blade, wire):
    """Whether a blade, which looks for news now, has had the receipt of its event that it is in M4."""
    blade.settle()
    messages = [decode(octets[-octets[13] :] if octets[0] == RMCP_VERSION else octets) for _, octets in wire]
    told = {
        message.sequence
        for message in messages
        if isinstance(message, Request) and message.net_fn == SENSOR_EVENT and message.data[4] & 0x0F == M4
    }
    return any(
        isinstance(message, Response) and message.net_fn == SENSOR_EVENT + 1 and message.sequence in told
        for message in messages
    )


def main():
    """Write the captures of the documents."""
    CAPTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        recording, _ = asyncio.run(record(Path(folder)))
    recording.write(CAPTURES)


if __name__ == "__main__":
    main()
