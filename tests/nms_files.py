"""Makes the files of `mibs/nms` for the network management systems that people have, out of the compiled modules.

    python tests/nms_files.py

writes them; a test says when they are not what would be written.
"""

import hashlib
import json
from pathlib import Path

import yaml
from mib_facts import MIBS, all_objects

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
}


def snmp_yml():
    """The configuration of prometheus-snmp-exporter up to 0.22, whose modules have the credentials in them."""
    objects = {name: facts for known in all_objects().values() for name, facts in known.items()}
    return {
        module: _exporter_module(objects, names, standard=module != "media_station_center")
        for module, names in _MODULES.items()
    }


def _exporter_module(objects, modules, *, standard):
    wanted = [name for module in modules for name in all_objects()[module]] + list(_STANDARD if standard else ())
    metrics = [_metric(name, objects) for name in wanted if _is_metric(objects[name])]
    looked_up = {lookup["oid"] for metric in metrics for lookup in metric.get("lookups", ())}
    return {
        "walk": sorted({*(metric["oid"] for metric in metrics), *looked_up}, key=_number),
        "metrics": metrics,
        "max_repetitions": 25,
        "retries": 1,
        "timeout": "5s",
        "version": 3,
        "auth": {
            "username": "reader",
            "security_level": "authPriv",
            "password": "AUTH_PASSWORD",
            "auth_protocol": "SHA256",
            "priv_protocol": "AES",
            "priv_password": "PRIV_PASSWORD",
        },
    }


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


_GOOD = {"mscSlotHotSwapState": {4}, "mscSlotMainBoard": {4}, "mscFanState": {1}, "mscSupplyState": {1}}
_NEUTRAL = {
    "mscSlotHotSwapState": {0, 1, 2, 3, 5, 6},
    "mscSlotMainBoard": {1, 2, 3, 5},
    "mscFanState": {3, 4},
    "mscSupplyState": {3, 4},
}
"""Values that are as they should be, and those that are no fault; what is left is one."""


def librenms():
    """LibreNMS: how our agents are known, and the states to show. Sensors it finds by itself, in ENTITY-SENSOR-MIB."""
    objects = {name: facts for known in all_objects().values() for name, facts in known.items()}
    states = [
        {
            "oid": f"MEDIA-STATION-CHASSIS-MIB::{name}",
            "value": name,
            "num_oid": f".{objects[name]['oid']}.{{{{ $index }}}}",
            "descr": f"{name.removeprefix('msc')} {{{{ $index }}}}",
            "index": f"{name}.{{{{ $index }}}}",
            "state_name": name,
            "states": [
                {"value": number, "generic": _generic(name, number), "graph": 1, "descr": text}
                for text, number in objects[name]["names"].items()
            ],
        }
        for name in _GOOD
    ]
    detection = {
        "os": "media-station",
        "text": "Media station",
        "type": "server",
        "icon": "generic",
        "discovery": [{"sysObjectID": [".1.3.6.1.4.1.8072.9999.9999.1.5."]}],
    }
    discovery = {"mib": "MEDIA-STATION-CHASSIS-MIB", "modules": {"sensors": {"state": {"data": states}}}}
    return detection, discovery


def _generic(name, number):
    """LibreNMS' view of a state: 0 is good, 1 to be looked at, 2 a fault."""
    return 0 if number in _GOOD[name] else 1 if number in _NEUTRAL[name] else 2


_ZABBIX_TABLES = (
    ("Slots", "mscSlotHotSwapState", "Slot {#SNMPINDEX}", ("mscSlotHotSwapState", "mscSlotRole", "mscSlotStreams")),
    ("Sensors", "entPhySensorType", "{#NAME}", ("entPhySensorValue", "entPhySensorOperStatus", "mscSensorCondition")),
    ("Fans", "mscFanState", "{#NAME}", ("mscFanState", "mscFanSpeed")),
    ("Supplies", "mscSupplyState", "{#NAME}", ("mscSupplyState", "mscSupplyOutput")),
)
_ZABBIX_FAULTS = {
    "mscSlotHotSwapState": ("{}=7", "the blade was pulled without a word, or hangs"),
    "mscSensorCondition": ("{0}>1 and {0}<5", "beyond a limit"),
    "mscFanState": ("{}=2", "does not turn"),
    "mscSupplyState": ("{}=2", "gives no power"),
}


def zabbix():
    """A template for Zabbix 6.0: slots, sensors by name, fans, supplies, with triggers."""
    objects = {name: facts for known in all_objects().values() for name, facts in known.items()}
    rules = []
    for title, found_by, called, names in _ZABBIX_TABLES:
        oids = [f"{{#FOUND}},{objects[found_by]['oid']}"]
        if "{#NAME}" in called:
            oids.append(f"{{#NAME}},{objects['entPhysicalName']['oid']}")
        rule = {
            "uuid": _uuid(f"rule {title}"),
            "name": title,
            "type": "SNMP_AGENT",
            "snmp_oid": f"discovery[{','.join(oids)}]",
            "key": f"mediastation.{title.lower()}",
            "delay": "5m",
            "item_prototypes": [_zabbix_item(name, called, objects) for name in names],
        }
        if "{#NAME}" in called:  # The names are of all entities.
            rule["filter"] = {"conditions": [{"macro": "{#FOUND}", "value": "^[0-9]+$", "formulaid": "A"}]}
        rules.append(rule)
    template = {
        "uuid": _uuid("template"),
        "template": "Media station by SNMP",
        "name": "Media station by SNMP",
        "groups": [{"name": "Templates/Applications"}],
        "discovery_rules": rules,
    }
    group = {"uuid": _uuid("group"), "name": "Templates/Applications"}
    return {"zabbix_export": {"version": "6.0", "groups": [group], "templates": [template]}}


def _zabbix_item(name, called, objects):
    key = f"mediastation.{name}[{{#SNMPINDEX}}]"
    item = {
        "uuid": _uuid(f"item {name}"),
        "name": f"{called}: {name}",
        "type": "SNMP_AGENT",
        "snmp_oid": f"{objects[name]['oid']}.{{#SNMPINDEX}}",
        "key": key,
        "delay": "1m",
        "value_type": "FLOAT",
    }
    if name in _ZABBIX_FAULTS:
        faulty, fault = _ZABBIX_FAULTS[name]
        item["trigger_prototypes"] = [
            {
                "uuid": _uuid(f"trigger {name}"),
                "expression": faulty.format(f"last(/Media station by SNMP/{key})"),
                "name": f"{called}: {fault}",
                "priority": "HIGH",
            }
        ]
    return item


def _uuid(text):
    """Zabbix wants a version 4 UUID without hyphens, the same at every import."""
    octets = bytearray(hashlib.sha256(f"media-station {text}".encode()).digest()[:16])
    octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
    return octets.hex()


_NOTE = "# Made by tests/nms_files.py from the modules in mibs/.\n"


def _yaml(value):
    return _NOTE + yaml.safe_dump(value, sort_keys=False, width=120, allow_unicode=True)


def files():
    """What is written, by the name of the file."""
    detection, discovery = librenms()
    return {
        "snmp.yml": _yaml(snmp_yml()),
        "grafana.json": json.dumps(dashboard(), indent=1) + "\n",
        "librenms-detection.yaml": _yaml(detection),
        "librenms-discovery.yaml": _yaml(discovery),
        "zabbix.yaml": _yaml(zabbix()),
    }


def main():
    """Write the files."""
    for name, text in files().items():
        Path(NMS / name).write_text(text)


if __name__ == "__main__":
    main()
