"""Which components there are: stations from the registries, blades from chassis managers and directors. No I/O."""

from collections.abc import Iterable, Mapping

from distribution_center.network_management.component import (
    HEADQUARTERS_ID,
    Component,
    Kind,
    blade_id,
    center_id,
    chassis_id,
    station_id,
)
from distribution_center.network_management.readings import SlotView
from distribution_center.network_management.settings import NmsSettings
from media_network.address import Address
from media_network.messages.registry import StationRow
from media_network.snmp.settings import UserSettings

_IN_SERVICE = frozenset({"M2", "M3", "M4", "M5", "M6", "M7"})


class Discovered:
    """What has been found so far. It only grows from answers: a registry that is away takes nothing off the map."""

    def __init__(self, settings: NmsSettings) -> None:
        self._settings = settings
        self.stations: dict[str, tuple[str, StationRow]] = {}
        """By id: the center that knows a station, and what it says."""
        self._chassis = {
            station_id(name, station): (name, Address.parse(agent))
            for name, center in settings.watched.items()
            for station, agent in center.chassis.items()
        }
        """By station: its center, and the agent of its chassis manager."""
        self._users: dict[Address, UserSettings] = {}
        """Whom an agent answers."""
        self.slots: dict[str, tuple[SlotView, ...]] = {}
        """By station, as its chassis manager says."""
        self._engines: dict[str, dict[int, str]] = {}
        """Hosts by slot by station, as its director says."""
        self._hosts: dict[str, str] = {}
        """Last known host by blade: a blade that is lost has none, and is looked for where it was."""

    def user_of(self, agent: Address) -> UserSettings:
        """Whom an agent answers."""
        return self._users.get(agent, self._settings.user)

    def registry_said(self, center: str, rows: Iterable[StationRow]) -> None:
        """All stations of a center, by its name."""
        named = {station_id(center, row.station): (center, row) for row in rows}
        self.stations = {name: seen for name, seen in self.stations.items() if seen[0] != center} | named

    def chassis_said(self, station: str, slots: Iterable[SlotView]) -> None:
        """What a chassis manager sees."""
        self.slots[station] = tuple(slots)

    def director_said(self, station: str, engines: Mapping[int, str]) -> None:
        """Which engines a station has; says nothing if its blade is no director."""
        if engines:
            self._engines[station] = dict(engines)

    def components(self) -> list[Component]:
        """All that there is, parents first."""
        found = self._headquarters()
        found += [self._center(name, center.address) for name, center in self._settings.watched.items()]
        for station in sorted(self.stations.keys() | self._chassis.keys()):
            found += self.station(station)
        return found

    def said_of(self, station: str) -> tuple[object, ...]:
        """What is known of which blades a station has: while it is the same, they are."""
        slots = self.slots.get(station, ())
        return tuple((each.slot, each.hot_swap, each.host) for each in slots), self._engines.get(station)

    def station(self, station: str) -> list[Component]:
        """One station and what it consists of."""
        center = self._center_of(station)
        found = [Component(component=station, kind=Kind.STATION, label=station, parent=self._id_of(center))]
        if station in self._chassis:
            agent = self._answering(center, self._chassis[station][1])
            chassis = chassis_id(station)
            found.append(
                Component(component=chassis, kind=Kind.CHASSIS, label=f"{station} chassis", parent=station, agent=agent)
            )
        return found + [self._blade(station, slot) for slot in self._blades(station)]

    def _headquarters(self) -> list[Component]:
        """The one there is, if any."""
        if self._settings.headquarters is None:
            return []
        agent = Address.parse(self._settings.headquarters)
        return [Component(component=HEADQUARTERS_ID, kind=Kind.HEADQUARTERS, label="headquarters", agent=agent)]

    def _center(self, name: str, address: str) -> Component:
        agent = self._answering(name, self._settings.agent_of(Address.parse(address).host))
        return Component(component=self._id_of(name), kind=Kind.CENTER, label=name or address, agent=agent)

    def _id_of(self, center: str) -> str:
        """Of a center, by its name, or by its address where it has none."""
        watched = self._settings.watched.get(center)
        return center_id(center or (watched.address if watched else ""))

    def _center_of(self, station: str) -> str:
        """Name of the center that a station belongs to."""
        if station in self.stations:
            return self.stations[station][0]
        return self._chassis[station][0] if station in self._chassis else ""

    def _answering(self, center: str, agent: Address) -> Address:
        """Note whom an agent answers."""
        if center in self._settings.watched:
            self._users[agent] = self._settings.user_at(center)
        return agent

    def _blades(self, station: str) -> list[int]:
        """Slots with a blade in service: one that was taken out is missed by nobody."""
        slots = self.slots.get(station)
        if slots is not None:
            for each in slots:
                if each.host:
                    self._hosts[blade_id(station, each.slot)] = each.host
            return [
                each.slot
                for each in slots
                if each.hot_swap in _IN_SERVICE and blade_id(station, each.slot) in self._hosts
            ]
        engines = dict(self._engines.get(station, {}))
        for slot, host in engines.items():
            self._hosts[blade_id(station, slot)] = host
        seen = self.stations.get(station)
        director = Address.parse(seen[1].director).host if seen else ""
        if director and director not in engines.values():
            engines[_DIRECTORS_SLOT] = director
            self._hosts[blade_id(station, _DIRECTORS_SLOT)] = director
        return sorted(engines)

    def _blade(self, station: str, slot: int) -> Component:
        blade = blade_id(station, slot)
        return Component(
            component=blade,
            kind=Kind.BLADE,
            label=f"{station} slot {slot}" if slot else f"{station} director",
            parent=station,
            slot=slot,
            agent=self._answering(self._center_of(station), self._settings.agent_of(self._hosts[blade])),
        )


_DIRECTORS_SLOT = 0
"""Where no chassis manager says in which slot the director is."""
