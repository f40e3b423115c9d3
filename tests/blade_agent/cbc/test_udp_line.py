import asyncio

import pytest

from blade_agent.backplane.line import MessageLine
from blade_agent.backplane.message import Request
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.udp_line import udp_line, udp_listener
from tests.patience import PATIENCE_S


def question(sequence=1):
    return Request(responder=0x86, requester=0x20, net_fn=6, command=1, sequence=sequence)


def test_two_askers_each_get_their_own_answers(controller):
    async def story():
        listener = await udp_listener("127.0.0.1", 0)
        controller.serve_backplane(listener, Rmcp())
        answers = {}
        done = asyncio.Event()

        async def asker(name):
            def receive(message):
                answers.setdefault(name, []).append(message.sequence)
                if sum(map(len, answers.values())) == 40:
                    done.set()

            line = MessageLine(await udp_line(listener.address), Rmcp(), receive)
            for n in range(20):
                line.send(question(sequence=20 * name + n))
            return line

        lines = [await asker(0), await asker(1)]
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
        assert answers == {0: list(range(20)), 1: list(range(20, 40))}
        for line in lines:
            line.close()
        controller.close()
        assert not listener.usable

    asyncio.run(story())


def test_a_peer_without_a_listener_and_noise_are_survived(controller, free_port):
    async def story():
        port = free_port()
        answered = asyncio.Event()
        nobody = await udp_listener("127.0.0.1", port)
        address = nobody.address
        nobody.close()
        await asyncio.sleep(0)
        line = await udp_line(address)
        messages = MessageLine(line, Rmcp(), lambda message: answered.set())
        messages.send(question())
        await asyncio.sleep(0)
        listener = await udp_listener("127.0.0.1", port)
        controller.serve_backplane(listener, Rmcp())
        async with asyncio.timeout(PATIENCE_S):
            while not answered.is_set():
                line.write(b"\x06\x00noise")
                messages.send(question())
                await asyncio.sleep(0.01)
        assert controller.blade.frame_faults > 0
        messages.close()
        controller.close()

    asyncio.run(story())


def test_a_port_in_use_is_an_error_at_the_door():
    async def story():
        first = await udp_listener("127.0.0.1", 0)
        with pytest.raises(OSError, match="in use"):
            await udp_listener("127.0.0.1", first.address.port)
        first.close()

    asyncio.run(story())
