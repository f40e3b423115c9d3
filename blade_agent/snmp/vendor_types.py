"""entPhysicalVendorType: what a part is, as MEDIA-STATION-MIB registers it. No I/O."""

from blade_agent.snmp.entity_tree import EntityClass, PhysicalEntity, is_channel, is_manager
from media_network.snmp.ber import Oid
from media_network.snmp.objects.arcs import (
    BLADE_PRODUCT,
    BOARD_PART,
    CHANNEL_PART,
    CHASSIS_PART,
    FAN_PART,
    MANAGER_PRODUCT,
    PORT_PART,
    PROCESSOR_PART,
    SENSOR_PART,
    SLOT_PART,
    SUPPLY_PART,
)

_OF_CLASS = {
    EntityClass.CHASSIS: CHASSIS_PART,
    EntityClass.CONTAINER: SLOT_PART,
    EntityClass.POWER_SUPPLY: SUPPLY_PART,
    EntityClass.FAN: FAN_PART,
    EntityClass.SENSOR: SENSOR_PART,
    EntityClass.MODULE: BOARD_PART,
    EntityClass.PORT: PORT_PART,
    EntityClass.CPU: PROCESSOR_PART,
}


def vendor_type_of(entity: PhysicalEntity) -> Oid:
    """Of a blade and a manager it is what their agents say in sysObjectID."""
    if entity.blade is not None and entity.kind is EntityClass.MODULE:
        return BLADE_PRODUCT
    if is_manager(entity):
        return MANAGER_PRODUCT
    return CHANNEL_PART if is_channel(entity) else _OF_CLASS[entity.kind]
