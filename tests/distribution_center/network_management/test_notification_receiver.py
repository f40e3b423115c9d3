"""What receives traps and informs, at its end. What it takes, test_nms.py shows."""

import asyncio
import socket

from distribution_center.network_management.notification_receiver import NotificationReceiver
from media_network.address import Address
from media_network.snmp.usm import EngineIdentity
from tests.distribution_center.network_management.agents import USER


def test_what_comes_while_it_closes_is_no_error(free_port):
    async def run():
        loop = asyncio.get_running_loop()
        complaints = []
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        address = Address("127.0.0.1", free_port())
        identity = EngineIdentity(engine_id=bytes.fromhex("8000000001020304"), boots=1)
        receiver = NotificationReceiver(address, USER, identity, lambda *_: None)
        await asyncio.sleep(0.1)
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.sendto(b"0", address)
        # It is read in the loop's next turn, looked at in the one after, and in between there is an end of it.
        loop.call_soon(loop.call_soon, receiver.close)
        await asyncio.sleep(0.1)
        assert complaints == []

    asyncio.run(run())
