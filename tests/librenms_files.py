"""What LibreNMS gets: how our agents are known, and what to show of them beside the sensors of ENTITY-SENSOR-MIB.

Names are qualified by their module throughout: LibreNMS walks what is named so with `-OS`, and finds a column in the
answer only under the name that the answer has.
"""

from tests.mib_facts import all_objects

_GENERIC = {
    "mscSlotHotSwapState": {4: 0, 7: 2, 0: 3},
    "mscSlotMainBoard": {4: 0, 6: 2, 1: 3},
    "mscSlotRole": {2: 0, 3: 0, 1: 3},
    "mscFanState": {1: 0, 2: 2, 3: 3, 4: 3},
    "mscSupplyState": {1: 0, 2: 2, 3: 3, 4: 3},
    "mscSensorCondition": {1: 0, 2: 1, 3: 2, 4: 2, 5: 3},
    "mssChannelWorking": {1: 0, 2: 2},
}
"""LibreNMS' view of a state: 0 is good, 1 to be looked at, 2 a fault, 3 unknown. What is not here is on its way: 1."""
_STATES = (
    ("mscSlotTable", "mscSlotHotSwapState", "Slot {{ $index }} hot swap", None),
    ("mscSlotTable", "mscSlotMainBoard", "Slot {{ $index }} main board", None),
    ("mscSlotTable", "mscSlotRole", "Slot {{ $index }} role", None),
    ("mscFanTable", "mscFanState", "{{ MEDIA-STATION-CHASSIS-MIB::mscFanName }}", "{{ $index }}"),
    ("mscSupplyTable", "mscSupplyState", "{{ MEDIA-STATION-CHASSIS-MIB::mscSupplyName }}", "{{ $index }}"),
    ("mscSensorTable", "mscSensorCondition", "{{ ENTITY-MIB::entPhysicalName }} limits", "{{ $index }}"),
    ("mssChannelTable", "mssChannelWorking", "I/O channel {{ MEDIA-STATION-STATION-MIB::mssChannelName }}", None),
)
"""The table that is walked, the column, what a row is called, and the entity it belongs to."""
_WATTS = (
    ("mscPowerGranted", "mscPowerGranted", "Granted to blades", "mscPowerBudget"),
    ("mscPowerBudget", "mscPowerBudget", "Budget", None),
    ("mscPowerObserved", "mscPowerObserved", "Drawn", "mscPowerBudget"),
    ("mscSlotTable", "mscSlotPowerObserved", "Slot {{ $index }}", None),
    ("mscSupplyTable", "mscSupplyOutput", "{{ MEDIA-STATION-CHASSIS-MIB::mscSupplyName }}", "mscSupplyCapacity"),
)
"""What is walked, the object, its name, and the object that is its limit; all of them in thousandths of a watt."""
_COUNTS = (
    ("mscBladesActive", "Blades in service"),
    ("msaActive", "Alarms"),
    ("mssPushStreams", "Streams"),
    ("mssDirectorSessions", "Sessions"),
    ("mssCopiesActive", "Copies under way"),
    ("msdPrograms", "Programs"),
    ("msdStations", "Stations"),
    ("msdStationsSilent", "Silent stations"),
    ("mshCentersAway", "Centers away"),
    ("mshOrdersOpen", "Open orders"),
)


def detection():
    """How LibreNMS knows our agents."""
    return {
        "os": "media-station",
        "text": "Media station",
        "type": "server",
        "icon": "generic",
        "mib_dir": "media-station",
        "discovery": [{"sysObjectID": [".1.3.6.1.4.1.8072.9999.9999.1.5."]}],
    }


def discovery():
    """What LibreNMS looks for."""
    modules = all_objects()
    qualified = {name: f"{module}::{name}" for module, known in modules.items() for name in known}
    objects = {name: facts for known in modules.values() for name, facts in known.items()}

    def table(name):
        """A table has the name of its module and of its entries."""
        entry = f"{name.removesuffix('Table')}Entry"
        return qualified[entry].removesuffix("Entry") + "Table" if entry in qualified else qualified[name]

    def sensor(walked, name, descr, **more):
        return {
            "oid": table(walked),
            "value": qualified[name],
            "num_oid": f".{objects[name]['oid']}.{{{{ $index }}}}",
            "descr": descr,
            "index": f"{name}.{{{{ $index }}}}",
            **{key: value for key, value in more.items() if value is not None},
        }

    states = [
        sensor(walked, name, descr, entPhysicalIndex=entity, state_name=name, states=_states(name, objects[name]))
        for walked, name, descr, entity in _STATES
    ]
    watts = [
        sensor(walked, name, descr, divisor=1000, high_limit=qualified.get(limit))
        for walked, name, descr, limit in _WATTS
    ]
    return {
        "modules": {
            "os": {
                "sysDescr_regex": r"/^media-station (?<features>[a-z ]+[a-z])( (?<version>\d[\w.]*))?$/",
                "hardware": "ENTITY-MIB::entPhysicalModelName.1",
                "serial": "ENTITY-MIB::entPhysicalSerialNum.1",
            },
            "sensors": {
                "additional_oids": {"data": [{"oid": ["ENTITY-MIB::entPhysicalName"]}]},
                "state": {"data": states},
                "power": {"data": watts},
                "count": {"data": [sensor(name, name, descr) for name, descr in _COUNTS]},
            },
        }
    }


def _states(name, facts):
    return [
        {"value": number, "generic": _GENERIC[name].get(number, 1), "graph": 1, "descr": text}
        for text, number in facts["names"].items()
    ]
