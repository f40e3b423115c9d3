"""The MIB modules, as smilint judges them: any word of it is a failure, whatever its exit code."""

import os
import re
import subprocess

import pytest

from media_network.snmp.objects.arcs import MEDIA_STATION
from tests.mib_facts import MIBS, SMI, all_objects, compiled, our_objects
from tests.mib_facts import MODULES as NAMES

MODULES = sorted(MIBS.glob("*.txt"))


@pytest.fixture(scope="module")
def search_path():
    """Debian ships no IETF modules: tests/smi has the names and numbers of theirs that ours import."""
    return f"{SMI}:{MIBS}"


def said_by(search_path, *command):
    finished = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "SMIPATH": search_path, "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=30,
        check=False,
    )
    return finished.stdout


PARTS = ("Chassis", "Slot", "Supply", "Fan", "Sensor", "Board", "Channel", "Port", "Processor")


@pytest.mark.peer("smilint")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_smilint_has_nothing_to_say(search_path, module):
    assert said_by(search_path, "smilint", "-s", "-l", "6", module) == ""


@pytest.mark.peer("smilint")
def test_smilint_would_say_so(search_path, tmp_path):
    text = MODULES[0].read_text()
    wrong = tmp_path / MODULES[0].name
    wrong.write_text(re.sub("STATUS( +)current", r"STATUS\1perfect", text, count=1))
    assert wrong.read_text() != text
    assert "perfect" in said_by(search_path, "smilint", "-s", "-l", "6", wrong)


@pytest.mark.peer("smidump")
def test_the_registration_points_are_where_the_readme_says(search_path):
    root = re.search(r"The root is `([\d.]+)`", (MIBS / "README.md").read_text())[1]
    dump = said_by(search_path, "smidump", "-f", "identifiers", MIBS / "MEDIA-STATION-MIB.txt")
    found = dict(re.findall(r"^MEDIA-STATION-MIB (\w+) +node +([\d.]+)$", dump, re.MULTILINE))
    assert found == {
        "mediaStationMIB": root,
        "mediaStationChassis": f"{root}.1",
        "mediaStationStation": f"{root}.2",
        "mediaStationCenter": f"{root}.3",
        "mediaStationAlarms": f"{root}.4",
        "mediaStationProducts": f"{root}.5",
        "mediaStationBlade": f"{root}.5.1",
        "mediaStationManager": f"{root}.5.2",
        "mediaStationDistributionCenter": f"{root}.5.3",
        "mediaStationAssetManagement": f"{root}.5.4",
        "mediaStationParts": f"{root}.6",
        "mediaStationHeadquarters": f"{root}.7",
        **{f"mediaStationPart{part}": f"{root}.6.{number}" for number, part in enumerate(PARTS, start=1)},
    }


def test_every_module_is_in_the_readme():
    listed = re.findall(r"^\| `(\S+\.txt)` \|", (MIBS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [module.name for module in MODULES]
    assert MODULES


def test_pysmi_takes_every_module():
    _, said = compiled()
    assert {said[name] for name in NAMES} == {"compiled"}


@pytest.mark.peer("snmptranslate")
def test_net_snmp_gives_every_object_the_number_that_pysmi_does(search_path):
    ours = {
        f"{module}::{name}": facts["oid"] for module, known in our_objects().items() for name, facts in known.items()
    }
    numbers = said_by(search_path, "snmptranslate", "-M", search_path, "-m", "ALL", "-On", *ours).split()
    assert numbers == [f".{number}" for number in ours.values()]


def test_the_one_constant_is_the_agents():
    root = re.search(r"The root is `([\d.]+)`", (MIBS / "README.md").read_text())[1]
    assert ".".join(map(str, MEDIA_STATION)) == root
    assert all(facts["oid"].startswith(f"{root}.") for known in our_objects().values() for facts in known.values())


def test_names_are_told_apart_and_fit():
    names = [name for known in all_objects().values() for name in known]
    assert len(names) == len(set(names))
    assert all(len(name) <= 32 for known in our_objects().values() for name in known)


def test_counters_and_amounts_have_a_unit():
    """What is counted or measured says in what."""
    missing = [
        name
        for known in our_objects().values()
        for name, facts in known.items()
        if facts.get("type") in {"Counter32", "Counter64"} and "units" not in facts
    ]
    assert missing == []


def test_every_counter_says_what_moves_it():
    documents, _ = compiled()
    silent = [
        name
        for module in NAMES
        for name, entry in documents[module].items()
        if isinstance(entry, dict)
        and entry.get("syntax", {}).get("type") in {"Counter32", "Counter64"}
        and "Moves " not in entry["description"]
        and entry.get("units") not in {"bytes", "reads", "packets", "batches", "copies"}
    ]
    assert silent == []
