"""The notifications of MEDIA-STATION-CHASSIS-MIB and MEDIA-STATION-STATION-MIB, and those of IF-MIB (RFC 2863),
ENTITY-MIB (RFC 6933) and ENTITY-STATE-MIB (RFC 4268), with what each of them carries.
"""

from blade_agent.snmp.entity_state import ADMIN
from blade_agent.snmp.sensor_scale import CONDITION, DATA_TYPE, PRECISION, SCALE, VALUE
from media_network.snmp.objects.arcs import CHASSIS, MIB_2, SNMP_MODULES, STATION
from media_network.snmp.objects.notification import Carried, NotificationType
from media_network.snmp.value import (
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OCTET_STRING,
    TRUTH_VALUE,
    enumerated,
)

HOT_SWAP_STATE = enumerated(
    m0NotInstalled=0,
    m1Inactive=1,
    m2ActivationRequest=2,
    m3ActivationInProgress=3,
    m4Active=4,
    m5DeactivationRequest=5,
    m6DeactivationInProgress=6,
    m7CommunicationLost=7,
)
BLADE_ROLE = enumerated(unassigned=1, director=2, engine=3)
PART_STATE = enumerated(working=1, failed=2, absent=3, unknown=4)
IF_ADMIN_STATUS = enumerated(up=1, down=2, testing=3)
IF_OPER_STATUS = enumerated(up=1, down=2, testing=3, unknown=4, dormant=5, notPresent=6, lowerLayerDown=7)

SLOT_ENTRY = (*CHASSIS, 1, 3, 1, 1)
FAN_ENTRY = (*CHASSIS, 1, 4, 1, 1)
SUPPLY_ENTRY = (*CHASSIS, 1, 4, 2, 1)
SENSOR_ENTRY = (*CHASSIS, 1, 4, 3, 1)
SESSION_ENTRY = (*STATION, 1, 3, 1)
CHANNEL_ENTRY = (*STATION, 1, 5, 1)
IF_ENTRY = (*MIB_2, 2, 2, 1)
STATE_ENTRY = (*MIB_2, 131, 1, 1, 1)
_PHYSICAL_NAME = Carried("entPhysicalName", (*MIB_2, 47, 1, 1, 1, 1, 7), DISPLAY_STRING)
_PHYSICAL_SENSOR = (*MIB_2, 99, 1, 1, 1)
_STATION = Carried("mscStation", (*CHASSIS, 1, 1, 1), OCTET_STRING, scalar=True)

HOT_SWAP_CHANGE = NotificationType(
    "mscHotSwapChange",
    (*CHASSIS, 0, 1),
    (
        _STATION,
        Carried("mscSlotHotSwapState", (*SLOT_ENTRY, 2), HOT_SWAP_STATE),
        Carried("mscSlotHotSwapBefore", (*SLOT_ENTRY, 3), HOT_SWAP_STATE),
        Carried("mscSlotRole", (*SLOT_ENTRY, 7), BLADE_ROLE),
    ),
)
ROLE_CHANGE = NotificationType(
    "mscRoleChange",
    (*CHASSIS, 0, 2),
    (
        _STATION,
        Carried("mscEpoch", (*CHASSIS, 1, 1, 2), GAUGE32, scalar=True),
        Carried("mscDirectorSlot", (*CHASSIS, 1, 1, 3), INTEGER32, scalar=True),
        Carried("mscSlotRole", (*SLOT_ENTRY, 7), BLADE_ROLE),
    ),
)
SENSOR_CHANGE = NotificationType(
    "mscSensorChange",
    (*CHASSIS, 0, 3),
    (
        _STATION,
        _PHYSICAL_NAME,
        Carried("entPhySensorType", (*_PHYSICAL_SENSOR, 1), DATA_TYPE),
        Carried("entPhySensorScale", (*_PHYSICAL_SENSOR, 2), SCALE),
        Carried("entPhySensorPrecision", (*_PHYSICAL_SENSOR, 3), PRECISION),
        Carried("entPhySensorValue", (*_PHYSICAL_SENSOR, 4), VALUE),
        Carried("mscSensorCondition", (*SENSOR_ENTRY, 1), CONDITION),
    ),
)
FAN_CHANGE = NotificationType(
    "mscFanChange", (*CHASSIS, 0, 4), (_STATION, _PHYSICAL_NAME, Carried("mscFanState", (*FAN_ENTRY, 2), PART_STATE))
)
SUPPLY_CHANGE = NotificationType(
    "mscSupplyChange",
    (*CHASSIS, 0, 5),
    (
        _STATION,
        _PHYSICAL_NAME,
        Carried("mscSupplyState", (*SUPPLY_ENTRY, 2), PART_STATE),
        Carried("mscPowerBudget", (*CHASSIS, 1, 2, 1), GAUGE32, scalar=True),
    ),
)
CHASSIS_NOTIFICATIONS = (HOT_SWAP_CHANGE, ROLE_CHANGE, SENSOR_CHANGE, FAN_CHANGE, SUPPLY_CHANGE)

SESSION_LOST = NotificationType(
    "mssSessionLost",
    (*STATION, 0, 1),
    (
        Carried("mssSessionProgram", (*SESSION_ENTRY, 4), OCTET_STRING),
        Carried("mssSessionConsole", (*SESSION_ENTRY, 5), DISPLAY_STRING),
        Carried("mssSessionEngineSlot", (*SESSION_ENTRY, 6), INTEGER32),
        Carried("mssSessionSegment", (*SESSION_ENTRY, 7), GAUGE32),
    ),
)
CHANNEL_FAILED = NotificationType(
    "mssChannelFailed",
    (*STATION, 0, 2),
    (
        Carried("mssChannelName", (*CHANNEL_ENTRY, 2), DISPLAY_STRING),
        Carried("mssChannelWorking", (*CHANNEL_ENTRY, 3), TRUTH_VALUE),
        Carried("mssChannelFailures", (*CHANNEL_ENTRY, 8), COUNTER64),
    ),
)
STATION_NOTIFICATIONS = (SESSION_LOST, CHANNEL_FAILED)

_LINK = (
    Carried("ifIndex", (*IF_ENTRY, 1), INTEGER32),
    Carried("ifAdminStatus", (*IF_ENTRY, 7), IF_ADMIN_STATUS),
    Carried("ifOperStatus", (*IF_ENTRY, 8), IF_OPER_STATUS),
)
LINK_DOWN = NotificationType("linkDown", (*SNMP_MODULES, 1, 1, 5, 3), _LINK)
LINK_UP = NotificationType("linkUp", (*SNMP_MODULES, 1, 1, 5, 4), _LINK)
_STATE = (
    Carried("entStateAdmin", (*STATE_ENTRY, 2), ADMIN),
    Carried("entStateAlarm", (*STATE_ENTRY, 5), OCTET_STRING),
)
ENTITY_ENABLED = NotificationType("entStateOperEnabled", (*MIB_2, 131, 0, 1), _STATE)
ENTITY_DISABLED = NotificationType("entStateOperDisabled", (*MIB_2, 131, 0, 2), _STATE)
CONFIG_CHANGE = NotificationType("entConfigChange", (*MIB_2, 47, 2, 0, 1))
STANDARD_NOTIFICATIONS = (LINK_DOWN, LINK_UP, ENTITY_ENABLED, ENTITY_DISABLED, CONFIG_CHANGE)
