"""The names of the objects that are asked are those of our modules, and lead to the same places."""

import re
from pathlib import Path

from distribution_center.network_management.objects import SEEN

MIBS = Path(__file__).parents[3] / "mibs"
ASSIGNED = re.compile(
    r"^(\w+)[ \t]+(?:OBJECT IDENTIFIER|OBJECT-TYPE|MODULE-IDENTITY|OBJECT-IDENTITY)\b.*?::=\s*\{\s*([^}]*?)\s*\}",
    re.DOTALL | re.MULTILINE,
)
ENTERPRISES = (1, 3, 6, 1, 4, 1)


def assignments():
    """Parent and last numbers of every name in our modules."""
    found = {}
    for path in MIBS.glob("*.txt"):
        for name, value in ASSIGNED.findall(path.read_text()):
            parent, *numbers = re.sub(r"\w+\((\d+)\)", r"\1", value).split()
            found[name] = parent, tuple(map(int, numbers))
    return found


def resolve(name, known):
    if name == "enterprises":
        return ENTERPRISES
    parent, numbers = known[name]
    return (*resolve(parent, known), *numbers)


def test_every_name_is_that_of_a_module():
    known = assignments()
    ours = 0
    for sight in SEEN.values():
        asked = {name: oid[:-1] for name, oid in sight.scalars.items()}
        for table in (sight.tables | sight.rarely).values():
            asked |= table.columns
        for name, oid in asked.items():
            if name.startswith("ms"):
                assert resolve(name, known) == oid, name
                ours += 1
    assert ours > 40
