"""All that a blade shows beside what every agent does."""

from blade_agent.hardware.machine import MachineFigures
from blade_agent.snmp.chassis import ChassisObjects
from blade_agent.snmp.entity import EntityObjects
from blade_agent.snmp.entity_tree import BLADE, PhysicalEntity, PhysicalPort, blade_entities
from blade_agent.snmp.host import HostObjects
from blade_agent.snmp.sources import BladeFigures, ChassisPicture, SlotOrders
from blade_agent.snmp.station import StationObjects
from media_network.snmp.agent import Agent


class BladeObjects:
    """All that a blade shows beside what every agent does."""

    def __init__(self, agent: Agent, orders: SlotOrders | None) -> None:
        self._figures: BladeFigures | None = None
        self._ports: tuple[PhysicalPort, ...] = ()
        self._machine_read = False
        self._entities = EntityObjects(agent.uptime, tell=agent.tell)
        self._entities.settled = False
        self._chassis = ChassisObjects(
            uptime=agent.uptime,
            alarms=agent.alarms,
            tell=agent.tell,
            entities=self._entities,
            tree=self._tree,
            entity_of=lambda _: BLADE,
            orders=orders,
            whole=False,
        )
        self._station = StationObjects(agent.alarms, agent.tell)
        self._host = HostObjects(agent.uptime, agent.tell)
        for provider in (self._entities, self._chassis, self._station, self._host):
            agent.index.add(provider)

    def update(self, figures: BladeFigures) -> None:
        """Show the blade like this from now on. Takes it in memory, and tells what is new."""
        self._figures = figures
        self._chassis.update(figures.as_chassis())
        self._entities.settled = self._machine_read
        self._station.update(figures)

    def show_machine(self, figures: MachineFigures) -> None:
        """Show the machine like this from now on."""
        self._host.update(figures)
        self._machine_read = True
        self._ports = tuple(PhysicalPort(one.name, one.number) for one in figures.interfaces if not one.loopback)

    def _tree(self, picture: ChassisPicture) -> tuple[PhysicalEntity, ...]:
        channels = tuple(channel.name for channel in self._figures.main_board.channels) if self._figures else ()
        return tuple(entity for slot in picture.slots for entity in blade_entities(slot, channels, self._ports))
