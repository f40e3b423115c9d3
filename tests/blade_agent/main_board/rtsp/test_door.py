"""The door for players, over real connections: what a stranger makes it keep is bounded."""

import asyncio
import random
import socket

from blade_agent.main_board.rtsp.door import UNREAD_BYTES_MAX, open_rtsp_door
from media_network.address import Address
from media_network.http.gate import ConnectionGate
from tests.addresses import free_port
from tests.patience import PATIENCE_S, until

HOST = "127.0.0.1"
ASKED = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


def listens(address):
    with socket.socket() as asking:
        return asking.connect_ex(address) == 0


def test_who_asks_and_asks_and_takes_no_answer_is_left():
    async def story():
        loop = asyncio.get_running_loop()
        own, source = Address(HOST, free_port()), Address(HOST, free_port())
        async with open_rtsp_door(own, source, lambda: None, ConnectionGate(16), random.Random(1)) as door:
            await until(lambda: listens(own))
            await until(lambda: not door.connections)
            with socket.socket() as stranger:
                stranger.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                stranger.setblocking(False)
                await loop.sock_connect(stranger, own)
                await until(lambda: len(door.connections) == 1)
                [connection] = door.connections.values()
                asked = 0
                most = 0
                try:
                    while asked < 1_000_000:
                        await asyncio.wait_for(loop.sock_sendall(stranger, ASKED * 100), PATIENCE_S)
                        asked += 100
                        most = max(most, connection.waiting_bytes())
                except (ConnectionError, TimeoutError):
                    pass
                await until(lambda: not door.connections)
                assert asked < 1_000_000
                assert most < UNREAD_BYTES_MAX + 4096

    asyncio.run(story())
