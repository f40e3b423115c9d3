"""The modules that the agents implement, for sysORTable."""

from media_network.snmp.objects.arcs import ALARM, CHASSIS, MIB_2, SNMP_MODULES, STATION
from media_network.snmp.objects.system import ModuleFacts

_EVERYWHERE = (
    ModuleFacts((*SNMP_MODULES, 1), "SNMPv2-MIB (RFC 3418)"),
    ModuleFacts((*SNMP_MODULES, 10), "SNMP-FRAMEWORK-MIB (RFC 3411)"),
    ModuleFacts((*SNMP_MODULES, 11), "SNMP-MPD-MIB (RFC 3412)"),
    ModuleFacts((*SNMP_MODULES, 12), "SNMP-TARGET-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 13), "SNMP-NOTIFICATION-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 15), "SNMP-USER-BASED-SM-MIB (RFC 3414), read only"),
    ModuleFacts((*SNMP_MODULES, 16), "SNMP-VIEW-BASED-ACM-MIB (RFC 3415), read only"),
    ModuleFacts((*MIB_2, 31), "IF-MIB (RFC 2863)"),
    ModuleFacts((*MIB_2, 25, 7, 1), "HOST-RESOURCES-MIB (RFC 2790): system, storage, processors"),
    ModuleFacts((*MIB_2, 47), "ENTITY-MIB (RFC 6933)"),
    ModuleFacts((*MIB_2, 99), "ENTITY-SENSOR-MIB (RFC 3433)"),
    ModuleFacts((*MIB_2, 131), "ENTITY-STATE-MIB (RFC 4268)"),
    ModuleFacts((*MIB_2, 92), "NOTIFICATION-LOG-MIB (RFC 3014), read only"),
    ModuleFacts(ALARM, "MEDIA-STATION-ALARM-MIB"),
    ModuleFacts(CHASSIS, "MEDIA-STATION-CHASSIS-MIB"),
)
BLADE_MODULES = (*_EVERYWHERE, ModuleFacts(STATION, "MEDIA-STATION-STATION-MIB"))
MANAGER_MODULES = _EVERYWHERE
