"""Who is told, and what strangers and receivers that mean no good can do to the one who tells."""

import asyncio
import contextlib
import socket
import time

import pytest

from media_network.snmp import ber
from media_network.snmp.notifying.expected import LONGER_OCTETS, ExpectedAnswers
from media_network.snmp.notifying.guarded_transport import GuardedTransport
from media_network.snmp.notifying.notifier import Notifier
from media_network.snmp.objects.notification import COLD_START, Notification
from media_network.snmp.pdu import PduType, read_pdu, write_pdu
from media_network.snmp.settings import UserSettings
from media_network.snmp.targets import AgentSettings, TargetSettings
from media_network.snmp.usm import EngineIdentity
from tests.media_network.snmp.hostile_datagrams import (
    GARBAGE,
    costly_datagram,
    costly_user_datagram,
    discovery,
)
from tests.patience import until

USER = UserSettings(user="reader", auth_password="reader-secret", priv_password="reader-hidden")
IDENTITY = EngineIdentity(b"\x80" + bytes(11), 1)


def community_message(kind, number, padding=0):
    bindings = ber.tagged(ber.SEQUENCE, ber.tagged(ber.OBJECT_IDENTIFIER, b"\x2b\x06") + b"\x05\x00") * padding
    pdu = write_pdu(kind, ber.integer(number), bindings)
    return ber.tagged(ber.SEQUENCE, ber.integer(1) + ber.tagged(ber.OCTET_STRING, b"heard") + pdu)


INFORM = community_message(PduType.INFORM, 5)
RESPONSE = community_message(PduType.RESPONSE, 5)


