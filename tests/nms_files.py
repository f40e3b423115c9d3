"""Makes the files of `mibs/nms` for the network management systems that people have, out of the compiled modules.

    python -m tests.nms_files

writes them; a test says when they are not what would be written.
"""

import json
from pathlib import Path

import yaml

from tests import librenms_files, zabbix_files
from tests.mib_facts import MIBS, all_objects

NMS = MIBS / "nms"

_METRIC_TYPES = {
    "Counter32": "counter",
    "Counter64": "counter",
    "Gauge32": "gauge",
    "Integer32": "gauge",
    "TimeTicks": "gauge",
}
_LABELS = {
    "entPhysicalIndex": "entPhysicalName",
    "ifIndex": "ifName",
    "hrStorageIndex": "hrStorageDescr",
    "mssChannelNumber": "mssChannelName",
    "msdStationNumber": "msdStationName",
    "msdProgramNumber": "msdProgramName",
    "mssSessionNumber": "mssSessionProgram",
    "mssStreamNumber": "mssStreamProgram",
    "mssCopyNumber": "mssCopyProgram",
    "msdIngestNumber": "msdIngestProgram",
    "mshCenterNumber": "mshCenterName",
}
"""What a person calls a row: a column that is looked up by an index."""
_MORE_LABELS = {"msaAlarmId": ("msaAlarmResource", "msaAlarmText", "msaAlarmSlot", "msaAlarmKind")}
_STANDARD = (
    "sysUpTime",
    "entPhysicalClass",
    "entPhySensorType",
    "entPhySensorPrecision",
    "entPhySensorValue",
    "entPhySensorOperStatus",
    "ifOperStatus",
    "ifHCInOctets",
    "ifHCOutOctets",
    "ifInErrors",
    "ifOutErrors",
    "ifHighSpeed",
    "hrSystemUptime",
    "hrStorageAllocationUnits",
    "hrStorageSize",
    "hrStorageUsed",
    "hrProcessorLoad",
)
_MODULES = {
    "media_station_chassis": ("MEDIA-STATION-CHASSIS-MIB", "MEDIA-STATION-ALARM-MIB"),
    "media_station_blade": ("MEDIA-STATION-CHASSIS-MIB", "MEDIA-STATION-STATION-MIB", "MEDIA-STATION-ALARM-MIB"),
    "media_station_center": ("MEDIA-STATION-CENTER-MIB", "MEDIA-STATION-ALARM-MIB"),
    "media_station_headquarters": ("MEDIA-STATION-HEADQUARTERS-MIB", "MEDIA-STATION-ALARM-MIB"),
}
_OF_NO_MACHINE = {"media_station_center", "media_station_headquarters"}
"""What their agents show is not a machine's."""


AUTH = "media_station"


def snmp_yml():
    """The configuration of prometheus-snmp-exporter from 0.23 on: credentials, and apart from them the modules."""
    credentials = {"version": 3, **_CREDENTIALS}
    return {"auths": {AUTH: credentials}, "modules": exporter_modules()}


def old_snmp_yml():
    """The same for those up to 0.22, Debian's 0.21 among them: each module has the credentials in it."""
    return {name: {**module, "version": 3, "auth": _CREDENTIALS} for name, module in exporter_modules().items()}


_CREDENTIALS = {
    "username": "reader",
    "security_level": "authPriv",
    "password": "AUTH_PASSWORD",
    "auth_protocol": "SHA256",
    "priv_protocol": "AES",
    "priv_password": "PRIV_PASSWORD",
}


def exporter_modules():
    """What is asked of whom."""
    objects = {name: facts for known in all_objects().values() for name, facts in known.items()}
    return {
        module: _exporter_module(objects, names, standard=module not in _OF_NO_MACHINE)
        for module, names in _MODULES.items()
    }


def _exporter_module(objects, modules, *, standard):
    wanted = [name for module in modules for name in all_objects()[module]] + list(_STANDARD if standard else ())
    metrics = [_metric(name, objects) for name in wanted if _is_metric(objects[name])]
    looked_up = {lookup["oid"] for metric in metrics for lookup in metric.get("lookups", ())}
    columns = {metric["oid"] for metric in metrics if "indexes" in metric} | looked_up
    scalars = [metric["oid"] for metric in metrics if "indexes" not in metric]
    return {
        "walk": sorted(_walks(columns, objects), key=_number),
        "get": sorted((f"{oid}.0" for oid in scalars), key=_number),
        "metrics": metrics,
        "max_repetitions": 50,
        "retries": 1,
        "timeout": "5s",
    }


def _walks(columns, objects):
    """What is walked for these columns in as few packets as possible: a table at once, if most of it is wanted.

    The exporter walks what it is given one after the other, each with a packet of its own at least.
    """
    readable = [facts["oid"] for facts in objects.values() if facts["kind"] == "column" and facts["access"][0] == "r"]
    tables = {}
    for oid in columns:
        tables.setdefault(oid.rpartition(".")[0], set()).add(oid)
    for row, wanted in tables.items():
        there = [oid for oid in readable if oid.rpartition(".")[0] == row]
        yield from [row] if 2 * len(wanted) >= len(there) else wanted


