"""Other people's IPMI clients at the chassis manager: freeipmi, ipmi_exporter, pyghmi, and ipmitool's consoles."""

import asyncio
import functools
import json
import os
import sys
from random import Random

import pytest

from blade_agent.chassis_manager.lan.server import lan_server
from blade_agent.chassis_manager.lan.users import LanUser
from media_network.address import Address
from tests.addresses import free_port
from tests.blade_agent.chassis_manager.lan.conftest import USERS
from tests.patience import PATIENCE_S, until

USER, PASSWORD = "root", "correct horse batt"
PYGHMI = """
import json, sys
from pyghmi.ipmi import command
chassis = command.Command(bmc="127.0.0.1", userid=sys.argv[2], password=sys.argv[3], port=int(sys.argv[1]))
chassis.set_bootdev("network")
print(json.dumps({
    "power": chassis.get_power()["powerstate"],
    "boot": chassis.get_bootdev()["bootdev"],
    "readings": [[reading.name, reading.value] for reading in chassis.get_sensor_data()],
    "users": [user["name"] for user in chassis.get_users().values()],
    "inventory": dict(chassis.get_inventory())["System"]["Product name"],
    "events": len(list(chassis.get_event_log())),
}))
"""
EXPORTER = """modules:
  default:
    user: prometheus
    pass: scrapes
    driver: LAN_2_0
    privilege: admin
    timeout: 30000
    collectors: [bmc, ipmi, chassis, dcmi, sel]
    custom_args:
      ipmi: ["--bridge-sensors"]
"""


