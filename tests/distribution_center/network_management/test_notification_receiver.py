"""What receives traps and informs, at its end, and among strangers. What it takes, test_nms.py shows."""

import asyncio
import contextlib
import logging
import random
import socket
import time

import pytest
from msgspec.structs import replace
from pysnmp.hlapi.v3arch.asyncio import (
    USM_AUTH_HMAC192_SHA256,
    USM_PRIV_CFB128_AES,
    ContextData,
    NotificationType,
    ObjectIdentity,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    send_notification,
)
from pysnmp.proto.rfc1902 import OctetString

from distribution_center.network_management.notification_receiver import NotificationReceiver
from media_network.address import Address
from media_network.snmp.usm import EngineIdentity
from tests.distribution_center.network_management.agents import USER
from tests.media_network.snmp.hostile_datagrams import GARBAGE, costly_datagram, discovery
from tests.patience import until

IDENTITY = EngineIdentity(engine_id=bytes.fromhex("8000000001020304"), boots=7)


@contextlib.asynccontextmanager
async def listening(free_port, heard=None, users=(USER,)):
    address = Address("127.0.0.1", free_port())
    taken = [] if heard is None else heard
    receiver = NotificationReceiver(address, users, IDENTITY, lambda *who: taken.append(who), rng=random.Random(5))
    try:
        yield receiver, address
    finally:
        receiver.close()


def test_what_comes_while_it_closes_is_no_error(free_port):
    async def run():
        loop = asyncio.get_running_loop()
        complaints = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        async with listening(free_port) as (_, address):
            with socket.socket(type=socket.SOCK_DGRAM) as sender:
                sender.sendto(b"0", address)
        await asyncio.sleep(0.1)
        assert complaints == []

    asyncio.run(run())


def pysnmp_user(**changes):
    known = {"authKey": USER.auth_password, "privKey": USER.priv_password} | changes
    return UsmUserData(USER.user, authProtocol=USM_AUTH_HMAC192_SHA256, privProtocol=USM_PRIV_CFB128_AES, **known)


NAMESAKE = replace(USER, auth_password="of-another-center", priv_password="and-that-one-too")
"""A user of the same name, whose agents are another center's."""


@pytest.mark.parametrize("users", [(USER,), (NAMESAKE, USER)], ids=["alone", "beside a namesake"])
@pytest.mark.parametrize("kind", ["trap", "inform"])
@pytest.mark.parametrize(
    "changes", [{}, {"authKey": "a-wrong-password"}, {"privKey": "a-wrong-password"}], ids=["right", "auth", "priv"]
)
def test_what_pysnmp_sends_is_taken_if_it_is_authentic(free_port, kind, changes, users):
    """The oracle: somebody else's traps and informs, also with wrong passwords."""
    engine_id = bytes.fromhex("80000000aabbccddee")

    async def run():
        heard = []
        async with listening(free_port, heard, users) as (receiver, address):
            receiver.know(engine_id, USER)
            engine = SnmpEngine(OctetString(engine_id))
            target = await UdpTransportTarget.create(address, timeout=1, retries=1)
            try:
                refusal, *_ = await send_notification(
                    engine,
                    pysnmp_user(**changes),
                    target,
                    ContextData(),
                    kind,
                    NotificationType(ObjectIdentity("1.3.6.1.6.3.1.1.5.1")),
                )
                if changes:
                    await until(lambda: receiver.refused or refusal)
                else:
                    await until(lambda: heard)
            finally:
                engine.close_dispatcher()
            return heard, refusal

    heard, refusal = asyncio.run(run())
    # pysnmp names the receiver's engine as that of an inform's context.
    named = engine_id if kind == "trap" else IDENTITY.engine_id
    assert heard == ([] if changes else [(named, "127.0.0.1")])
    assert bool(refusal) == (bool(changes) and kind == "inform")


def test_a_trap_of_an_engine_that_is_not_known_is_not_taken(free_port):
    async def run():
        heard = []
        async with listening(free_port, heard) as (receiver, address):
            engine = SnmpEngine(OctetString(bytes.fromhex("80000000deadbeef01")))
            target = await UdpTransportTarget.create(address)
            await send_notification(
                engine,
                pysnmp_user(),
                target,
                ContextData(),
                "trap",
                NotificationType(ObjectIdentity("1.3.6.1.6.3.1.1.5.1")),
            )
            await until(lambda: receiver.refused)
            engine.close_dispatcher()
        assert heard == []

    asyncio.run(run())


def test_strangers_cost_little_and_are_told_of_in_a_line(free_port, caplog):
    """Bound of size, CPU and log: the largest datagrams, the costliest to a careless decoder, and garbage."""
    caplog.set_level(logging.INFO)
    datagrams = [*GARBAGE, *[costly_datagram(54_000)] * 20, *[costly_datagram(16_000)] * 20]

    async def run():
        complaints = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
        async with listening(free_port) as (receiver, address):
            with socket.socket(type=socket.SOCK_DGRAM) as sender:
                began_s = time.process_time()
                for number, datagram in enumerate(datagrams, 1):
                    sender.sendto(datagram, address)
                    await until(lambda number=number: receiver.refused == number)
            return complaints, (time.process_time() - began_s) / len(datagrams)

    complaints, each_s = asyncio.run(run())
    assert complaints == []
    assert each_s < 0.01, "this test's own waiting included; pysnmp took 0.4 s for one"
    told = [record for record in caplog.records if "notification" in record.getMessage()]
    assert len(told) == 1
    assert all(record.exc_info is None for record in caplog.records)


def test_reports_to_those_who_prove_nothing_end(free_port):
    """A flood of discoveries is answered so many times."""

    async def run():
        async with listening(free_port) as (receiver, address):
            with socket.socket(type=socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.connect(address)
                answers = 0
                for _ in range(40):
                    for _ in range(10):
                        sender.send(discovery())
                    await asyncio.sleep(0.012)
                    with contextlib.suppress(BlockingIOError):
                        while sender.recv(2_000):
                            answers += 1
                await until(lambda: receiver.refused + answers >= 390)
                return answers

    assert 100 <= asyncio.run(run()) < 200
