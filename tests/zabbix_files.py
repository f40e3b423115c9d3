"""What Zabbix gets: a template each for a chassis manager, a blade, a distribution center and the headquarters of
several, in the format of 6.0.
"""

import hashlib
from typing import NamedTuple

from tests.mib_facts import all_objects

_GROUP = "Templates/Media stations"
_SENSOR = "1.3.6.1.2.1.99.1.1.1"
_NAME = "1.3.6.1.2.1.47.1.1.1.1.7"


class Item(NamedTuple):
    """An object, what it is called, whether its rate is shown, and its trigger: when (of `{}`), what, how bad."""

    object: str
    called: str
    rate: bool = False
    trigger: tuple[str, str, str] = ()


class Rule(NamedTuple):
    """Rows: what they are found by, what they are called (of `{#NAME}`, a column, or of the index), and their items."""

    title: str
    found_by: str
    name: str
    prefix: str
    items: tuple[Item, ...]


_SENSORS = (
    ("Temperatures", 8, "°C"),
    ("Voltages", 4, "V"),
    ("Currents", 5, "A"),
    ("Power", 6, "W"),
    ("Speeds", 10, "!rpm"),
)
"""Rules for sensors by their type in ENTITY-SENSOR-MIB; the unit with a ! is not scaled."""
_LIMITS = Item(
    "mscSensorCondition", "condition", trigger=("last({0})>1 and last({0})<5", "the reading is beyond a limit", "HIGH")
)
_FAN = (
    Item("mscFanState", "state", trigger=("last({})=2", "the fan does not turn", "HIGH")),
    Item("mscFanSpeed", "speed"),
)
_BLADES_FANS = Rule("Fans", "mscFanState", "mscFanName", "{#NAME}", _FAN)
"""A chassis manager is not told what a blade drives its fan with."""
_FANS = Rule("Fans", "mscFanState", "mscFanName", "{#NAME}", (*_FAN, Item("mscFanDuty", "duty")))
_ALARMS = (
    Item("msaActive", "Alarms"),
    Item("msaWorstSeverity", "Worst alarm", trigger=("last({})=3", "A critical alarm is active", "HIGH")),
)
_TEMPLATES = {
    "Media station chassis by SNMP": (
        (
            *_ALARMS,
            Item("mscBladesActive", "Blades in service"),
            Item("mscDirectorSlot", "Slot of the media director"),
            Item("mscRoleChanges", "Role changes"),
            Item("mscPowerBudget", "Power budget"),
            Item("mscPowerGranted", "Power granted to blades"),
            Item("mscPowerObserved", "Power drawn"),
        ),
        (
            Rule(
                "Slots",
                "mscSlotHotSwapState",
                "",
                "Slot {#SNMPINDEX}",
                (
                    Item(
                        "mscSlotHotSwapState",
                        "hot swap state",
                        trigger=("last({})=7", "the blade was pulled without a word, or hangs", "DISASTER"),
                    ),
                    Item(
                        "mscSlotMainBoard",
                        "main board",
                        trigger=("last({})=6", "the main board has failed", "HIGH"),
                    ),
                    Item("mscSlotRole", "role"),
                    Item("mscSlotPowerGranted", "power granted"),
                    Item("mscSlotLosses", "losses"),
                ),
            ),
            Rule(
                "Supplies",
                "mscSupplyState",
                "mscSupplyName",
                "{#NAME}",
                (
                    Item("mscSupplyState", "state", trigger=("last({})=2", "the supply gives no power", "HIGH")),
                    Item("mscSupplyOutput", "output"),
                ),
            ),
            _BLADES_FANS,
        ),
    ),
    "Media station blade by SNMP": (
        (
            *_ALARMS,
            Item("mssPushStreams", "Streams"),
            Item("mssPushBytes", "Sent by push", rate=True),
            Item("mssPullBytes", "Sent by pull", rate=True),
            Item("mssPullRequests", "Requests by pull", rate=True),
            Item("mssCopiesActive", "Copies under way"),
            Item("mssStoreSegments", "Segments held"),
            Item("mssStoreFree", "Room for segments"),
        ),
        (
            Rule(
                "I/O channels",
                "mssChannelWorking",
                "mssChannelName",
                "I/O channel {#NAME}",
                (
                    Item("mssChannelWorking", "working", trigger=("last({})=2", "the channel is given up", "HIGH")),
                    Item("mssChannelReadBytes", "read", rate=True),
                    Item("mssChannelWrittenBytes", "written", rate=True),
                    Item("mssChannelFree", "free"),
                ),
            ),
            _FANS,
        ),
    ),
    "Media station center by SNMP": (
        (
            *_ALARMS,
            Item("msdPrograms", "Programs"),
            Item("msdStations", "Stations"),
            Item("msdStationsSilent", "Silent stations"),
            Item("msdIngestsActive", "Ingests under way"),
            Item("msdIngestsFailed", "Failed ingests", trigger=("change({})>0", "An ingest failed", "WARNING")),
        ),
        (
            Rule(
                "Stations",
                "msdStationHome",
                "msdStationName",
                "Station {#NAME}",
                (
                    Item(
                        "msdStationSilence",
                        "silence",
                        trigger=("last({})>15", "the director has not been heard in time", "HIGH"),
                    ),
                    Item("msdStationPrograms", "whole programs"),
                    Item("msdStationEngines", "media engines"),
                ),
            ),
        ),
    ),
    "Media station headquarters by SNMP": (
        (
            *_ALARMS,
            Item("mshCenters", "Centers"),
            Item("mshCentersAway", "Centers away"),
            Item("mshPrograms", "Programs"),
            Item("mshOrdersOpen", "Open orders"),
            Item("mshOrdersFailed", "Failed orders", trigger=("change({})>0", "An order failed", "WARNING")),
        ),
        (
            Rule(
                "Centers",
                "mshCenterReachable",
                "mshCenterName",
                "Center {#NAME}",
                (
                    Item(
                        "mshCenterReachable",
                        "reachable",
                        trigger=("last({})=2", "the center does not answer its headquarters", "HIGH"),
                    ),
                    Item("mshCenterPrograms", "programs"),
                    Item("mshCenterOrders", "open orders"),
                ),
            ),
        ),
    ),
}
_WITH_SENSORS = {"Media station chassis by SNMP", "Media station blade by SNMP"}
_CHASSIS = "Media station chassis by SNMP"
_TRIGGERS = (
    (
        "last(/{t}/mediastation.mscDirectorSlot)=0 and last(/{t}/mediastation.mscBladesActive)>0",
        "Blades are in service and there is no media director",
        "HIGH",
    ),
    (
        "last(/{t}/mediastation.mscPowerGranted)>last(/{t}/mediastation.mscPowerBudget)",
        "The blades may draw more than the supplies give",
        "HIGH",
    ),
)
"""Triggers on more than one item of a chassis."""
_UNITS = {
    "milliwatts": ("W", 0.001),
    "milliseconds": ("s", 0.001),
    "kbit/s": ("bps", 1000),
    "bytes": ("B", 1),
    "percent": ("%", 1),
    "rpm": ("!rpm", 1),
}


