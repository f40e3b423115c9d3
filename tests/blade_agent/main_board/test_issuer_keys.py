"""The keys of the authentication server on a blade: kept on its disk, and its clock with them."""

import asyncio
import random
import time
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

import pytest
from aiohttp import web

from blade_agent.main_board.issuer_keys import KEYS_FILE, IssuerKeys
from chassis_emulator.simulation.simulation import Simulation
from media_network.address import Address
from media_network.http.server import HandlerTable, serve
from media_network.messages.authentication import JWKS_PATH
from media_network.tokens.keys import Algorithm, SigningKey, encode_jwks
from media_network.tokens.settings import TokenSettings

SERVER, BLADE, STATE = Address("127.1.0.2", 8080), "127.1.1.1", Path("/blade/state")
KEY = SigningKey.generate(Algorithm.ED25519)


class World:
    def __init__(self, simulation):
        self.simulation = simulation
        self.blade, self.server = simulation.host(BLADE), simulation.host(SERVER.host)
        self.disk = simulation.disk("blade", self.blade, Path("/blade"))
        self.body, self.status, self.ahead_s = encode_jwks([KEY.public()]), 200, 0

    async def serve(self):
        async def jwks(_):
            date = formatdate(time.time() + self.ahead_s, usegmt=True)
            return web.Response(body=self.body, status=self.status, headers={"Date": date})

        table = HandlerTable("authentication server")
        table.resource(JWKS_PATH, jwks)
        async with serve(table, SERVER):
            await asyncio.Event().wait()

    def boot(self, seconds=5.0):
        """A blade that has run for so long."""
        keys = IssuerKeys(TokenSettings(server=str(SERVER)), STATE, self.disk, random.Random(1), BLADE)
        self.simulation.start(self.blade, keys.run)
        self.simulation.run(until_s=self.simulation.loop.time() + seconds)
        return keys

    def ahead(self, keys):
        """How much later it is by these than by the blade's own clock."""

        async def look():
            return keys.now() - time.time()

        return self.simulation.run_until_complete(look())


@contextmanager
def world():
    with Simulation(1) as simulation:
        yield World(simulation)


def test_they_are_good_after_a_restart_without_the_server():
    with world() as it:
        it.simulation.start(it.server, it.serve)
        assert list(it.boot().keys) == [KEY.kid]
        it.simulation.crash(it.blade)
        it.simulation.crash(it.server)
        assert list(it.boot().keys) == [KEY.kid]


def test_a_server_that_comes_late_is_heard_soon():
    with world() as it:
        keys = it.boot(30.0)
        assert not len(keys.keys)
        it.simulation.start(it.server, it.serve)
        it.simulation.run(until_s=it.simulation.loop.time() + 10)
        assert list(keys.keys) == [KEY.kid]


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"no keys"), (200, b'{"keys":[]}'), (200, b" " * 20_000), (503, encode_jwks([KEY.public()])), (302, b"")],
)
def test_what_is_no_answer_changes_nothing_and_is_said_once(status, body, caplog):
    with world() as it:
        it.simulation.start(it.server, it.serve)
        keys = it.boot()
        it.status, it.body = status, body
        it.simulation.run(until_s=it.simulation.loop.time() + 300)
        assert list(keys.keys) == [KEY.kid]
        assert caplog.text.count("cannot be had") == 1


def test_an_answer_that_is_no_text_ends_no_blade():
    """A member that nobody reads may have any bytes in it."""
    with world() as it:
        it.body = encode_jwks([KEY.public()])[:-1] + b',"x":"\xff"}'
        it.simulation.start(it.server, it.serve)
        keys = it.boot()
        it.simulation.crash(it.blade)
        it.simulation.crash(it.server)
        assert list(it.boot().keys) == list(keys.keys) == [KEY.kid]


def test_a_date_that_was_wrong_once_does_not_stay():
    with world() as it:
        it.simulation.start(it.server, it.serve)
        it.ahead_s = 10 * 86_400
        keys = it.boot()
        assert it.ahead(keys) > 9 * 86_400
        it.ahead_s = 0
        it.simulation.run(until_s=it.simulation.loop.time() + 300)
        assert abs(it.ahead(keys)) < 10
        it.simulation.crash(it.blade)
        it.simulation.crash(it.server)
        assert abs(it.ahead(it.boot())) < 400, "nor on the disk"


def test_a_wrong_clock_is_set_right_by_the_servers():
    with world() as it:
        it.simulation.start(it.server, it.serve)
        it.ahead_s = 86_400
        keys = it.boot()
        assert 86_390 < it.ahead(keys) < 86_410
        it.simulation.run(until_s=it.simulation.loop.time() + 300)
        assert 86_390 < it.ahead(keys) < 86_410, "it goes on"
        # Without the server the clock is at least what it was told last.
        it.simulation.crash(it.blade)
        it.simulation.crash(it.server)
        assert 80_000 < it.ahead(it.boot()) < 86_410


def test_the_time_on_the_disk_is_a_day_old_at_most():
    with world() as it:
        it.simulation.start(it.server, it.serve)
        keys = it.boot()
        first = keys._told_at
        it.ahead_s = 90_000
        it.simulation.run(until_s=it.simulation.loop.time() + 120)
        assert keys._told_at > first + 86_400
        it.simulation.crash(it.blade)
        it.simulation.crash(it.server)
        assert it.ahead(it.boot()) > 86_000


def test_a_damaged_file_is_set_aside_and_the_server_asked():
    with world() as it:
        it.simulation.start(it.server, it.serve)
        it.boot()
        it.simulation.crash(it.blade)
        file = it.disk.append(STATE / KEYS_FILE)
        file.write(b"damage")
        file.sync()
        assert list(it.boot().keys) == [KEY.kid]
        assert f"{KEYS_FILE}.damaged-1" in it.disk.list_folder(STATE)
