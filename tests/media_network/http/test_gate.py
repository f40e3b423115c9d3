"""There are never more connections than a process can bear, and it says so once."""

import asyncio
import random
import subprocess
import sys

import pytest

from chassis_emulator.simulation.simulation import Simulation
from media_network.address import Address
from media_network.http.bodies import HELD_BYTES_MAX, HELD_BYTES_OF_A_HOST_MAX, BodyBudget
from media_network.http.client import HttpClient
from media_network.http.gate import ConnectionGate
from media_network.http.kept_answers import KEPT_BYTES_MAX, KEPT_S, KeptAnswers
from media_network.http.server import HandlerTable, serve
from media_network.messages.verb import Caller, Done, Verb
from media_network.refusal import Reason, Refused
from tests.patience import PATIENCE_S, until

ASK = Verb("test/ask", Done, Done, "Ask.", callers=(Caller.ANYBODY,))


class Connection:
    def __init__(self):
        self.closed = False

    def force_close(self):
        self.closed = True


def gated(connections_max, story):
    async def run():
        gate = ConnectionGate(connections_max)
        made = {}

        def make(name, host):
            made[name] = Connection()
            gate.made(made[name], host)

        story(gate, make, made)
        await asyncio.sleep(0)
        return {name for name, connection in made.items() if connection.closed}

    return asyncio.run(run())


def test_the_silent_of_whoever_has_most_go_first_the_longest_silent_before_others():
    def story(gate, make, made):
        for name in ("a1", "b1", "b2", "b3"):
            make(name, name[0])
        gate.busy(made["b1"])
        make("c1", "c")
        assert len(gate) == 4

    assert gated(4, story) == {"b2"}


def test_who_is_answered_stays_and_the_newcomer_goes():
    def story(gate, make, made):
        for name in "abc":
            make(name, name)
            gate.busy(made[name])
        make("d", "d")

    assert gated(3, story) == {"d"}


def test_who_has_been_answered_is_silent_from_then_on():
    def story(gate, make, made):
        for name in "abc":
            make(name, "host")
        gate.busy(made["a"])
        gate.idle(made["a"])
        make("d", "host")

    assert gated(3, story) == {"b"}


def test_what_is_lost_counts_no_more_whatever_is_said_of_it():
    def story(gate, make, made):
        for name in "abc":
            make(name, name)
        gate.lost(made["a"])
        gate.lost(made["a"])
        gate.idle(made["a"])
        make("d", "d")
        assert len(gate) == 3

    assert gated(3, story) == set()


@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_the_count_is_that_of_the_open_ones(seed):
    rng = random.Random(seed)

    def story(gate, make, made):
        for number in range(400):
            open_ones = [name for name, connection in made.items() if not connection.closed]
            name = rng.choice(open_ones) if open_ones else None
            match rng.randrange(4):
                case 0:
                    make(number, rng.choice("abc"))
                case 1 if name is not None:
                    gate.busy(made[name])
                case 2 if name is not None:
                    gate.idle(made[name])
                case 3 if name is not None:
                    gate.lost(made.pop(name))
            assert len(gate) <= 20

    gated(20, story)


SERVER = """
import asyncio, sys
from media_network.address import Address
from media_network.cli import run_until_told
from media_network.http.server import serve_ports
from tests.media_network.http.test_gate import table

async def run():
    control, media = (Address("127.0.0.1", int(port)) for port in sys.argv[1:])
    async with serve_ports(table(), control=control, media=media):
        print("serving", flush=True)
        await asyncio.Event().wait()

run_until_told(run())
"""


def table():
    async def answer(_):
        return Done()

    answers = HandlerTable("test")
    answers.verb(ASK, answer)
    return answers


def test_a_server_with_few_descriptors_answers_beside_many_silent_connections(free_port, pytestconfig):
    """More would come than it has descriptors: it neither falls deaf nor fills its log."""
    control, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    command = ["sh", "-c", 'ulimit -n 100; exec "$@"', "sh", sys.executable, "-c", SERVER]
    with subprocess.Popen(
        [*command, str(control.port), str(media.port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=pytestconfig.rootpath,
    ) as server:
        assert server.stdout.readline() == "serving\n"

        async def crowd():
            silent = [await asyncio.open_connection(*(control, media)[number % 2]) for number in range(150)]
            async with HttpClient(random.Random(1)) as http:
                for _ in range(5):
                    assert await http.ask(control, ASK, Done(), deadline_s=PATIENCE_S) == Done()
            for _, writer in silent:
                writer.close()

        asyncio.run(crowd())
        server.terminate()
        log = server.communicate(timeout=PATIENCE_S)[1].splitlines()
    assert len(log) == 1
    assert "those that are silent are closed, first of 127.0.0.1" in log[0]


def test_a_connection_that_is_shed_is_found_closed_and_another_is_made():
    async def talk():
        gate = ConnectionGate(2)
        async with serve(table(), Address("127.0.0.1", 0), gate) as address, HttpClient(random.Random(1)) as http:
            assert await http.ask(address, ASK, Done()) == Done()
            others = [await asyncio.open_connection(*address) for _ in range(2)]
            await until(lambda: gate.shed == 1)
            assert await http.ask(address, ASK, Done()) == Done()
            for _, writer in others:
                writer.close()

    asyncio.run(talk())


def test_bodies_have_a_bound_for_all_and_one_for_each_host():
    bodies = BodyBudget()
    most = HELD_BYTES_OF_A_HOST_MAX
    with bodies.hold("a", most) as first, bodies.hold("a", 1) as more, bodies.hold("b", most) as other:
        assert (first, more, other) == (True, False, True)
        rest = HELD_BYTES_MAX - 2 * most
        with bodies.hold("c", rest + 1) as too_much, bodies.hold("c", rest) as just:
            assert (too_much, just) == (False, True)
    assert bodies.held_bytes == 0
    with bodies.hold("a", most) as again:
        assert again


def test_answers_are_kept_in_a_bound_of_bytes_and_for_a_time():
    """In virtual time, for they are kept for a minute."""

    async def story():
        kept, given = KeptAnswers(), []

        async def give(key):
            given.append(key)
            return Refused(Reason.BUSY) if key == "refused" else Done()

        async def say(key):
            return await kept.once(("verb", "host", key), lambda: give(key))

        await say("a")
        await say("refused")
        assert [await say("a"), await say("refused")]
        assert given == ["a", "refused"]
        await asyncio.sleep(KEPT_S + 1)
        await say("a")
        assert given == ["a", "refused", "a"]
        for number in range(KEPT_BYTES_MAX // 512 + 10):
            await say(f"n{number}")
            assert kept.kept_bytes <= KEPT_BYTES_MAX
        await say("a")
        assert given[-1] == "a"

    with Simulation(1) as simulation:
        simulation.run_until_complete(story())


def test_nobody_makes_the_answers_of_others_be_forgotten():
    async def story():
        kept, given = KeptAnswers(), []

        async def give(host, key):
            given.append((host, key))
            return Done()

        async def say(host, key):
            return await kept.once(("verb", host, key), lambda: give(host, key))

        await say("blade", "a")
        for number in range(2 * KEPT_BYTES_MAX // 512):
            await say("flood", str(number))
        given.clear()
        await say("blade", "a")
        assert given == []
        assert kept.kept_bytes <= KEPT_BYTES_MAX

    asyncio.run(story())
