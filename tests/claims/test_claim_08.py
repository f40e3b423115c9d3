"""Claim 8: an SNMP agent at every component of the network, and a network management system that sees all of them."""

import json
import subprocess

import pytest

from tests.claims.conftest import TOLD
from tests.end_to_end.managing import colours, managing
from tests.mib_facts import MIBS, SMI
from tests.traps import TrapReceiver

SYSTEM = "1.3.6.1.2.1.1"


@pytest.mark.peer("snmpbulkwalk")
def test_every_component_that_is_listed_answers_net_snmp(network):
    for row in network.ps():
        assert row["snmp"], f"{row['name']} has no agent"
        system = ask(network, "snmpbulkwalk", row, SYSTEM)
        assert 'mib-2.1.1.0 = STRING: "media-station ' in system, row["name"]
        assert "mib-2.1.3.0 = Timeticks: " in system, row["name"]


def test_every_component_that_is_listed_shows_in_the_network_management_system(network, tmp_path):
    expected = {shown_as(row) for row in network.ps()}
    with managing(network, tmp_path, poll_s=1.0, lost_after_s=5.0) as nms:
        components, _ = nms.until(
            lambda seen, _: seen.keys() >= expected and {colours(seen)[name] for name in expected} == {"green"}
        )
    stations = {row["station"] for row in network.ps() if row["station"]}
    assert components.keys() == expected | stations


@pytest.mark.peer("snmpset", "snmptrapd")
def test_a_trap_of_every_component_that_is_listed_arrives(network, tmp_path):
    known = credentials(network)["read_only"]
    user = f'reader SHA-256 "{known["auth_password"]}" AES "{known["priv_password"]}"'
    kept = [path.read_text().splitlines()[0] for path in network.state.rglob("snmp-engine.json")]
    engines = {json.loads(line)["engine_id"] for line in kept}
    assert len(engines) == len(network.ps()), "every agent is an engine of its own"
    users = [f"createUser -e 0x{engine} {user}" for engine in engines]
    with TrapReceiver(tmp_path / "traps", (TOLD,), users) as receiver:
        for row in network.ps():
            host = row["snmp"].partition(":")[0]
            receiver.until(lambda row=row, host=host: told_by(network, receiver, row, host))


def told_by(network, receiver, row, host):
    """Have an agent send a trap, and see whether one of it has arrived."""
    ask(network, "snmpset", row, "msaTestNumber.0", "=", "8", user="read_write")
    return receiver.named("msaTestNotification", host)


def shown_as(row):
    """The name of a component on the page."""
    if row["role"] == "center":
        return f"@{row['control']}"
    return row["name"] if row["slot"] else f"{row['station']}/chassis"


def credentials(network):
    """What `chassis-emulator credentials` prints of SNMP."""
    return json.loads((network.state / "credentials.json").read_text())["snmp"]


def ask(network, tool, row, *arguments, user="read_only"):
    """What one of net-snmp's tools wrote."""
    known = credentials(network)[user]
    auth = ("-u", known["user"], "-a", known["auth_protocol"], "-A", known["auth_password"])
    how = ("-v3", "-l", "authPriv", *auth, "-x", known["priv_protocol"], "-X", known["priv_password"])
    finished = subprocess.run(
        [tool, *how, "-M", f"{SMI}:{MIBS}", "-m", "ALL", "-t5", row["snmp"], *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return finished.stdout
