"""The modules that the agents implement, for sysORTable."""

from media_network.snmp.objects.arcs import CHASSIS, MIB_2, STATION
from media_network.snmp.objects.modules import COMMON_MODULES
from media_network.snmp.objects.system import ModuleFacts

MANAGER_MODULES = (
    *COMMON_MODULES,
    ModuleFacts((*MIB_2, 31), "IF-MIB (RFC 2863)"),
    ModuleFacts((*MIB_2, 25, 7, 1), "HOST-RESOURCES-MIB (RFC 2790): system, storage, processors"),
    ModuleFacts((*MIB_2, 47), "ENTITY-MIB (RFC 6933)"),
    ModuleFacts((*MIB_2, 99), "ENTITY-SENSOR-MIB (RFC 3433)"),
    ModuleFacts((*MIB_2, 131), "ENTITY-STATE-MIB (RFC 4268)"),
    ModuleFacts(CHASSIS, "MEDIA-STATION-CHASSIS-MIB"),
)
BLADE_MODULES = (*MANAGER_MODULES, ModuleFacts(STATION, "MEDIA-STATION-STATION-MIB"))