def templates():
    """The export that is imported."""
    objects = {name: facts for known in all_objects().values() for name, facts in known.items()}
    return {
        "zabbix_export": {
            "version": "6.0",
            "groups": [{"uuid": _uuid("group"), "name": _GROUP}],
            "templates": [_template(name, objects) for name in _TEMPLATES],
            "triggers": [
                _trigger(_CHASSIS, expression.format(t=_CHASSIS), name, priority)
                for expression, name, priority in _TRIGGERS
            ],
        }
    }


def _template(template, objects):
    items, rules = _TEMPLATES[template]
    shown = [item.object for item in items] + [item.object for rule in rules for item in rule.items]
    if template in _WITH_SENSORS:
        shown += [_LIMITS.object]
    return {
        "uuid": _uuid(template),
        "template": template,
        "name": template,
        "groups": [{"name": _GROUP}],
        "items": [_reachable(template), *(_scalar(template, item, objects) for item in items)],
        "discovery_rules": [
            *(_rule(template, rule, objects) for rule in rules),
            *(_sensors(template, *kind, objects) for kind in _SENSORS if template in _WITH_SENSORS),
        ],
        "valuemaps": [
            {
                "uuid": _uuid(f"{template} values of {name}"),
                "name": name,
                "mappings": [
                    {"value": str(number), "newvalue": text} for text, number in objects[name]["names"].items()
                ],
            }
            for name in dict.fromkeys(shown)
            if "names" in objects[name]
        ],
    }


def _reachable(template):
    key = "zabbix[host,snmp,available]"
    expression = f"max(/{template}/{key},5m)=0"
    return {
        "uuid": _uuid(f"{template} {key}"),
        "name": "SNMP agent availability",
        "type": "INTERNAL",
        "key": key,
        "triggers": [_trigger(template, expression, "The agent does not answer", "HIGH")],
    }


