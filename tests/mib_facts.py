"""What MIB modules say of their objects, flattened: number, base type, ranges, access. From pysmi's JSON, or kept.

Ours are compiled by pysmi whenever they are tested. Of the standard modules, which Debian does not ship, the facts are
kept in `smi/standard_objects.json`, in the same form.
"""

import json
from functools import cache
from pathlib import Path

from pysmi.codegen import JsonCodeGen
from pysmi.compiler import MibCompiler
from pysmi.parser import SmiV2Parser
from pysmi.reader import FileReader
from pysmi.writer import CallbackWriter

ROOT = Path(__file__).parents[1]
MIBS = ROOT / "mibs"
SMI = ROOT / "tests" / "smi"
STANDARD = SMI / "standard_objects.json"
MODULES = sorted(path.stem for path in MIBS.glob("*.txt"))
HEADQUARTERS = "MEDIA-STATION-HEADQUARTERS-MIB"

_BASES = {
    "INTEGER": "Integer32",
    "Integer32": "Integer32",
    "OCTET STRING": "OctetString",
    "OBJECT IDENTIFIER": "ObjectIdentifier",
    "Bits": "OctetString",
    "IpAddress": "IpAddress",
    "Counter32": "Counter32",
    "Counter64": "Counter64",
    "Gauge32": "Gauge32",
    "Unsigned32": "Gauge32",
    "TimeTicks": "TimeTicks",
    "Opaque": "Opaque",
}


@cache
def compiled(modules=tuple(MODULES), folders=(str(SMI), str(MIBS))):
    """Compile modules, and all they import, with pysmi: JSON documents by module name, and what pysmi said of each."""
    documents = {}
    compiler = MibCompiler(
        SmiV2Parser(),
        JsonCodeGen(),
        CallbackWriter(lambda name, text, _: documents.__setitem__(name, json.loads(text))),
    )
    compiler.add_sources(*map(FileReader, folders))
    said = compiler.compile(*modules, genTexts=True, rebuild=True)
    return documents, {str(name): str(status) for name, status in said.items()}


def objects_of(documents, modules):
    """Facts of every scalar, column, row and notification of some modules, by module and name."""
    types = {
        (module, name): entry
        for module, document in documents.items()
        for name, entry in document.items()
        if isinstance(entry, dict) and entry.get("class") in {"textualconvention", "type"}
    }
    return {
        module: {
            name: _facts(entry, types)
            for name, entry in sorted(documents[module].items(), key=lambda item: _number(item[1]))
            if isinstance(entry, dict)
            and (entry.get("nodetype") in {"scalar", "column", "row"} or entry.get("class") == "notificationtype")
        }
        for module in modules
    }


def _number(entry):
    return [int(part) for part in entry["oid"].split(".")] if isinstance(entry, dict) and "oid" in entry else []


def _facts(entry, types):
    facts = {"oid": entry["oid"], "kind": entry.get("nodetype", "notification")}
    if entry.get("class") == "notificationtype":
        facts["carries"] = [carried["object"] for carried in entry.get("objects", ())]
        return facts
    facts["access"] = entry["maxaccess"]
    if facts["kind"] == "row":
        facts["index"] = [[index["object"], bool(index["implied"])] for index in entry.get("indices", ())] or entry.get(
            "augmention", {}
        ).get("object", "")
        return facts
    base, constraints = _resolved(entry["syntax"], types)
    facts["type"] = _BASES[base]
    for name in ("range", "size"):
        if name in constraints:
            facts[name] = [[one["min"], one["max"]] for one in constraints[name]]
    if "enumeration" in constraints:
        facts["names"] = dict(sorted(constraints["enumeration"].items(), key=lambda item: item[1]))
    if "units" in entry:
        facts["units"] = entry["units"]
    if entry["status"] != "current":
        facts["status"] = entry["status"]
    return facts


def _resolved(syntax, types):
    """The base type of a syntax, and the constraints nearest to the object."""
    constraints = dict(syntax.get("constraints", {}))
    name = syntax["type"]
    while name not in _BASES:
        found = next(entry for (_, known), entry in types.items() if known == name)
        inner = found["type"]
        constraints = dict(inner.get("constraints", {})) | constraints
        name = inner["type"]
    return name, constraints


def our_objects():
    """Facts of our own modules."""
    documents, _ = compiled()
    return objects_of(documents, MODULES)


def readable(module):
    """The names of the objects of one of ours that can be read."""
    return {
        name
        for name, facts in our_objects()[module].items()
        if facts["kind"] in {"scalar", "column"} and facts["access"].startswith("read")
    }


def all_objects():
    """Facts of our own modules and of the standard ones that our agents serve."""
    return json.loads(STANDARD.read_text()) | our_objects()
