"""The files for network management systems: as they would be made now, and with the real programs they are for."""

import asyncio
import contextlib
import json
import re
import urllib.request

import pytest
import yaml

from tests.blade_agent.snmp.agents import READER, blade_agent, manager_agent
from tests.nms_files import AUTH, NMS, dashboard, exporter_modules, files
from tests.patience import PATIENCE_S

PACKETS_MAX = 35
"""It takes 29; column by column it took 165."""
ALERTS = NMS / "alerts.yml"


@pytest.mark.parametrize("name", sorted(files()))
def test_the_file_is_what_would_be_written(name):
    assert (NMS / name).read_text() == files()[name], "run python -m tests.nms_files"


def used_in(text):
    return set(re.findall(r"\b((?:msa|msc|msd|msh|mss|entPhy)\w+)", text))


def test_alerts_and_panels_use_what_is_scraped():
    scraped = {metric["name"] for module in exporter_modules().values() for metric in module["metrics"]}
    labels = {
        label
        for module in exporter_modules().values()
        for metric in module["metrics"]
        for label in (
            *(index["labelname"] for index in metric.get("indexes", ())),
            *(lookup["labelname"] for lookup in metric.get("lookups", ())),
        )
    }
    rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
    for expression in (*(rule["expr"] for rule in rules), *(drawn(panel)[0] for panel in dashboard()["panels"])):
        assert used_in(expression) <= scraped
    for text in (
        *(rule["annotations"]["summary"] for rule in rules),
        *(drawn(panel)[1] for panel in dashboard()["panels"]),
    ):
        assert used_in(text) <= labels


def drawn(panel):
    return panel["targets"][0]["expr"], panel["targets"][0]["legendFormat"]


async def said_by(*command):
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    written, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    return process.returncode, written.decode()


@pytest.mark.peer("promtool")
def test_promtool_takes_rules_panels_and_scraping(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": drawn(panel)[0]} for number, panel in enumerate(dashboard()["panels"])
    ]
    panels = tmp_path / "panels.yml"
    panels.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    for command in (
        ("promtool", "check", "rules", ALERTS, panels),
        ("promtool", "check", "config", NMS / "prometheus.yml"),
    ):
        code, said = asyncio.run(said_by(*command))
        assert code == 0, said


@contextlib.asynccontextmanager
async def running(url, *command):
    """A program that serves, while the context lasts; it is there when `url` answers."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            while await got(url) is None:  # noqa: ASYNC110 -- another program's doing
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


async def got(url):
    """What a URL of loopback gives; None while nobody answers."""

    def fetch():
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return None

    return await asyncio.to_thread(fetch)


@contextlib.asynccontextmanager
async def exporter(tmp_path, port):
    settings = tmp_path / "snmp.yml"
    text = (NMS / "snmp-0.21.yml").read_text()
    settings.write_text(
        text.replace("AUTH_PASSWORD", READER.auth_password).replace("PRIV_PASSWORD", READER.priv_password)
    )
    at = f"127.0.0.1:{port}"
    command = ("prometheus-snmp-exporter", f"--config.file={settings}", f"--web.listen-address={at}")
    async with running(f"http://{at}/metrics", *command):
        yield at


@pytest.mark.peer("prometheus-snmp-exporter")
def test_the_exporter_shows_every_sensor_by_name(tmp_path, free_port):
    async def story():
        async with (
            manager_agent(tmp_path / "m") as manager,
            blade_agent(tmp_path / "b") as agent,
            exporter(tmp_path, free_port()) as at,
        ):
            chassis_at, blade_at = manager.agent.service.address, agent.service.address
            return (
                await got(f"http://{at}/snmp?target={chassis_at}&module=media_station_chassis"),
                await got(f"http://{at}/snmp?target={blade_at}&module=media_station_blade"),
            )

    for folder in ("m", "b"):
        (tmp_path / folder).mkdir()
    of_chassis, of_blade = asyncio.run(story())
    values = dict(re.findall(r'^entPhySensorValue\{.*entPhysicalName="([^"]+)"\} (\S+)$', of_chassis, re.MULTILINE))
    expected = {f"blade {slot} {name}" for slot in (1, 2, 3) for name in ("SoC temp", "12 V supply", "Fan speed")}
    assert expected | {"Inlet", "Rear fan speed"} <= set(values)
    assert not any("Inlet temp" in name for name in values), "a broken sensor has no value"
    assert 'mscSlotHotSwapState{mscSlotNumber="4"} 0' in of_chassis
    assert 'mssChannelReadBytes{mssChannelName="disk-a",mssChannelNumber="1"} 1.099511627776e+12' in of_blade
    assert "mssPushBytes 6.58e+06" in of_blade


def test_current_exporters_have_credentials_apart_from_modules():
    """As config/config.go of snmp_exporter 0.23 and later reads them, which refuses a key that it does not know."""
    current, old = (yaml.safe_load((NMS / name).read_text()) for name in ("snmp.yml", "snmp-0.21.yml"))
    assert set(current) == {"auths", "modules"}
    assert current["auths"][AUTH]["version"] == 3
    keys = {"walk", "get", "metrics", "max_repetitions", "retries", "timeout"}
    assert all(set(module) == keys for module in current["modules"].values())
    assert {name: {key: module[key] for key in keys} for name, module in old.items()} == current["modules"]
    asked = [job["params"] for job in yaml.safe_load((NMS / "prometheus.yml").read_text())["scrape_configs"]]
    assert {(*each["auth"], *each["module"]) for each in asked} == {(AUTH, name) for name in current["modules"]}


@pytest.mark.peer("prometheus-snmp-exporter")
def test_a_scrape_takes_few_packets(tmp_path, free_port):
    async def story():
        async with blade_agent(tmp_path) as agent, exporter(tmp_path, free_port()) as at:
            counters, url = agent.service.engine.counters, f"http://{at}/snmp?module=media_station_blade&target="
            before = counters.in_packets
            assert "mssPushBytes" in await got(f"{url}{agent.service.address}")
            return counters.in_packets - before

    assert asyncio.run(story()) < PACKETS_MAX


async def firing(api):
    alerts = json.loads(await got(f"{api}/alerts"))["data"]["alerts"]
    return {alert["labels"]["alertname"]: alert["labels"] for alert in alerts if alert["state"] == "firing"}


@pytest.mark.peer("snmptrapd")
def test_settings_of_net_snmp_are_read_without_a_word(tmp_path):
    """`snmptrapd` names every line that it does not understand."""

    async def story():
        process = await asyncio.create_subprocess_exec(
            *("snmptrapd", "-f", "-Le", "-n", "-C", "-c", str(NMS / "snmptrapd.conf"), "-M", "", "udp:127.0.0.1:0"),
            env={"SNMP_PERSISTENT_DIR": str(tmp_path), "MIBS": "", "PATH": "/usr/sbin:/usr/bin"},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        lines = []
        async with asyncio.timeout(PATIENCE_S):
            while not any("NET-SNMP version" in line for line in lines):
                lines.append((await process.stderr.readline()).decode())
        process.terminate()
        await process.wait()
        return lines

    lines = asyncio.run(story())
    assert [line for line in lines if "snmptrapd.conf" in line] == []
