"""Datagrams in bad weather, and addresses that hosts share."""

import asyncio
from typing import Any

import pytest

from chassis_emulator.simulation.conditions import Conditions
from chassis_emulator.simulation.simulation import Simulation

CONSOLE = ("127.1.9.1", 5000)
SERVICE = "127.1.1.100"
COUNT = 4000


class Listening(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.received: list[tuple[int, str]] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.received.append((int.from_bytes(data, "big"), addr[0]))


def push(weather: Conditions) -> list[int]:
    """Numbers that arrive when COUNT numbers are sent, one a millisecond."""
    listening = Listening()

    async def listen() -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: listening, local_addr=CONSOLE)

    async def send() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=CONSOLE)
        for number in range(COUNT):
            transport.sendto(number.to_bytes(4, "big"))
            await asyncio.sleep(0.001)

    with Simulation(11, weather=weather) as simulation:
        simulation.start(simulation.host(CONSOLE[0]), listen)
        simulation.start(simulation.host("127.1.1.2"), send)
        simulation.run(until_s=COUNT * 0.001 + 1)
    return [number for number, _ in listening.received]


def test_in_calm_weather_all_arrive_in_order():
    assert push(Conditions()) == list(range(COUNT))


def test_jitter_alone_does_not_reorder():
    assert push(Conditions(latency_s=(0.001, 0.1))) == list(range(COUNT))


def test_some_are_lost():
    received = push(Conditions(loss=0.1))
    assert received == sorted(set(received))
    assert len(received) == pytest.approx(COUNT * 0.9, rel=0.03)


def test_some_come_twice():
    received = push(Conditions(duplication=0.1))
    assert set(received) == set(range(COUNT))
    assert len(received) == pytest.approx(COUNT * 1.1, rel=0.03)


def test_some_are_overtaken():
    received = push(Conditions(reordering=0.1))
    assert received != sorted(received)
    assert sorted(received) == list(range(COUNT))


def test_engines_send_from_the_service_address_they_share():
    listening = Listening()

    async def listen() -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: listening, local_addr=CONSOLE)

    def engine(number: int):
        async def send() -> None:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(SERVICE, 4000), remote_addr=CONSOLE
            )
            await asyncio.sleep(number)
            transport.sendto(bytes([number]))

        return send

    with Simulation(11) as simulation:
        simulation.start(simulation.host(CONSOLE[0]), listen)
        for number in (2, 3):
            host = simulation.host(f"127.1.1.{number}", shared_addresses=[SERVICE])
            simulation.start(host, engine(number))
        simulation.run(until_s=5)
    assert listening.received == [(2, SERVICE), (3, SERVICE)]


def test_a_partition_and_a_crash_swallow_datagrams():
    listening = Listening()

    async def listen() -> None:
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: listening, local_addr=CONSOLE)

    async def send() -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=CONSOLE)
        for number in range(100):
            await asyncio.sleep(1)
            transport.sendto(bytes([number]))

    with Simulation(11) as simulation:
        console, engine = simulation.host(CONSOLE[0]), simulation.host("127.1.1.2")
        simulation.start(console, listen)
        simulation.start(engine, send)
        simulation.run(until_s=2.5)
        heal = simulation.links.cut([engine], [console])
        simulation.run(until_s=4.5)
        heal()
        simulation.run(until_s=5.5)
        simulation.power_cut(console)
        simulation.run(until_s=7.5)
        simulation.restart(console)
        simulation.run(until_s=8.5)
    assert [number for number, _ in listening.received] == [0, 1, 4, 7]
