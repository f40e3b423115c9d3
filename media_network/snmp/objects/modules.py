"""The modules that every agent implements, for sysORTable: each agent adds its own."""

from media_network.snmp.objects.arcs import ALARM, MIB_2, SNMP_MODULES
from media_network.snmp.objects.system import ModuleFacts

COMMON_MODULES = (
    ModuleFacts((*SNMP_MODULES, 1), "SNMPv2-MIB (RFC 3418)"),
    ModuleFacts((*SNMP_MODULES, 10), "SNMP-FRAMEWORK-MIB (RFC 3411)"),
    ModuleFacts((*SNMP_MODULES, 11), "SNMP-MPD-MIB (RFC 3412)"),
    ModuleFacts((*SNMP_MODULES, 12), "SNMP-TARGET-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 13), "SNMP-NOTIFICATION-MIB (RFC 3413), read only"),
    ModuleFacts((*SNMP_MODULES, 15), "SNMP-USER-BASED-SM-MIB (RFC 3414), read only"),
    ModuleFacts((*SNMP_MODULES, 16), "SNMP-VIEW-BASED-ACM-MIB (RFC 3415), read only"),
    ModuleFacts((*MIB_2, 92), "NOTIFICATION-LOG-MIB (RFC 3014), read only"),
    ModuleFacts(ALARM, "MEDIA-STATION-ALARM-MIB"),
)
