"""Clients that know IPMI's own port only, UDP 623 (IPMI 2.0, 13.1.2): ipmiutil, with a stack of its own, and conman."""

import asyncio
import contextlib
import functools
import socket
from random import Random

import pytest

from blade_agent.chassis_manager.lan.server import lan_server
from media_network.address import Address
from tests.addresses import free_port
from tests.blade_agent.chassis_manager.lan.conftest import USERS
from tests.blade_agent.chassis_manager.lan.test_peers import run, surveyed
from tests.patience import until

PORT = 623
OPERATOR = ("night", "third shift")
"""ipmiutil sends no more than 16 letters of a password."""


def may_be_bound():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.98.11.5", PORT))
        except PermissionError:
            return False
        except OSError:
            pass  # another worker looks just now
    return True


pytestmark = pytest.mark.skipif(not may_be_bound(), reason=f"port {PORT} is for root here")


@contextlib.asynccontextmanager
async def serving(board, host, **consoles):
    async with board as running:
        await surveyed(running)
        open_at = functools.partial(lan_server, manager=running.manager, guid=bytes(16), users=USERS, rng=Random(3))
        async with open_at(Address(host, PORT), **consoles):
            yield running


@pytest.mark.peer("ipmiutil")
def test_ipmiutil_sees_health_sensors_log_inventory_users_and_power(board, tmp_path):
    host = "127.98.11.6"
    user, password = OPERATOR
    login = ("-F", "lan2", "-N", host, "-U", user, "-P", password, "-J", "3", "-V", "3")
    ipmiutil = functools.partial(run, home=tmp_path)

    async def story():
        async with serving(board, host):
            code, health = await ipmiutil("ipmiutil", "health", *login)
            assert code == 0, health
            assert "Selftest status   = 0055     (OK)" in health
            assert "chassis_power       = on" in health
            code, sensors = await ipmiutil("ipmiutil", "sensor", *login)
            assert code == 0, sensors
            assert "Inlet temp       = 40 OK   22.00 degrees C" in sensors
            for slot in (1, 2, 3):
                assert f"{slot} CPU temp       = 64 OK   40.00 degrees C" in sensors
            code, log = await ipmiutil("ipmiutil", "sel", *login)
            assert code == 0, log
            assert log.count("OEM(f0)") == 12, "each of three blades went from M0 to M4"
            code, inventory = await ipmiutil("ipmiutil", "fru", *login)
            assert code == 0, inventory
            assert "[Baseboard,20,00] Product Name        : media station chassis" in inventory
            for slot, address in ((1, "82"), (2, "84"), (3, "86")):
                assert f"[Component,{address},00] Product Serial Num  : {slot:02d}" in inventory
            code, users = await ipmiutil("ipmiutil", "user", "list", *login)
            assert code == 0, users
            assert "User 4: chan=1 enabled Operator night" in " ".join(users.split())
            _, power = await ipmiutil("ipmiutil", "dcmi", "power", "get_reading", *login)
            assert "Current Power:                   80 Watts" in power

    asyncio.run(story())


@pytest.mark.peer("conmand")
def test_conman_keeps_the_log_of_a_blade(board, tmp_path):
    """It asks for the first console of a host, which is that of slot 1."""
    host = "127.98.11.7"
    log = tmp_path / "blade.log"
    log.write_text("the blade has started\n")
    user, password = OPERATOR
    settings = tmp_path / "conman.conf"
    settings.write_text(
        f'server port = {free_port()}\nserver loopback = on\nserver pidfile = "{tmp_path}/pid"\n'
        f'server logdir = "{tmp_path}"\nserver keepalive = off\n'
        f'global ipmiopts = "U:{user},P:{password},C:17,L:op"\n'
        f'console name = "north-1" dev = "ipmi:{host}" log = "north-1.console"\n'
    )
    kept = tmp_path / "north-1.console"

    async def story():
        async with serving(board, host, consoles={1: log}):
            daemon = await asyncio.create_subprocess_exec(
                *("conmand", "-F", "-c", str(settings)),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                await written(kept, "the blade has started")
                with log.open("a") as more:
                    more.write("it directs the station\n")
                await written(kept, "it directs the station")
            finally:
                daemon.terminate()
                await daemon.communicate()

    asyncio.run(story())


async def written(kept, text):
    await until(lambda: kept.exists() and text in kept.read_text(encoding="utf-8", errors="replace"))
