"""All that a chassis manager shows: the chassis, and each of its blades in a context of its own."""

from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.hardware.machine import MachineFigures
from blade_agent.snmp.chassis import ChassisObjects
from blade_agent.snmp.entity import AgentFacts, EntityObjects, LogicalEntity
from blade_agent.snmp.entity_tree import BLADE, PhysicalEntity, blade_entities, chassis_entities, module_number
from blade_agent.snmp.host import HostObjects
from blade_agent.snmp.sources import ChassisPicture, SlotOrders, SlotPicture
from media_network.callback import do_nothing
from media_network.snmp.agent import Agent
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.arcs import BLADE_PRODUCT, CHASSIS
from media_network.snmp.objects.system import SystemFacts, SystemObjects
from media_network.snmp.objects.target_objects import transport_address


class ManagerObjects:
    """All that a chassis manager shows: the chassis, and each of its blades by context too."""

    def __init__(self, agent: Agent, slots: tuple[int, ...], orders: SlotOrders | None) -> None:
        identity = agent.service.engine.security.identity
        address = agent.service.address
        self._entities = EntityObjects(
            agent.uptime,
            tell=agent.tell,
            logical=[
                LogicalEntity(
                    number=slot,
                    description=f"Blade in slot {slot}",
                    context=context_of(slot),
                    entity=module_number(slot),
                )
                for slot in slots
            ],
            agent=AgentFacts(
                engine_id=identity.engine_id,
                address=transport_address(address.host, address.port),
                logical_type=CHASSIS,
            ),
        )
        self._chassis = ChassisObjects(
            uptime=agent.uptime,
            alarms=agent.alarms,
            tell=agent.tell,
            entities=self._entities,
            tree=chassis_entities,
            entity_of=module_number,
            orders=orders,
        )
        self._host = HostObjects(agent.uptime, agent.tell)
        for provider in (self._entities, self._chassis, self._host):
            agent.index.add(provider)
        self._blades = {slot: _BladeContext(agent, slot, orders) for slot in slots}

    def update(self, picture: ChassisPicture) -> None:
        """Show the chassis like this from now on. Takes it in memory, and tells what is new."""
        self._chassis.update(picture)
        for slot in picture.slots:
            if slot.slot in self._blades:
                self._blades[slot.slot].update(picture, slot)

    def show_machine(self, figures: MachineFigures) -> None:
        """Show the machine like this from now on."""
        self._host.update(figures)


class _BladeContext:
    """One blade of a chassis, in a context of its own: what the chassis manager knows, numbered as the blade does."""

    def __init__(self, agent: Agent, slot: int, orders: SlotOrders | None) -> None:
        self._picture: ChassisPicture | None = None
        # What happens to a blade is told once, for the chassis.
        entities = EntityObjects(agent.uptime, tell=do_nothing)
        alarms = Alarms(agent.uptime, do_nothing)
        self._chassis = ChassisObjects(
            uptime=agent.uptime,
            alarms=alarms,
            tell=do_nothing,
            entities=entities,
            tree=_blade_tree,
            entity_of=lambda _: BLADE,
            orders=orders,
            whole=False,
        )
        facts = SystemFacts(
            description=f"The blade in slot {slot}, as its chassis manager knows it",
            product=BLADE_PRODUCT,
            name=lambda: f"{self._picture.station}-blade-{slot}" if self._picture else "",
        )
        for provider in (SystemObjects(facts, agent.uptime, ()), entities, self._chassis, alarms):
            agent.index.add(provider, context_of(slot))

    def update(self, chassis: ChassisPicture, slot: SlotPicture) -> None:
        """Show the blade like this; what its line counts moves all the time, and changes nothing else."""
        still = replace(slot, asked=None)
        picture = ChassisPicture(
            station=chassis.station, epoch=chassis.epoch, director=chassis.director, slots=(still,)
        )
        if picture == self._picture:
            self._chassis.count(slot)
        else:
            self._picture = picture
            self._chassis.update(replace(picture, slots=(slot,)))


def context_of(slot: int) -> bytes:
    """Name of the context in which a chassis manager shows one blade."""
    return f"blade{slot}".encode()


def _blade_tree(picture: ChassisPicture) -> tuple[PhysicalEntity, ...]:
    """The blade of the one slot; nothing if the slot is empty."""
    return tuple(
        entity
        for slot in picture.slots
        if slot.hot_swap is not HotSwapState.M0_NOT_INSTALLED
        for entity in blade_entities(slot)
    )
