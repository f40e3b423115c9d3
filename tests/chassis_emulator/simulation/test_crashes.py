"""What a crash and a partition do to programs, streams and datagrams."""

import asyncio

import pytest

from chassis_emulator.simulation.simulation import Simulation

ENGINE = "127.1.1.2"
PORT = 80


class Diary:
    """What programs did, which outlives them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def beat(self) -> None:
        try:
            while True:
                await asyncio.sleep(1)
                self.lines.append(f"beat {asyncio.get_running_loop().time():g}")
        finally:
            self.lines.append("finally")


@pytest.fixture
def simulation():
    with Simulation(3) as simulation:
        yield simulation


async def serve_echo() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                writer.write(data)
        except OSError:
            pass
        writer.close()

    server = await asyncio.start_server(echo, ENGINE, PORT)
    await server.serve_forever()


@pytest.mark.parametrize("stop", [Simulation.crash, Simulation.power_cut])
def test_nothing_of_a_crashed_host_runs_again_not_even_finally(stop):
    diary = Diary()
    with Simulation(3) as simulation:
        host = simulation.host(ENGINE)
        simulation.start(host, diary.beat)
        simulation.run(until_s=2.5)
        stop(simulation, host)
        simulation.run(until_s=100)
        assert diary.lines == ["beat 1", "beat 2"]
        assert host.boot is None


def test_crashing_oneself_is_the_last_thing_one_does(simulation):
    diary = Diary()
    host = simulation.host(ENGINE)

    async def stumble() -> None:
        task = asyncio.create_task(diary.beat())
        await asyncio.sleep(1.5)
        simulation.crash(host)
        task.cancel()
        await asyncio.sleep(0)
        diary.lines.append("still here")

    simulation.start(host, stumble)
    simulation.run(until_s=100)
    assert diary.lines == ["beat 1"]


def test_a_restart_runs_the_programs_from_their_beginning(simulation):
    diary = Diary()
    host = simulation.host(ENGINE)
    simulation.start(host, diary.beat)
    simulation.run(until_s=1.5)
    simulation.crash(host)
    simulation.run(until_s=5.5)
    simulation.restart(host)
    simulation.run(until_s=7)
    assert diary.lines == ["beat 1", "beat 6.5"]


def test_the_onlooker_sees_the_tasks_of_others_stand_still(simulation):
    """A task of a dead host that somebody else holds neither ends nor is cancelled."""
    tasks = []

    async def hold() -> None:
        tasks.append(asyncio.current_task())
        await asyncio.sleep(10)

    host = simulation.host(ENGINE)
    simulation.start(host, hold)
    simulation.run(until_s=1)
    simulation.crash(host)
    tasks[0].cancel()
    simulation.run(until_s=100)
    assert not tasks[0].done()


async def say(text: bytes, answer_within_s: float = 1e6) -> bytes:
    reader, writer = await asyncio.open_connection(ENGINE, PORT)
    try:
        writer.write(text)
        async with asyncio.timeout(answer_within_s):
            return await reader.readexactly(len(text))
    finally:
        writer.close()


def test_peers_of_a_killed_process_are_told_at_once(simulation):
    async def conversation() -> float:
        reader, writer = await asyncio.open_connection(ENGINE, PORT)
        writer.write(b"hello")
        await reader.readexactly(5)
        simulation.crash(host)
        crashed_at_s = simulation.loop.time()
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        with pytest.raises(OSError, match="refused"):
            await say(b"anybody?")
        simulation.restart(host)
        await asyncio.sleep(0.1)
        assert await say(b"again") == b"again"
        return crashed_at_s

    host = simulation.host(ENGINE)
    simulation.start(host, serve_echo)
    simulation.run(until_s=1)
    assert simulation.run_until_complete(conversation()) == pytest.approx(1, abs=0.1)


def test_peers_of_a_host_without_power_hear_nothing_until_it_is_up_again(simulation):
    async def conversation() -> float:
        reader, writer = await asyncio.open_connection(ENGINE, PORT)
        writer.write(b"hello")
        await reader.readexactly(5)
        simulation.power_cut(host)
        writer.write(b"hello?")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(1), 30)
        simulation.restart(host)
        with pytest.raises(ConnectionResetError):
            await reader.readexactly(1)
        writer.close()
        return simulation.loop.time()

    host = simulation.host(ENGINE)
    simulation.start(host, serve_echo)
    simulation.run(until_s=1)
    assert simulation.run_until_complete(conversation()) == pytest.approx(31.4, abs=0.4)


def test_a_stream_bears_a_partition_that_heals(simulation):
    async def conversation() -> None:
        reader, writer = await asyncio.open_connection(ENGINE, PORT)
        heal = simulation.links.partition([host], [simulation.host("127.255.255.254")])
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.readexactly(5), 60)
        heal()
        assert await reader.readexactly(5) == b"hello"
        writer.close()

    host = simulation.host(ENGINE)
    simulation.start(host, serve_echo)
    simulation.run(until_s=1)
    simulation.run_until_complete(conversation())


def test_a_stream_gives_up_in_a_partition_that_does_not_heal(simulation):
    async def conversation() -> float:
        reader, writer = await asyncio.open_connection(ENGINE, PORT)
        simulation.links.partition([host], [simulation.host("127.255.255.254")])
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            await reader.readexactly(5)
        with pytest.raises(TimeoutError):
            await asyncio.open_connection(ENGINE, PORT)
        return simulation.loop.time()

    host = simulation.host(ENGINE)
    simulation.start(host, serve_echo)
    simulation.run(until_s=1)
    assert simulation.run_until_complete(conversation()) == pytest.approx(1 + 924.6 + 127, abs=1)


def test_a_connection_is_made_once_the_partition_heals(simulation):
    async def conversation() -> bytes:
        heal = simulation.links.partition([host], [simulation.host("127.255.255.254")])
        simulation.loop.call_later(5, heal)
        return await say(b"hello")

    host = simulation.host(ENGINE)
    simulation.start(host, serve_echo)
    simulation.run(until_s=1)
    assert simulation.run_until_complete(conversation()) == b"hello"
    assert simulation.loop.time() == pytest.approx(1 + 7, abs=0.1)  # SYN at 0, 1, 3 and 7 s


def test_cuts_overlap_and_may_be_one_way(simulation):
    links = simulation.links
    one, other = simulation.host("127.1.1.1"), simulation.host(ENGINE)
    heal_one_way = links.cut([one], [other])
    assert (links.is_cut(one, other), links.is_cut(other, one)) == (True, False)
    heal_both_ways = links.partition([other], [one])
    heal_one_way()
    assert (links.is_cut(one, other), links.is_cut(other, one)) == (True, True)
    heal_both_ways()
    assert (links.is_cut(one, other), links.is_cut(other, one)) == (False, False)


def test_connections_come_from_the_address_of_their_host(simulation):
    async def report_peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        writer.close()

    async def serve() -> None:
        await (await asyncio.start_server(report_peer, ENGINE, PORT)).serve_forever()

    async def connect() -> None:
        await asyncio.sleep(0.1)
        _, writer = await asyncio.open_connection(ENGINE, PORT)
        writer.close()

    peers: list[str] = []
    simulation.start(simulation.host(ENGINE), serve)
    for address in ("127.1.1.1", "127.1.1.3"):
        simulation.start(simulation.host(address), connect)
    simulation.run(until_s=1)
    assert sorted(peers) == ["127.1.1.1", "127.1.1.3"]


def test_what_a_frozen_program_would_do_when_python_collects_it_reaches_nobody():
    """After the run `finally` blocks are run by Python; the loop is closed by then."""
    refused = []

    async def clean_up_on_the_network() -> None:
        try:
            await asyncio.sleep(100)
        finally:
            try:
                await asyncio.open_connection(ENGINE, PORT)
            except RuntimeError as error:
                refused.append(str(error))

    with Simulation(3) as simulation:
        host = simulation.host(ENGINE)
        simulation.start(host, clean_up_on_the_network)
        simulation.run(until_s=1)
        simulation.crash(host)
        simulation.run(until_s=200)
        trace_hash = simulation.trace_hash
    assert simulation.trace_hash == trace_hash
    assert refused
