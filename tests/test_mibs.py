"""The MIB modules, as smilint judges them: any word of it is a failure, whatever its exit code."""

import os
import re
import subprocess
from pathlib import Path

import pytest

MIBS = Path(__file__).parents[1] / "mibs"
MODULES = sorted(MIBS.glob("*.txt"))

# Debian ships no IETF modules. These are the names of RFC 2578 that ours import, and the numbers it gives them.
NAMES_OF_RFC_2578 = """
SNMPv2-SMI DEFINITIONS ::= BEGIN
org         OBJECT IDENTIFIER ::= { iso 3 }
dod         OBJECT IDENTIFIER ::= { org 6 }
internet    OBJECT IDENTIFIER ::= { dod 1 }
private     OBJECT IDENTIFIER ::= { internet 4 }
enterprises OBJECT IDENTIFIER ::= { private 1 }
MODULE-IDENTITY MACRO ::= BEGIN END
OBJECT-IDENTITY MACRO ::= BEGIN END
END
"""


@pytest.fixture(scope="module")
def search_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smi")
    (folder / "SNMPv2-SMI").write_text(NAMES_OF_RFC_2578)
    return f"{folder}:{MIBS}"


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


@pytest.mark.peer("smilint")
@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_smilint_has_nothing_to_say(search_path, module):
    assert said_by(search_path, "smilint", "-s", "-l", "6", module) == ""


@pytest.mark.peer("smilint")
def test_smilint_would_say_so(search_path, tmp_path):
    text = MODULES[0].read_text()
    wrong = tmp_path / MODULES[0].name
    wrong.write_text(text.replace("STATUS current", "STATUS perfect", 1))
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
    }


def test_every_module_is_in_the_readme():
    listed = re.findall(r"^\| `(\S+\.txt)` \|", (MIBS / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [module.name for module in MODULES]
    assert MODULES