async def run(*command, home):
    """Run a command with a home of its own, in which it may cache; give what it says."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={**os.environ, "HOME": str(home), "TZ": "UTC", "LC_ALL": "C"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, told.decode()


def freeipmi(running, tool, *arguments, home):
    home.mkdir(mode=0o700, exist_ok=True)
    address = running.server.address
    login = ("-D", "LAN_2_0", "-h", f"{address.host}:{address.port}", "-u", USER, "-p", PASSWORD, "-I", "17")
    folder = ("--sdr-cache-directory", home) if tool == "ipmi-sensors" else ()
    return run(tool, *login, "-l", "ADMIN", *folder, *arguments, home=home)


async def surveyed(running):
    """All blades have said what they measure."""
    await until(lambda: all(slot.facts.surveyed for slot in running.manager.chassis.slots.values()))
    await until(lambda: running.manager.state().inlet_celsius == 22.0)


@pytest.mark.peer("ipmi-sensors")
def test_freeipmi_sees_the_whole_chassis_by_one_address_and_reads_its_records_once(board, tmp_path):
    async def story():
        async with board as running:
            await surveyed(running)
            _, told = await freeipmi(running, "ipmi-sensors", "--bridge-sensors", home=tmp_path / "one")
            for line in ("Inlet temp | Temperature              | 22.00", "Supply 2 V", "Supply 2   | Power Supply"):
                assert line in told, told
            assert all(f"{slot} CPU temp" in told for slot in (1, 2, 3))
            assert told.count("| 40.00      | C ") == 3
            _, again = await freeipmi(running, "ipmi-sensors", home=tmp_path / "one")
            assert "Caching" not in again
            assert "out of date" not in again
            # Readers at once do not cancel each other's reservation.
            homes = [tmp_path / f"reader {number}" for number in range(4)]
            asked = [freeipmi(running, "ipmi-sensors", "--bridge-sensors", home=home) for home in homes]
            assert all(code == 0 and "3 CPU temp" in told for code, told in await asyncio.gather(*asked))
            _, status = await freeipmi(running, "ipmi-chassis", "--get-chassis-status", home=tmp_path / "one")
            assert "Cooling/fan fault                   : false" in status
            _, power = await freeipmi(running, "ipmi-dcmi", "--get-system-power-statistics", home=tmp_path / "one")
            assert "Current Power                        : 80 Watts" in power
            code, told = await freeipmi(running, "bmc-info", home=tmp_path / "one")
            assert code == 0
            assert "System Name                   : north" in told
            for slot in running.manager.chassis.slots.values():
                assert slot.hot_swap.name.startswith("M4")

    asyncio.run(story())


@pytest.mark.peer("prometheus-ipmi-exporter")
def test_the_exporter_scrapes_blades_and_chassis(board, tmp_path):
    async def story():
        async with board as running:
            await surveyed(running)
            port = free_port()
            settings = tmp_path / "exporter.yml"
            settings.write_text(EXPORTER)
            # It hands its password to freeipmi without quotes: blanks in it do not come through.
            users = (LanUser(name="prometheus", password="scrapes", privilege="administrator"),)
            open_at = functools.partial(lan_server, Address("127.0.0.1", 0), manager=running.manager, guid=bytes(16))
            async with open_at(users=users, rng=Random(3)) as server:
                process = await asyncio.create_subprocess_exec(
                    *("prometheus-ipmi-exporter", f"--config.file={settings}"),
                    f"--web.listen-address=127.0.0.1:{port}",
                    env={**os.environ, "HOME": str(tmp_path)},
                    stderr=asyncio.subprocess.DEVNULL,
                )
                here = server.address
                page = await until_scraped(port, f"/ipmi?target={here.host}:{here.port}&module=default")
                process.kill()
                await process.wait()
            for collector in ("bmc", "ipmi", "chassis", "dcmi", "sel"):
                assert f'ipmi_up{{collector="{collector}"}} 1' in page, page
            assert 'name="3 CPU temp"} 40' in page
            assert "ipmi_dcmi_power_consumption_watts 80" in page

    asyncio.run(story())


async def until_scraped(port, path):
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.1)
                continue
            writer.write(f"GET {path} HTTP/1.0\r\nHost: here\r\n\r\n".encode())
            page = (await reader.read()).decode()
            writer.close()
            return page


def test_pyghmi_shows_no_sensor_for_another(board, tmp_path):
    async def story():
        async with board as running:
            await surveyed(running)
            port = running.server.address.port
            code, told = await run(sys.executable, "-c", PYGHMI, port, USER, PASSWORD, home=tmp_path)
            assert code == 0, told
            seen = json.loads(told.splitlines()[-1])
            assert (seen["power"], seen["boot"], seen["inventory"]) == ("on", "network", "media station chassis")
            assert seen["users"] == ["root", "watch", "night"]
            assert seen["events"] > 3
            readings = dict(seen["readings"])
            assert len(readings) == len(seen["readings"])
            assert readings["Inlet temp"] == 22.0
            # It asks 20h for the number of every record, whoever owns it; what a blade has must not be answered here.
            assert not [name for name in readings if name[0].isdigit()]

    asyncio.run(story())


@pytest.mark.peer("ipmitool")
def test_ipmitool_reads_the_log_of_a_blade_over_lan(board, tmp_path):
    log = tmp_path / "blade.log"
    log.write_text("".join(f"line {number}\n" for number in range(1000)))

    async def story():
        async with board as running:
            open_at = functools.partial(lan_server, Address("127.0.0.1", 0), manager=running.manager, guid=bytes(16))
            async with open_at(users=USERS, rng=Random(3), consoles={2: log}) as server:
                process = await activate(server.address, 2)
                told = await reads(process, "line 999")
                assert "line 0\r\n" not in told, "it begins near the end"
                with log.open("a") as more:
                    more.write("one more line\n")
                await reads(process, "one more line")
                other = await activate(server.address, 2)
                assert "already active" in (await reads(other, "already active")).lower()
                wrong = await activate(server.address, 3)
                await reads(wrong, "disabled")
                for each in (process, other, wrong):
                    if each.returncode is None:
                        each.kill()
                    await each.wait()
                [slot] = server.endpoint.sol.streams
                assert slot == 2

    asyncio.run(story())


async def activate(address, instance):
    login = ("-U", USER, "-P", PASSWORD, "-C", "17", "-H", address.host, "-p", str(address.port))
    return await asyncio.create_subprocess_exec(
        *("ipmitool", "-I", "lanplus", *login, "sol", "activate", f"instance={instance}"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def reads(process, text):
    told = ""
    async with asyncio.timeout(PATIENCE_S):
        while text not in told:
            heard = await process.stdout.read(65536)
            assert heard, told
            told += heard.decode()
    return told