def test_an_answer_is_let_through_once_soon_and_if_it_is_not_too_long():
    expected = ExpectedAnswers(wait_s=2.0)
    assert not expected.takes(RESPONSE, 0.0), "nothing was sent"
    expected.sent(INFORM, 0.0)
    assert expected.until(0.0) == 2.0
    assert not expected.takes(community_message(PduType.RESPONSE, 6), 0.1)
    assert not expected.takes(community_message(PduType.RESPONSE, 5, padding=LONGER_OCTETS // 4), 0.1)
    assert expected.takes(RESPONSE, 0.1)
    assert not expected.takes(RESPONSE, 0.1), "doubled"
    expected.sent(INFORM, 1.0)
    assert not expected.takes(RESPONSE, 3.0), "late"
    assert expected.until(3.0) is None


def test_discovery_is_answered_under_its_number_and_a_trap_by_nobody():
    expected = ExpectedAnswers(wait_s=2.0)
    expected.sent(community_message(PduType.TRAP, 5), 0.0)
    assert expected.until(0.0) is None
    expected.sent(discovery(), 0.0)
    assert not expected.takes(costly_user_datagram(400, 78), 0.1)
    assert expected.takes(costly_user_datagram(400, 77), 0.1)


@pytest.mark.parametrize("octets", GARBAGE, ids=len)
def test_garbage_is_not_let_through(octets):
    expected = ExpectedAnswers(wait_s=2.0)
    expected.sent(INFORM, 0.0)
    assert not expected.takes(octets, 0.1)


def test_so_many_are_expected_at_once():
    expected = ExpectedAnswers(wait_s=2.0)
    for number in range(1_000):
        expected.sent(community_message(PduType.INFORM, number), 0.0)
    taken = [n for n in range(1_000) if expected.takes(community_message(PduType.RESPONSE, n), 0.1)]
    assert taken == list(range(1_000 - 64, 1_000))


@contextlib.asynccontextmanager
async def notifying(receiver, **changes):
    """One who tells a receiver, which is a bare socket, whatever it does."""
    receiver.bind(("127.0.0.1", 0))
    receiver.setblocking(False)
    known = {"address": f"127.0.0.1:{receiver.getsockname()[1]}", "community": "heard"} | changes
    settings = AgentSettings(users=(USER,), targets=(TargetSettings(**known),))
    notifier = Notifier(settings, IDENTITY, lambda: 0, lambda: 0)
    running = asyncio.create_task(notifier.run())
    try:
        yield notifier
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def received(receiver):
    def look():
        try:
            return receiver.recvfrom(65_507)
        except BlockingIOError:
            return None

    return await until(look)


@pytest.fixture
def complaints(monkeypatch):
    """What any event loop had to complain of."""
    seen = []
    monkeypatch.setattr(asyncio.BaseEventLoop, "call_exception_handler", lambda _, context: seen.append(context))
    return seen


@pytest.fixture
def decoded(monkeypatch):
    """Lengths of what pysnmp was given to decode."""
    lengths = []
    take = GuardedTransport._take

    def counting(self, address, octets):
        lengths.append(len(octets))
        take(self, address, octets)

    monkeypatch.setattr(GuardedTransport, "_take", counting)
    return lengths


@pytest.mark.parametrize("inform", [False, True], ids=["trap", "inform"])
def test_a_stranger_is_not_heard_at_the_port_that_notifications_leave_from(inform, complaints, decoded):
    """Also while an inform waits: the kernel drops what is not from the receiver."""

    async def story():
        with socket.socket(type=socket.SOCK_DGRAM) as receiver, socket.socket(type=socket.SOCK_DGRAM) as stranger:
            async with notifying(receiver, inform=inform, timeout_s=30) as notifier:
                notifier.tell(Notification(kind=COLD_START))
                told, source = await received(receiver)
                began_s = time.process_time()
                for datagram in [costly_datagram(54_000)] * 50:
                    stranger.sendto(datagram, source)
                await asyncio.sleep(0.2)
                spent_s = time.process_time() - began_s
                if inform:
                    receiver.sendto(answer_to(told), source)
                    await until(lambda: next(iter(notifier.deliveries().values())).sent)
                return spent_s

    assert asyncio.run(story()) < 1.0, "pysnmp took 0.4 s for each of fifty"
    assert len(decoded) == inform
    assert complaints == []


def answer_to(octets):
    """What a receiver of SNMPv2c answers an inform."""
    at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
    _, at = ber.read_integer(octets, at, end)
    _, stop = ber.read_expected(octets, at, end, ber.OCTET_STRING)
    pdu = read_pdu(octets, stop, end)
    response = write_pdu(PduType.RESPONSE, pdu.request_id, octets[pdu.start : pdu.stop])
    return ber.tagged(ber.SEQUENCE, octets[at - 3 : stop] + response)


@pytest.mark.parametrize("user", ["", "reader"], ids=["SNMPv2c", "SNMPv3"])
def test_a_receiver_that_floods_costs_one_short_datagram_for_each_that_it_was_sent(user, complaints, decoded):
    """It knows the number, and answers what is dearest to decode, among a flood of garbage."""

    async def story():
        sent = []
        who = {"community": "", "user": user} if user else {}
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            async with notifying(receiver, inform=True, timeout_s=0.5, retries=2, **who) as notifier:
                notifier.tell(Notification(kind=COLD_START))

                def flood():
                    with contextlib.suppress(BlockingIOError):
                        told, source = receiver.recvfrom(65_507)
                        sent.append(len(told))
                        number = number_of(told)
                        for octets in (54_000, len(told) + LONGER_OCTETS - 60, len(told) + LONGER_OCTETS - 60):
                            costly = (
                                costly_user_datagram(octets, number) if user else costly_datagram(octets, number=number)
                            )
                            for datagram in (costly, *GARBAGE):
                                with contextlib.suppress(BlockingIOError):
                                    receiver.sendto(datagram, source)
                    return next(iter(notifier.deliveries().values())).failed

                began_s = time.process_time()
                await until(flood)
                return sent, time.process_time() - began_s

    sent, spent_s = asyncio.run(story())
    assert len(decoded) <= len(sent)
    assert max(decoded) <= max(sent) + LONGER_OCTETS
    assert spent_s < 3.0, "with pysnmp's own start"
    assert complaints == []


def number_of(octets):
    at, end = ber.read_expected(octets, 0, len(octets), ber.SEQUENCE)
    version, at = ber.read_integer(octets, at, end)
    if version == 3:
        start, _ = ber.read_expected(octets, at, end, ber.SEQUENCE)
        return ber.read_integer(octets, start, end)[0]
    _, stop = ber.read_expected(octets, at, end, ber.OCTET_STRING)
    pdu = read_pdu(octets, stop, end)
    return ber.read_integer(pdu.request_id, 0, len(pdu.request_id))[0]


def test_a_storm_of_notifications_leaves_the_processor_to_others():
    """Those who stream in the same process are kept waiting by a piece of work now and then, not by the storm."""

    async def story():
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            async with notifying(receiver) as notifier:
                delivery = next(iter(notifier.deliveries().values()))
                notifier.tell(Notification(kind=COLD_START))
                await until(lambda: delivery.sent)  # pysnmp has been loaded
                loop = asyncio.get_running_loop()
                for _ in range(200):
                    notifier.tell(Notification(kind=COLD_START))
                before_s, began_s = time.process_time(), loop.time()
                await until(lambda: delivery.sent >= 60)
                return (time.process_time() - before_s) / (loop.time() - began_s)

    assert asyncio.run(story()) < 0.4, "of one processor; a worker that does not rest takes it all"


def test_a_receiver_that_is_not_there_yet_is_told_when_it_is(complaints):
    """What the kernel says of a closed port ends nothing, and keeps no later one from leaving."""

    async def story():
        with socket.socket(type=socket.SOCK_DGRAM) as reserved:
            reserved.bind(("127.0.0.1", 0))
            address = reserved.getsockname()
        target = TargetSettings(
            address=f"127.0.0.1:{address[1]}", community="heard", inform=True, timeout_s=0.3, retries=9
        )
        notifier = Notifier(AgentSettings(targets=(target,)), IDENTITY, lambda: 0, lambda: 0)
        running = asyncio.create_task(notifier.run())
        notifier.tell(Notification(kind=COLD_START))
        await asyncio.sleep(1.0)
        with socket.socket(type=socket.SOCK_DGRAM) as receiver:
            receiver.bind(address)
            receiver.setblocking(False)
            told, source = await received(receiver)
            receiver.sendto(answer_to(told), source)
            await until(lambda: notifier.deliveries()[target.address].sent)
        running.cancel()

    asyncio.run(story())
    assert complaints == []


def test_a_worker_that_fails_says_so_to_who_runs_it(monkeypatch):
    async def fail(*_):
        raise RuntimeError("no engine")

    monkeypatch.setattr("media_network.snmp.notifying.notifier.send_until_cancelled", fail)
    settings = AgentSettings(targets=(TargetSettings(address="127.0.0.1:9", community="heard"),))
    with pytest.raises(RuntimeError, match="no engine"):
        asyncio.run(Notifier(settings, IDENTITY, lambda: 0, lambda: 0).run())
