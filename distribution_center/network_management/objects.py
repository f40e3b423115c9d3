"""What is asked of which component: objects of our modules (mibs/) and of ENTITY-SENSOR-MIB, by name."""

from typing import TypeAlias

from msgspec import Struct

from distribution_center.network_management.component import Kind
from media_network.snmp.ber import Oid
from media_network.snmp.objects.arcs import ALARM, CENTER, CHASSIS, HEADQUARTERS, MIB_2, SNMP_MODULES, STATION
from media_network.snmp.question import Value

Row: TypeAlias = dict[str, Value]


class Table(Struct, frozen=True):
    """Columns of a table, or of several with the same index."""

    columns: dict[str, Oid]


class Sight(Struct, frozen=True):
    """All that one poll asks for."""

    scalars: dict[str, Oid]
    tables: dict[str, Table]
    rarely: dict[str, Table]
    """Asked at the first poll, and again after a while: what a thing is called."""


class Looked(Struct):
    """What a component said of itself in a poll: only what it has."""

    scalars: dict[str, Value]
    tables: dict[str, dict[Oid, Row]]
    """Rows by index by table."""


def _scalars(group: Oid, **numbers: int) -> dict[str, Oid]:
    return {name: (*group, number, 0) for name, number in numbers.items()}


def _table(entry: Oid, **numbers: int) -> Table:
    return Table({name: (*entry, number) for name, number in numbers.items()})


_UPTIME = {"sysUpTime": (*MIB_2, 1, 3, 0), "snmpEngineID": (*SNMP_MODULES, 10, 2, 1, 1, 0)}
_ALARMS = _table(
    (*ALARM, 1, 2, 1), msaAlarmKind=2, msaAlarmSeverity=3, msaAlarmSlot=4, msaAlarmResource=6, msaAlarmText=7
)
_SENSORS = Table(
    {
        "entPhySensorValue": (*MIB_2, 99, 1, 1, 1, 4),
        "entPhySensorOperStatus": (*MIB_2, 99, 1, 1, 1, 5),
    }
)
_NAMES = Table(
    {
        "entPhysicalName": (*MIB_2, 47, 1, 1, 1, 1, 7),
        "entPhySensorType": (*MIB_2, 99, 1, 1, 1, 1),
        "entPhySensorScale": (*MIB_2, 99, 1, 1, 1, 2),
        "entPhySensorPrecision": (*MIB_2, 99, 1, 1, 1, 3),
    }
)
_SLOTS = _table(
    (*CHASSIS, 1, 3, 1, 1),
    mscSlotHotSwapState=2,
    mscSlotAdminState=5,
    mscSlotRole=7,
    mscSlotMainBoard=9,
    mscSlotAddress=11,
    mscSlotPowerObserved=15,
    mscSlotStreams=16,
)
_CHASSIS = _scalars((*CHASSIS, 1, 1), mscStation=1, mscEpoch=2, mscDirectorSlot=3, mscSlotCount=4, mscBladesActive=5)
_POWER = _scalars((*CHASSIS, 1, 2), mscPowerBudget=1, mscPowerGranted=2, mscPowerObserved=3)
_DIRECTOR = _scalars(
    (*STATION, 1, 1),
    mssDirectorEngines=1,
    mssDirectorSessions=4,
    mssDirectorRedirects=8,
    mssDirectorHandOvers=10,
    mssDirectorReplications=12,
)
_ENGINES = _table((*STATION, 1, 2, 1), mssEngineAddress=3)
_STORE = _scalars((*STATION, 1, 4), mssStoreSegments=1, mssStoreBytes=2, mssStoreFree=3)
_CHANNELS = _table(
    (*STATION, 1, 5, 1), mssChannelName=2, mssChannelWorking=3, mssChannelReadBytes=5, mssChannelWrittenBytes=7
)
_WORK = _scalars(
    (*STATION, 1, 6),
    mssPullRequests=1,
    mssPullBytes=3,
    mssPushStreams=4,
    mssPushBytes=7,
    mssCopiesActive=13,
    mssCopiesFailed=15,
    mssCapacity=17,
)
_CENTER = _scalars(
    (*CENTER, 1, 1),
    msdName=1,
    msdPrograms=3,
    msdProgramsPublished=4,
    msdStations=5,
    msdStationsSilent=6,
    msdLocations=7,
)

_HEADQUARTERS = _scalars((*HEADQUARTERS, 1, 1), mshCenters=1, mshCentersAway=2, mshPrograms=3)
_ORDERS = _scalars((*HEADQUARTERS, 1, 2), mshOrdersOpen=1)

SEEN: dict[Kind, Sight] = {
    Kind.HEADQUARTERS: Sight(_UPTIME | _HEADQUARTERS | _ORDERS, {"alarms": _ALARMS}, {}),
    Kind.CENTER: Sight(_UPTIME | _CENTER, {"alarms": _ALARMS}, {}),
    Kind.CHASSIS: Sight(
        _UPTIME | _CHASSIS | _POWER, {"slots": _SLOTS, "sensors": _SENSORS, "alarms": _ALARMS}, {"names": _NAMES}
    ),
    Kind.BLADE: Sight(
        _UPTIME | _DIRECTOR | _STORE | _WORK,
        {"channels": _CHANNELS, "engines": _ENGINES, "sensors": _SENSORS, "alarms": _ALARMS},
        {"names": _NAMES},
    ),
}
"""A station has no agent of its own."""
