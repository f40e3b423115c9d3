"""The same conversations on asyncio's own loop, over the loopback of this machine, and on the simulated one."""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.simulation.sockets import SOL_UDP, UDP_SEGMENT

HOST = "127.0.0.1"
Conversation = Callable[[], Coroutine[Any, Any, Any]]


def on_this_machine(conversation: Conversation) -> Any:
    return asyncio.run(conversation())


def simulated(conversation: Conversation) -> Any:
    with Simulation(7) as simulation:
        return simulation.run_until_complete(conversation())


def simulated_in_bad_weather(conversation: Conversation) -> Any:
    weather = Conditions(latency_s=(0.001, 0.1), loss=0.05, splitting=0.5)
    with Simulation(7, weather=weather) as simulation:
        return simulation.run_until_complete(conversation())


@pytest.fixture(params=[on_this_machine, simulated, simulated_in_bad_weather], ids=lambda run: run.__name__)
def run(request):
    return request.param


async def listen(serve) -> tuple[asyncio.AbstractServer, int]:
    server = await asyncio.start_server(serve, HOST, 0)
    return server, server.sockets[0].getsockname()[1]


def test_echo_of_much_with_half_close(run):
    content = bytes(range(256)) * 20_000

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(-1))
        writer.write_eof()
        await writer.drain()
        writer.close()

    async def conversation() -> bytes:
        server, port = await listen(echo)
        reader, writer = await asyncio.open_connection(HOST, port)
        for start in range(0, len(content), 100_000):
            writer.write(content[start : start + 100_000])
            await writer.drain()
        writer.write_eof()
        received = await reader.read(-1)
        writer.close()
        await writer.wait_closed()
        server.close()
        return received

    assert run(conversation) == content


def test_a_writer_is_paused_until_the_reader_reads(run):
    async def conversation() -> tuple[bool, int]:
        reading = asyncio.Event()
        received = asyncio.get_running_loop().create_future()

        async def read_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reading.wait()
            received.set_result(len(await reader.read(-1)))
            writer.close()

        server, port = await listen(read_late)
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(bytes(16 << 20))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(writer.drain(), 0.5)
        reading.set()
        await writer.drain()
        writer.close()
        count = await received
        await writer.wait_closed()
        server.close()
        return count

    assert run(conversation) == 16 << 20


def test_nobody_listens(run):
    async def conversation() -> int | None:
        server, port = await listen(lambda reader, writer: None)
        server.close()
        await server.wait_closed()
        with pytest.raises(ConnectionRefusedError) as caught:
            await asyncio.open_connection(HOST, port)
        return caught.value.errno

    assert run(conversation) == errno.ECONNREFUSED


def test_a_port_is_taken_once_and_a_foreign_address_never(run):
    async def conversation() -> list[int | None]:
        server, port = await listen(lambda reader, writer: None)
        numbers = []
        for address in ((HOST, port), ("192.0.2.1", 0)):
            with pytest.raises(OSError, match=r".") as caught:
                await asyncio.start_server(lambda reader, writer: None, *address)
            numbers.append(caught.value.errno)
        server.close()
        return numbers

    assert run(conversation) == [errno.EADDRINUSE, errno.EADDRNOTAVAIL]


def test_an_abort_reaches_the_peer_as_a_reset(run):
    async def conversation() -> str:
        outcome = asyncio.get_running_loop().create_future()

        async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"here")
            try:
                await reader.readexactly(10)
            except OSError as error:
                outcome.set_result(type(error).__name__)
            writer.close()

        server, port = await listen(read)
        reader, writer = await asyncio.open_connection(HOST, port)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await reader.readexactly(4)
        writer.transport.abort()
        result = await outcome
        server.close()
        return result

    assert run(conversation) == "ConnectionResetError"


def test_writing_to_one_who_left_ends_in_an_error(run):
    async def conversation() -> bool:
        async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        server, port = await listen(leave)
        reader, writer = await asyncio.open_connection(HOST, port)
        end = await reader.read()

        async def insist() -> None:
            for _ in range(50):
                writer.write(b"anybody there?")
                await writer.drain()
                await asyncio.sleep(0.05)

        with pytest.raises(ConnectionError):
            await insist()
        writer.close()
        server.close()
        return end

    assert run(conversation) == b""


def test_both_ends_know_their_names(run):
    async def conversation() -> bool:
        names = asyncio.get_running_loop().create_future()

        async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            names.set_result((writer.get_extra_info("peername"), writer.get_extra_info("sockname")))
            writer.close()

        server, port = await listen(tell)
        _, writer = await asyncio.open_connection(HOST, port, local_addr=(HOST, 0))
        theirs = await names
        ours = writer.get_extra_info("sockname"), writer.get_extra_info("peername")
        assert writer.get_extra_info("socket").getsockname() == ours[0]
        writer.close()
        await writer.wait_closed()
        server.close()
        return theirs == ours and ours[1] == (HOST, port)

    assert run(conversation)


class Collecting(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        self.received.put_nowait(exc)


@pytest.mark.parametrize("size", [1316 * 40, 1316 * 3 + 188, 1316, 188])
def test_udp_segmentation_cuts_as_the_kernel_does(run, size):
    content = bytes(index % 251 for index in range(size))

    async def conversation() -> list[bytes]:
        loop = asyncio.get_running_loop()
        sink, collecting = await loop.create_datagram_endpoint(Collecting, local_addr=(HOST, 0))
        source, _ = await loop.create_datagram_endpoint(Collecting, local_addr=(HOST, 0))
        source.get_extra_info("socket").setsockopt(SOL_UDP, UDP_SEGMENT, 1316)
        source.sendto(content, sink.get_extra_info("sockname"))
        datagrams = []
        while sum(map(len, datagrams)) < size:
            datagrams.append(await asyncio.wait_for(collecting.received.get(), 5))
        source.close()
        sink.close()
        return datagrams

    assert run(conversation) == [content[start : start + 1316] for start in range(0, size, 1316)]


def test_a_datagram_too_long_and_one_to_nobody_are_reported(run):
    async def conversation() -> list[int | None]:
        loop = asyncio.get_running_loop()
        gone, _ = await loop.create_datagram_endpoint(Collecting, local_addr=(HOST, 0))
        nobody = gone.get_extra_info("sockname")
        gone.close()
        await asyncio.sleep(0.01)
        source, collecting = await loop.create_datagram_endpoint(Collecting, remote_addr=nobody)
        source.sendto(bytes(65508))
        too_long = await asyncio.wait_for(collecting.received.get(), 5)
        source.sendto(b"hello")
        refused = await asyncio.wait_for(collecting.received.get(), 5)
        source.close()
        return [too_long.errno, refused.errno]

    assert run(conversation) == [errno.EMSGSIZE, errno.ECONNREFUSED]