def _is_metric(facts):
    return (
        facts["kind"] in {"scalar", "column"} and facts["access"].startswith("read") and facts["type"] in _METRIC_TYPES
    )


def _metric(name, objects):
    facts = objects[name]
    unit = f", in {facts['units']}" if "units" in facts else ""
    names = ", ".join(f"{number} {text}" for text, number in facts.get("names", {}).items())
    metric = {
        "name": name,
        "oid": facts["oid"],
        "type": _METRIC_TYPES[facts["type"]],
        "help": f"{name}{unit}{': ' + names if 0 < len(names) < 200 else ''}",
    }
    if facts["kind"] == "column":
        indexes = _indexes(facts, objects)
        metric["indexes"] = [{"labelname": index, "type": "gauge"} for index in indexes]
        lookups = [_lookup(index, label, objects) for index in indexes for label in _labels(index) if label != name]
        if lookups:
            metric["lookups"] = lookups
    return metric


def _labels(index):
    return _MORE_LABELS.get(index, (_LABELS[index],) if index in _LABELS else ())


def _lookup(index, label, objects):
    text = objects[label]["type"] == "OctetString"
    return {
        "labels": [index],
        "labelname": label,
        "oid": objects[label]["oid"],
        "type": "DisplayString" if text else "gauge",
    }


def _indexes(facts, objects):
    row_number = facts["oid"].rpartition(".")[0]
    [row] = [known for known in objects.values() if known["kind"] == "row" and known["oid"] == row_number]
    while isinstance(row["index"], str):
        row = objects[row["index"]]
    return [name for name, _ in row["index"]]


def _number(oid):
    return [int(part) for part in oid.split(".")]


_OF_TYPE = "entPhySensorValue / 10 ^ entPhySensorPrecision and entPhySensorType == {}"
"""Readings of the sensors of one type, with their point where it belongs."""
_PANELS = (
    ("Temperatures", "celsius", _OF_TYPE.format(8), "{{instance}} {{entPhysicalName}}"),
    ("Fans", "rotrpm", _OF_TYPE.format(10), "{{instance}} {{entPhysicalName}}"),
    ("Power of the sensors", "watt", _OF_TYPE.format(6), "{{instance}} {{entPhysicalName}}"),
    ("Power granted and given", "watt", "mscPowerGranted / 1000", "{{instance}} granted"),
    ("Streams", "short", "mssPushStreams", "{{instance}}"),
    ("Sent by push", "Bps", "rate(mssPushBytes[1m])", "{{instance}}"),
    ("Sent by pull", "Bps", "rate(mssPullBytes[1m])", "{{instance}}"),
    ("Read by I/O channel", "Bps", "rate(mssChannelReadBytes[1m])", "{{instance}} {{mssChannelName}}"),
    ("Sessions", "short", "mssDirectorSessions", "{{instance}}"),
    ("Redirects", "reqps", "rate(mssDirectorRedirects[1m])", "{{instance}}"),
    ("Copies under way", "short", "mssCopiesActive", "{{instance}}"),
    ("Hot swap state", "short", "mscSlotHotSwapState", "{{instance}} slot {{mscSlotNumber}}"),
    ("Alarms", "short", "msaActive", "{{instance}}"),
    ("Programs whole at a station", "short", "msdStationPrograms", "{{msdStationName}}"),
)
"""Title, unit, what is drawn, and its legend."""


def dashboard():
    """A dashboard for Grafana."""
    return {
        "title": "Media stations",
        "uid": "media-stations",
        "schemaVersion": 37,
        "version": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "panels": [
            {
                "id": number,
                "type": "timeseries",
                "title": title,
                "datasource": {"type": "prometheus", "uid": "${source}"},
                "gridPos": {"h": 8, "w": 12, "x": (number - 1) % 2 * 12, "y": (number - 1) // 2 * 8},
                "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
                "targets": [{"refId": "A", "expr": drawn, "legendFormat": legend}],
            }
            for number, (title, unit, drawn, legend) in enumerate(_PANELS, 1)
        ],
    }


_NOTE = "# Made by tests/nms_files.py from the modules in mibs/.\n"


def _yaml(value):
    return _NOTE + yaml.safe_dump(value, sort_keys=False, width=120, allow_unicode=True)


def files():
    """What is written, by the name of the file."""
    return {
        "snmp.yml": _yaml(snmp_yml()),
        "snmp-0.21.yml": _yaml(old_snmp_yml()),
        "grafana.json": json.dumps(dashboard(), indent=1) + "\n",
        "librenms-detection.yaml": _yaml(librenms_files.detection()),
        "librenms-discovery.yaml": _yaml(librenms_files.discovery()),
        "zabbix.yaml": _yaml(zabbix_files.templates()),
    }


def main():
    """Write the files."""
    for name, text in files().items():
        Path(NMS / name).write_text(text)


if __name__ == "__main__":
    main()
