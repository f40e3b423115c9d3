"""Serial wires: pace, noise, cuts, and who holds the ends."""

import asyncio

import pytest

from blade_agent.backplane.basic_mode import BasicMode
from chassis_emulator.simulation.simulation import Simulation

MANAGER, BLADE = "127.1.1.100", "127.1.1.2"
MESSAGE = bytes(range(0x20, 0x40))


@pytest.fixture
def simulation():
    with Simulation(9) as simulation:
        yield simulation


def attach(simulation, wire, side: int, receive, address: str = BLADE) -> list:
    """Let a host hold an end; the list gets that end."""
    ends = []

    async def hold() -> None:
        end = wire.open(side)
        end.attach(receive)
        ends.append(end)
        await asyncio.Event().wait()

    simulation.start(simulation.host(address), hold)
    simulation.run(until_s=simulation.loop.time())
    return ends


def test_bytes_come_in_pieces_at_the_pace_of_the_baud_rate(simulation):
    wire = simulation.wire("slot 2", 9600)
    pieces = []
    attach(simulation, wire, 1, lambda data: pieces.append((simulation.loop.time(), data)))
    wire.open(0).write(bytes(960))
    simulation.run(until_s=5)
    assert b"".join(data for _, data in pieces) == bytes(960)
    assert all(len(data) <= 16 for _, data in pieces)
    assert pieces[-1][0] == pytest.approx(1.0)
    gone = 0
    for at_s, data in pieces:
        gone += len(data)
        assert at_s == pytest.approx(gone * 10 / 9600)


def test_a_line_that_is_far_behind_drops_and_counts(simulation):
    wire = simulation.wire("slot 2", 9600)
    received = bytearray()
    attach(simulation, wire, 1, received.extend)
    end = wire.open(0)
    for _ in range(5):
        end.write(bytes(1000))
    assert end.dropped_bytes == 1000
    simulation.run(until_s=10)
    assert len(received) == 4000


def test_frames_cross_a_noisy_wire_or_are_counted(simulation):
    wire = simulation.wire("slot 2")
    wire.bit_error_rate = 0.001
    sender, receiver = BasicMode(), BasicMode()
    messages = []
    attach(simulation, wire, 1, lambda data: messages.extend(receiver.receive(data)))
    end = wire.open(0)

    async def send() -> None:
        for _ in range(300):
            end.write(sender.encode(MESSAGE))
            await asyncio.sleep(0.01)

    simulation.run_until_complete(send())
    simulation.run(until_s=10)
    assert 150 < messages.count(MESSAGE) < 300
    assert wire.errors > 0


def test_a_cut_wire_carries_nothing_and_its_ends_do_not_know(simulation):
    wire = simulation.wire("slot 2")
    received = bytearray()
    attach(simulation, wire, 1, received.extend)
    end = wire.open(0)
    wire.is_cut = True
    end.write(b"lost")
    simulation.run(until_s=1)
    wire.is_cut = False
    end.write(b"found")
    simulation.run(until_s=2)
    assert bytes(received) == b"found"
    assert end.usable
    assert wire.errors == 4


def test_a_crashed_host_hears_nothing_and_its_next_boot_takes_the_end_again(simulation):
    wire = simulation.wire("slot 2")
    host = simulation.host(BLADE)
    received = bytearray()
    ends = attach(simulation, wire, 1, received.extend)
    end = wire.open(0)
    simulation.crash(host)
    assert not ends[0].usable
    end.write(b"lost")
    ends[0].write(b"from the dead")
    simulation.run(until_s=1)
    assert not received
    simulation.restart(host)
    simulation.run(until_s=2)
    end.write(b"found")
    simulation.run(until_s=3)
    assert bytes(received) == b"found"
