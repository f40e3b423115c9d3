"""What a datagram of a stranger costs at each open port, in CPU: garbage, and what is dear to a careless decoder.

Each reader is what stands behind a socket, without the socket; `docs/protocols/sockets.md` lists them. The SNMP agent
is measured beside snmpd by `snmp_strangers`, pysnmp beside them here: it stands behind no open port any more.
"""

import random
import struct
import time
from collections.abc import Callable
from statistics import median

from pyasn1.codec.ber import decoder
from pysnmp.proto.api import decodeMessageVersion, v2c

from benchmarks.figure import Figure, show
from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import BadMessage, CompletionCode, Request, Response, decode
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.chassis_manager.lan.endpoint import Endpoint
from blade_agent.chassis_manager.lan.users import LanUser
from blade_agent.main_board.rtsp.message import READ_BYTES, RtspReader
from media_network.address import Address
from media_network.rtp import BadRtp, parse_rtcp
from media_network.snmp import ber
from media_network.snmp.notification_inbox import NotificationInbox
from media_network.snmp.notifying.expected import ExpectedAnswers
from media_network.snmp.pdu import PduType, write_pdu
from media_network.snmp.remote_engine import NotBelieved, open_message
from media_network.snmp.settings import UserSettings
from media_network.snmp.usm import EngineIdentity

ROUNDS = 200
SIZES = (40, 1_400, 16_000, 54_000)
MOST_US = 500.0
"""What any of them may cost."""
Reader = Callable[[bytes], object]
_USER = UserSettings(user="reader", auth_password="reader-secret", priv_password="reader-hidden")
_NAME = ber.tagged(ber.SEQUENCE, ber.tagged(ber.OBJECT_IDENTIFIER, b"\x2b\x06\x01\x02\x01\x01\x03\x00") + b"\x05\x00")


def main() -> None:
    """Measure and print."""
    figures = [
        Figure(figure=f"a stranger's {octets:,} octets at {port}", value=cost_us(read, octets), unit="CPU us")
        for port, read in readers().items()
        for octets in SIZES
    ]
    worst_us = max(figure.value for figure in figures)
    show(*figures)
    show(Figure(figure="strangers, the worst", value=worst_us, unit="CPU us", peer=MOST_US, peer_name="at most"))
    show(Figure(figure="a second of noise on a serial line", value=noise_us(), unit="CPU us"))
    show(Figure(figure="54,000 octets decoded by pysnmp's codec", value=foreign_us(), unit="CPU us"))


def readers() -> dict[str, Reader]:
    """What reads at each open port, by the port."""
    inbox = NotificationInbox(_USER, EngineIdentity(b"\x80" + bytes(11), 1), rng=random.Random(1), started=0.0)
    endpoint = Endpoint(
        guid=bytes(16),
        users=[LanUser(name="admin", password="a-password", privilege="administrator")],
        controller=_refuse,
        rng=random.Random(1),
    )
    console = Address("127.0.0.1", 40_000)
    rmcp = Rmcp()
    expected = ExpectedAnswers(wait_s=1e9)
    expected.sent(costly(PduType.INFORM, 5, 200), 0.0)
    return {
        "the NMS's notifications port": lambda octets: inbox.receive(octets, "192.0.2.1", 1.0),
        "the NMS's asking port": _read_by(open_message),
        "the port that notifications leave from": lambda octets: expected.takes(octets, 1.0),
        "the RTCP port": _read_by(lambda octets: parse_rtcp(octets, "192.0.2.1")),
        "the RTSP port": lambda octets: list(RtspReader().feed(octets[:READ_BYTES])),
        "the IPMI port (RMCP+)": lambda octets: list(endpoint.receive(octets, console, 1.0)),
        "a backplane of UDP": lambda octets: [_read_by(decode)(message) for message in rmcp.receive(octets)],
    }


def cost_us(read: Reader, octets: int) -> float:
    """The dearest of what a stranger may send in so many octets, the median of many times."""
    return max(_median_us(read, datagram) for datagram in hostile(octets))


def hostile(octets: int) -> list[bytes]:
    """Datagrams of about so many octets."""
    return [
        random.Random(octets).randbytes(octets),
        costly(PduType.TRAP, 7, octets),
        (b"\x30\x84" + struct.pack(">I", octets)) * (octets // 6),
        b"\x30\x80" * (octets // 2),
        bytes.fromhex("0600ff07") + bytes(octets - 4),
        b"\xaa" * octets,
        b"PLAY rtsp://x/ RTSP/1.0\r\n" + b"A: b\r\n" * 60 + b"\r\n" + bytes(octets),
        (b"$\x00\x00\x08" + bytes(8)) * (octets // 12),
        struct.pack(">BBHI", 0x9F, 201, 32 * 6 - 5, 7) + bytes(31 * 24) if octets > 1_000 else b"\x80\xc9\x00\x00" * 10,
    ]


def costly(kind: int, number: int, octets: int) -> bytes:
    """An SNMPv2c message full of variables."""
    pdu = write_pdu(kind, ber.integer(number), _NAME * max((octets - 60) // len(_NAME), 1))
    return ber.tagged(ber.SEQUENCE, ber.integer(1) + ber.tagged(ber.OCTET_STRING, b"stranger") + pdu)


def noise_us() -> float:
    """What a line at 115,200 baud can carry at most in a second, none of it a frame."""
    return _median_us(BasicMode().receive, b"\xa0" + random.Random(1).randbytes(11_519))


def foreign_us() -> float:
    """What the same takes that decodes first and asks later."""
    message = costly(PduType.TRAP, 7, 54_000)
    decodeMessageVersion(message)
    began_s = time.process_time()
    decoder.decode(message, asn1Spec=v2c.Message())
    return (time.process_time() - began_s) * 1e6


def _median_us(read: Reader, datagram: bytes) -> float:
    spent_us = []
    for _ in range(ROUNDS if len(datagram) < 10_000 else ROUNDS // 10):
        began_s = time.process_time()
        read(datagram)
        spent_us.append((time.process_time() - began_s) * 1e6)
    return median(spent_us)


def _read_by(read: Callable[[bytes], object]) -> Reader:
    """Read, and take no offence."""

    def reading(octets: bytes) -> object:
        try:
            return read(octets)
        except (ber.BerError, NotBelieved, BadMessage, BadRtp):
            return None

    return reading


def _refuse(request: Request) -> Response:
    return request.respond(CompletionCode.INVALID_COMMAND)


if __name__ == "__main__":
    main()
