"""LibreNMS' reading of a definition file: what it walks, the sensors it makes of it, and what it would then poll.

After its documentation ("Sensor Discovery", "Using YAML"): tables are walked with `-OteQUSa -Ih`; a column is found
under the name that the answer gave it; `{{ }}` in a text stands for the index, or for a column of the same row.
"""

import re
import subprocess
from typing import NamedTuple

from tests.mib_facts import MIBS, SMI, all_objects

_OPTIONS = ("-M", f"{SMI}:{MIBS}", "-t2", "-OteQUSa", "-Ih")
_ENTITY_SENSOR = ".1.3.6.1.2.1.99.1.1.1"
_ENTITY_CLASSES = {3: "voltage", 4: "voltage", 5: "current", 6: "power", 7: "freq", 8: "temperature", 9: "humidity"}
_ENTITY_CLASSES |= {10: "fanspeed"}
"""Sensor types of ENTITY-SENSOR-MIB that LibreNMS shows."""


class Sensor(NamedTuple):
    """A sensor that LibreNMS found; `value` in its unit, `limit` the highest it should have."""

    kind: str
    index: str
    number: str
    descr: str
    value: float
    divisor: int
    limit: float | None
    generic: int | None


class LibreNms:
    """Looks at the agent at `address` with net-snmp's tools; `options` say who it is."""

    def __init__(self, address, options):
        self._address, self._options = address, options
        self._walked = {}

    def ask(self, tool, *names, flags=_OPTIONS):
        finished = subprocess.run(
            [tool, *self._options, *flags, self._address, *names],
            env={"MIBS": "", "PATH": "/usr/bin:/bin", "SNMP_PERSISTENT_DIR": "/dev/null/no"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert finished.returncode == 0, (names, finished.stderr)
        return finished.stdout.splitlines()

    def knows(self, detection):
        """Whether it takes the agent for what the file describes."""
        [line] = self.ask("snmpget", ".1.3.6.1.2.1.1.2.0", flags=("-t2", "-OnQv"))
        return any(line.startswith(number) for rule in detection["discovery"] for number in rule["sysObjectID"])

    def facts(self, discovery):
        """What the `os` module shows: out of sysDescr by an expression, and from single objects."""
        wanted = dict(discovery["modules"]["os"])
        expression = wanted.pop("sysDescr_regex").strip("/").replace("(?<", "(?P<")
        [described] = self.ask("snmpget", ".1.3.6.1.2.1.1.1.0", flags=("-t2", "-OQv"))
        found = {k: v for k, v in re.search(expression, described.strip('"')).groupdict().items() if v}
        for fact, name in wanted.items():
            # Its modules know all standard names; the excerpts that are here do not.
            module, _, instance = name.partition("::")
            column, _, index = instance.partition(".")
            [value] = self.ask("snmpget", f".{all_objects()[module][column]['oid']}.{index}", flags=("-t2", "-OQv"))
            if not value.startswith("No Such"):
                found[fact] = value.strip('"')
        return found

    def walk(self, name):
        """Rows by their index; a column has its qualified name."""
        if name not in self._walked:
            rows = self._walked[name] = {}
            for line in self.ask("snmpbulkwalk", name):
                column, said, value = line.partition(" = ")
                if said and not value.startswith("No "):
                    column, _, index = column.partition(".")
                    rows.setdefault(index, {})[column] = value.strip('"')
        return self._walked[name]

    def sensors(self, discovery):
        """What a discovery file finds."""
        modules = dict(discovery["modules"]["sensors"])
        for also in modules.pop("additional_oids")["data"]:
            for name in also["oid"]:
                self.walk(name)
        entries = [(kind, entry) for kind, module in modules.items() for entry in module["data"]]
        for _, entry in entries:  # Everything is walked before anything is looked at.
            self.walk(entry["oid"])
        for kind, entry in entries:
            for index, row in self.walk(entry["oid"]).items():
                value = row.get(entry.get("value", entry["oid"]), "")
                if re.fullmatch(r"-?\d+", value) and int(value) not in entry.get("skip_values", ()):
                    yield self._sensor(kind, entry, index, int(value))

    def _sensor(self, kind, entry, index, value):
        divisor = entry.get("divisor", 1)
        limit = self._value(entry["high_limit"], index) if "high_limit" in entry else None
        return Sensor(
            kind=kind,
            index=self._filled(entry["index"], index),
            number=self._filled(entry["num_oid"], index),
            descr=self._filled(entry["descr"], index),
            value=value / divisor,
            divisor=divisor,
            limit=limit and int(limit) / divisor,
            generic={state["value"]: state["generic"] for state in entry.get("states", ())}.get(value),
        )

    def _filled(self, text, index):
        def of(match):
            name = match[1]
            return index if name == "$index" else (self._value(name, index) or "")

        return re.sub(r"{{ (\S+) }}", of, text)

    def _value(self, name, index):
        """A column of the same row, in whatever was walked."""
        return next((rows[index][name] for rows in self._walked.values() if name in rows.get(index, ())), None)

    def entity_sensors(self):
        """What it finds without a file, in ENTITY-SENSOR-MIB: class and reading by name."""
        rows = {}
        for line in self.ask("snmpbulkwalk", _ENTITY_SENSOR, flags=("-t2", "-OQen")):
            number, _, value = line.removeprefix(f"{_ENTITY_SENSOR}.").partition(" = ")
            column, _, index = number.partition(".")
            rows.setdefault(index, {})[column] = value
        names = self.walk("ENTITY-MIB::entPhysicalName")
        found = {}
        for index, row in rows.items():
            kind, scale, precision, value, status = (int(row.get(column, 0)) for column in "12345")
            if kind in _ENTITY_CLASSES and "4" in row and status != 2:
                name = names[index]["ENTITY-MIB::entPhysicalName"]
                found[name] = (_ENTITY_CLASSES[kind], value / 10**precision * 1000 ** (scale - 9))
        return found

    def poll(self, sensors):
        """What the numbers of sensors give when they are polled."""
        lines = self.ask("snmpget", *(sensor.number for sensor in sensors), flags=("-t2", "-OQenv"))
        return [int(line) / sensor.divisor for line, sensor in zip(lines, sensors, strict=True)]
