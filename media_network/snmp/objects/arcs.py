"""Where modules register: the standard ones, and the one arc that all of ours are below."""

from media_network.snmp.ber import Oid

MIB_2: Oid = (1, 3, 6, 1, 2, 1)
SNMP_MODULES: Oid = (1, 3, 6, 1, 6, 3)

MEDIA_STATION: Oid = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1)
"""netSnmpPlaypen 1, until an enterprise number is assigned: the last line of mibs/MEDIA-STATION-MIB.txt."""

CHASSIS: Oid = (*MEDIA_STATION, 1, 1)
"""mediaStationChassisMIB, and so on."""
STATION: Oid = (*MEDIA_STATION, 2, 1)
CENTER: Oid = (*MEDIA_STATION, 3, 1)
ALARM: Oid = (*MEDIA_STATION, 4, 1)
HEADQUARTERS: Oid = (*MEDIA_STATION, 7, 1)

BLADE_PRODUCT: Oid = (*MEDIA_STATION, 5, 1)
MANAGER_PRODUCT: Oid = (*MEDIA_STATION, 5, 2)
CENTER_PRODUCT: Oid = (*MEDIA_STATION, 5, 3)
HEADQUARTERS_PRODUCT: Oid = (*MEDIA_STATION, 5, 4)
"""What an agent says it is, in sysObjectID."""

_PARTS: Oid = (*MEDIA_STATION, 6)
CHASSIS_PART: Oid = (*_PARTS, 1)
"""What a physical entity is, in entPhysicalVendorType; and so on below."""
SLOT_PART: Oid = (*_PARTS, 2)
SUPPLY_PART: Oid = (*_PARTS, 3)
FAN_PART: Oid = (*_PARTS, 4)
SENSOR_PART: Oid = (*_PARTS, 5)
BOARD_PART: Oid = (*_PARTS, 6)
CHANNEL_PART: Oid = (*_PARTS, 7)
PORT_PART: Oid = (*_PARTS, 8)
PROCESSOR_PART: Oid = (*_PARTS, 9)

NO_OBJECT: Oid = (0, 0)
"""zeroDotZero: an object identifier that points nowhere."""
