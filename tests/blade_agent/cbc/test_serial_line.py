import asyncio
import os
import tty

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.message import Request, decode
from blade_agent.backplane.serial_line import LineUnavailable, ServicePort, descriptor_line, serial_line
from tests.patience import PATIENCE_S


class Received(bytearray):
    """Bytes from a line, and a way to wait until enough of them are there."""

    def __init__(self):
        super().__init__()
        self.more = asyncio.Event()

    def __call__(self, data):
        self.extend(data)
        self.more.set()

    async def until(self, length_bytes):
        async with asyncio.timeout(PATIENCE_S):
            while len(self) < length_bytes:
                self.more.clear()
                await self.more.wait()
        return bytes(self)


async def read_exactly(descriptor, length_bytes):
    """Read from the other end, as a tool would."""
    data = b""
    while len(data) < length_bytes:
        data += await asyncio.to_thread(os.read, descriptor, length_bytes - len(data))
    return data


def test_a_port_carries_every_byte_both_ways():
    every_byte = bytes(range(256))

    async def story():
        port, received = ServicePort(), Received()
        tool = serial_line(port.path)
        port.line.attach(received)
        tool_received = Received()
        tool.attach(tool_received)
        tool.write(every_byte)
        assert await received.until(256) == every_byte
        port.line.write(every_byte)
        assert await tool_received.until(256) == every_byte
        tool.close()
        port.close()

    asyncio.run(story())


def test_the_service_port_survives_tools_that_come_and_go():
    async def story():
        port, received = ServicePort(), Received()
        port.line.attach(received)
        for visit in range(1, 4):
            tool = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
            os.write(tool, b"ask")
            await received.until(3 * visit)
            os.close(tool)
        assert port.line.usable
        port.close()

    asyncio.run(story())


def test_a_tool_that_never_reads_costs_dropped_bytes_and_nothing_else():
    async def story():
        port = ServicePort()
        for _ in range(100):
            port.line.write(bytes(1000))
        assert port.line.usable
        dropped_bytes = port.line.dropped_bytes
        assert 0 < dropped_bytes < 100_000
        tool = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
        taken = await asyncio.wait_for(read_exactly(tool, 100_000 - dropped_bytes), PATIENCE_S)
        assert not any(taken)
        os.close(tool)
        port.close()

    asyncio.run(story())


def test_a_line_whose_other_end_vanished_works_again_when_it_is_back():
    async def story():
        ours, theirs = os.openpty()
        path = os.ttyname(theirs)
        tty.setraw(theirs)
        line, received = descriptor_line(ours), Received()
        line.attach(received)
        os.close(theirs)
        for _ in range(1000):
            await asyncio.sleep(0)
            if not line.usable:
                break
        line.write(b"lost")
        assert line.dropped_bytes == 4
        theirs = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.write(theirs, b"back")
        assert await received.until(4) == b"back"
        assert line.usable
        line.close()
        os.close(theirs)
        os.close(ours)

    asyncio.run(story())


def test_a_port_that_is_not_there_or_not_serial_is_named(tmp_path):
    no_port = tmp_path / "file"
    no_port.touch()

    async def story():
        for path in (tmp_path / "nothing", no_port):
            with pytest.raises(LineUnavailable) as caught:
                serial_line(str(path))
            assert caught.value.path == str(path)
            assert str(path) in str(caught.value)

    asyncio.run(story())


def test_a_controller_answers_on_both_of_its_lines_at_once(controller):
    def question(responder, sequence):
        asked = Request(responder=responder, requester=0x20, net_fn=6, command=1, sequence=sequence)
        return BasicMode.encode(asked.encode())

    async def story():
        backplane, service = ServicePort(), ServicePort()
        controller.blade.event_sender.set_receiver(None)
        controller.serve_backplane(backplane.line, BasicMode())
        controller.serve_service_port(service.line)
        answers = []
        async with asyncio.timeout(PATIENCE_S):
            for sequence in range(20):
                for port, responder in ((backplane, 0x86), (service, 0x20)):
                    tool = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
                    os.write(tool, question(responder, sequence))
                    framing, messages = BasicMode(), []
                    while not messages:
                        messages = framing.receive(await asyncio.to_thread(os.read, tool, 4096))
                    answers.append(decode(messages[0]))
                    os.close(tool)
        assert [answer.sequence for answer in answers] == [n for n in range(20) for _ in range(2)]
        assert {answer.completion for answer in answers} == {0}
        backplane.close()
        service.close()

    asyncio.run(story())