def _item(template, item, key, called, number, objects):
    facts = objects[item.object]
    units, factor = _UNITS.get(facts.get("units"), ("", 1))
    steps = [{"type": "MULTIPLIER", "parameters": [str(factor)]}] if factor != 1 else []
    if item.rate:
        units = f"{units}ps" if units else ""
        steps.append({"type": "CHANGE_PER_SECOND", "parameters": [""]})
    made = {
        "uuid": _uuid(f"{template} {key}"),
        "name": called,
        "type": "SNMP_AGENT",
        "snmp_oid": number,
        "key": key,
        "value_type": "FLOAT" if steps else "UNSIGNED",
    }
    made |= {"units": units} if units else {}
    made |= {"valuemap": {"name": item.object}} if "names" in facts else {}
    return made | ({"preprocessing": steps} if steps else {})


def _scalar(template, item, objects):
    key = f"mediastation.{item.object}"
    made = _item(template, item, key, item.called, f"{objects[item.object]['oid']}.0", objects)
    return made | _alert("triggers", template, item, key)


def _alert(field, template, item, key, prefix=""):
    if not item.trigger:
        return {}
    expression, fault, priority = item.trigger
    return {field: [_trigger(template, expression.format(f"/{template}/{key}"), prefix + fault, priority)]}


def _trigger(template, expression, name, priority):
    return {
        "uuid": _uuid(f"{template} {expression}"),
        "expression": expression,
        "name": name,
        "priority": priority,
    }


def _prototype(template, item, prefix, objects):
    key = f"mediastation.{item.object}[{{#SNMPINDEX}}]"
    number = f"{objects[item.object]['oid']}.{{#SNMPINDEX}}"
    made = _item(template, item, key, f"{prefix}: {item.called}", number, objects)
    return made | _alert("trigger_prototypes", template, item, key, f"{prefix}: ")


def _rule(template, rule, objects):
    columns = [("{#FOUND}", objects[rule.found_by]["oid"])]
    if rule.name:
        columns.append(("{#NAME}", objects[rule.name]["oid"]))
    return _discovery(
        template, rule.title, columns, [_prototype(template, item, rule.prefix, objects) for item in rule.items]
    )


def _sensors(template, title, kind, unit, objects):
    """Readings of one type, with their point where it belongs. Names are of all entities, types of sensors only."""
    of_kind = f"[{title.lower()},{{#SNMPINDEX}}]"
    reading = {
        "uuid": _uuid(f"{template} {title} reading"),
        "name": "{#NAME}",
        "type": "SNMP_AGENT",
        "snmp_oid": f"{_SENSOR}.4.{{#SNMPINDEX}}",
        "key": f"mediastation.reading{of_kind}",
        "value_type": "FLOAT",
        "units": unit,
        "preprocessing": [{"type": "JAVASCRIPT", "parameters": ["return value / Math.pow(10, {#PRECISION});"]}],
    }
    key = f"mediastation.condition{of_kind}"
    number = f"{objects[_LIMITS.object]['oid']}.{{#SNMPINDEX}}"
    limits = _item(template, _LIMITS, key, "{#NAME}: condition", number, objects)
    limits |= _alert("trigger_prototypes", template, _LIMITS, key, "{#NAME}: ")
    columns = [("{#TYPE}", f"{_SENSOR}.1"), ("{#PRECISION}", f"{_SENSOR}.3"), ("{#NAME}", _NAME)]
    only = f"return JSON.stringify(JSON.parse(value).filter(function (row) {{ return row['{{#TYPE}}'] == {kind}; }}));"
    rule = _discovery(template, title, columns, [reading, limits])
    return rule | {"preprocessing": [{"type": "JAVASCRIPT", "parameters": [only]}]}


def _discovery(template, title, columns, prototypes):
    return {
        "uuid": _uuid(f"{template} rule {title}"),
        "name": title,
        "type": "SNMP_AGENT",
        "snmp_oid": f"discovery[{','.join(part for column in columns for part in column)}]",
        "key": f"mediastation.discovery[{title.lower()}]",
        "delay": "5m",
        "item_prototypes": prototypes,
    }


def _uuid(text):
    """Zabbix wants a version 4 UUID without hyphens, the same at every import."""
    octets = bytearray(hashlib.sha256(f"media-station {text}".encode()).digest()[:16])
    octets[6], octets[8] = octets[6] & 0x0F | 0x40, octets[8] & 0x3F | 0x80
    return octets.hex()
