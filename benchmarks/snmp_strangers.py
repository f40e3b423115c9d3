"""What an SNMP agent spends on those whom it does not know: CPU for a message, ours beside net-snmp's snmpd.

A wrong community is met with silence, so that each message is followed by a good GET, whose answer says that both were
read; what the GET costs by itself, measured in the same turn, is taken off. Wrong users are told so by a report.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from benchmarks.figure import Figure, show
from benchmarks.served import served
from benchmarks.snmp import in_turn, serve_ours, snmpd, stay_on_one_processor
from benchmarks.snmp_manager import SnmpManager, question
from benchmarks.snmp_specimen import COMMUNITY, USER
from media_network.address import Address
from media_network.snmp import ber
from media_network.snmp.pdu import PduType
from media_network.snmp.settings import UserSettings

ROUNDS = 7
MESSAGES = 200
SIZES = (100, 1_400, 16_000, 64_000)
"""Octets, about."""
MOST_US = 50.0
KNOWN = (1, 3, 6, 1, 2, 1, 1, 3, 0)
_TIMEOUT_S = 5
_DATAGRAM_OCTETS = 65_507
_REPORTABLE = (b"\x04\x01\x03\x02\x01\x03", b"\x04\x01\x07\x02\x01\x03")


class Bothered(Struct, frozen=True):
    """An agent, who bothers it, and a way to ask what CPU it took since the last time."""

    address: Address
    cost_s: Callable[[], Awaitable[float]]


async def main() -> None:
    """Measure and print."""
    stay_on_one_processor()
    async with served(serve_ours) as served_ours:
        with snmpd() as (address, cost_s):
            ours, peer = Bothered(served_ours.address, served_ours.cost_s), Bothered(address, cost_s)
            figures = [await compare(kind, octets, ours, peer) for kind in STRANGERS for octets in SIZES]
    show(*figures)
    worst_us = max(figure.value for figure in figures)
    show(
        Figure(figure="SNMP, the worst of strangers", value=worst_us, unit="CPU us", peer=MOST_US, peer_name="at most")
    )


async def compare(kind: str, octets: int, ours: Bothered, peer: Bothered) -> Figure:
    """Bother two agents in turns; the first turn is not counted."""
    spent_us: dict[Bothered, list[float]] = {ours: [], peer: []}
    for turn in range(ROUNDS + 1):
        for agent in in_turn(ours, peer, turn):
            cost_us = await bother(agent, STRANGERS[kind](agent.address, octets))
            if turn:
                spent_us[agent].append(cost_us)
    return Figure(
        figure=f"SNMP, {kind}, about {octets:,} octets",
        value=median(spent_us[ours]),
        unit="CPU us",
        peer=median(spent_us[peer]),
        peer_name="snmpd",
        runs=ROUNDS,
    )


async def bother(agent: Bothered, message: bytes) -> float:
    """Send a message many times, and give what CPU each takes, in microseconds."""
    await agent.cost_s()
    await asyncio.to_thread(ask, agent.address, [GET])
    alone_s = await agent.cost_s()
    await asyncio.to_thread(ask, agent.address, [message, GET])
    return (await agent.cost_s() - alone_s) / MESSAGES * 1e6


def ask(agent: Address, messages: list[bytes]) -> None:
    """Send messages, and wait for the answer to the last, which is the one that is told by the community in it."""
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(_TIMEOUT_S)
        sock.connect(agent)
        for _ in range(MESSAGES):
            for message in messages:
                sock.send(message)
            while COMMUNITY.encode() not in sock.recv(_DATAGRAM_OCTETS)[:40]:
                pass


def of_community(community: str, pdu: bytes) -> bytes:
    """Write an SNMPv2c message."""
    return ber.tagged(ber.SEQUENCE, ber.integer(1) + ber.tagged(ber.OCTET_STRING, community.encode()) + pdu)


def of_user(agent: Address, octets: int, user: UserSettings) -> bytes:
    """Write an SNMPv3 message that wants to be told what is wrong with it."""
    manager = SnmpManager(agent, COMMUNITY, USER)
    return manager.secure([asking(octets)], user)[0].replace(*_REPORTABLE)


def asking(octets: int) -> bytes:
    """Write a GET of about so many octets."""
    return question(PduType.GET, *[KNOWN] * max(octets // 16 - 8, 1))


GET = of_community(COMMUNITY, question(PduType.GET, KNOWN))
STRANGERS: dict[str, Callable[[Address, int], bytes]] = {
    "a wrong community": lambda _, octets: of_community("stranger", asking(octets)),
    "a wrong user": lambda agent, octets: of_user(agent, octets, replace(USER, user="nobody")),
    "a wrong password": lambda agent, octets: of_user(agent, octets, replace(USER, auth_password="guessed-wrong")),
}


if __name__ == "__main__":
    asyncio.run(main())
