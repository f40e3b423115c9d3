"""The network as it was last seen: what the page shows and `/metrics` exports. No I/O."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from distribution_center.network_management.alarms import AlarmList, NetworkAlarm
from distribution_center.network_management.cause import NO_ANSWER, AlarmSeverity, AlarmSource, Cause
from distribution_center.network_management.component import Component, Kind, called, station_of
from distribution_center.network_management.discovery import Discovered
from distribution_center.network_management.health import WORST_FIRST, Colour, Health, Reachability, colour
from distribution_center.network_management.history import Sample
from distribution_center.network_management.objects import Looked, Row
from distribution_center.network_management.readings import PolledCounters, causes, engines, samples, slots, text
from distribution_center.network_management.showing import show_component, show_readings, show_station
from media_network.messages.registry import StationRow
from media_network.snmp.ber import Oid

_SHOWN_SCALARS = (
    *("mscEpoch", "mscDirectorSlot", "mscSlotCount"),
    *("msdPrograms", "msdProgramsPublished", "msdLocations"),
    *("mshCenters", "mshCentersAway", "mshPrograms", "mshOrdersOpen"),
)


_STATION_SPEAKS_S = 15.0
"""A director registers every few seconds."""


class _Seen(Struct):
    """What is remembered of a component that has an agent."""

    reachability: Reachability
    counters: PolledCounters
    names: dict[Oid, Row]
    scalars: dict[str, int]
    last: dict[tuple[str, str], float]
    name: str = ""
    """What it calls itself."""
    reason: str = ""
    """Why it did not answer."""
    heard_at: float = 0.0
    """Seconds since 1970; 0 if it never answered."""


class NetworkChanges(Struct):
    """What is to be shown anew. Things that are gone may have been there never."""

    components: dict[str, dict[str, Any]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    alarms: list[NetworkAlarm] = field(default_factory=list)


class Network:
    """Components, their health, alarms and last readings."""

    def __init__(self, found: Discovered, alarms: AlarmList, lost_after_s: float) -> None:
        self.found = found
        self.alarms = alarms
        self._lost_after_s = lost_after_s
        self.components: dict[str, Component] = {}
        self._parts: dict[str, dict[str, Component]] = {}
        """Chassis and blades by station."""
        self._seen: dict[str, _Seen] = {}
        self._silent_since: dict[str, float] = {}
        """By station: the moment, seconds since 1970."""
        self._touched: dict[str, None] = {}
        self._news = NetworkChanges(alarms=list(alarms))

    def registry_said(self, center: str, rows: Iterable[StationRow], wall: float) -> None:
        """All stations of a center."""
        before = dict(self.found.stations)
        self.found.registry_said(center, rows)
        for name in before.keys() | self.found.stations.keys():
            _, row = self.found.stations.get(name, ("", None))
            if row is None or self._health_of(row) is Health.ANSWERING:
                self._silent_since.pop(name, None)
            else:
                self._silent_since.setdefault(name, wall - row.silent_ms / 1000)
            self._touched[name] = None

    def rediscover(self, now: float, wall: float) -> list[NetworkAlarm]:
        """Take in all that was found; gives alarms of components that are gone, which are cleared."""
        return self._replace(self.components, self.found.components(), now, wall)

    def rediscover_station(self, station: str, now: float, wall: float) -> list[NetworkAlarm]:
        """Take in what was found in one station."""
        own = {station: self.components[station]} if station in self.components else {}
        return self._replace(own | self._parts.get(station, {}), self.found.station(station), now, wall)

    def answered(self, name: str, looked: Looked, now: float, wall: float) -> tuple[list[Sample], list[NetworkAlarm]]:
        """A component answered a poll; gives what is to be kept."""
        component, seen = self.components.get(name), self._seen.get(name)
        if component is None or seen is None:
            return [], []  # it has been removed meanwhile
        seen.reachability.answered(now)
        seen.reason, seen.heard_at = "", wall
        seen.names = looked.tables.get("names", seen.names)
        found = samples(component, looked, seen.names, seen.counters, now)
        seen.last = {(sample.metric, sample.part): sample.value for sample in found}
        seen.scalars = {key: value for key in _SHOWN_SCALARS if isinstance(value := looked.scalars.get(key), int)}
        seen.name = text(looked.scalars.get("msdName"))
        if component.kind is Kind.CHASSIS:
            self.found.chassis_said(component.parent, slots(looked))
        if component.kind is Kind.BLADE:
            self.found.director_said(component.parent, engines(looked))
        self._touched[name] = None
        news = self.alarms.take(name, AlarmSource.AGENT, causes(component, looked), wall)
        return found, self._tell(news + self.alarms.take(name, AlarmSource.NMS, (), wall))

    def missed(self, name: str, reason: str, now: float, wall: float) -> list[NetworkAlarm]:
        """A component did not answer a poll; gives alarms that are news."""
        seen = self._seen.get(name)
        if seen is None:
            return []
        seen.reachability.missed(now, self._lost_after_s)
        seen.reason = reason
        self._touched[name] = None
        if seen.reachability.health is not Health.LOST:
            return []
        cause = Cause(
            component=name,
            source=AlarmSource.NMS,
            kind=NO_ANSWER,
            severity=AlarmSeverity.CRITICAL,
            text=f"{called(self.components[name], seen.name)} does not answer: {reason}",
        )
        within = station_of(name) if self._is_silent(station_of(name)) else ""
        return self._tell(self.alarms.take(name, AlarmSource.NMS, [cause], wall, within=within))

    def acknowledge(self, numbers: Iterable[int], person: str, comment: str, wall: float) -> list[NetworkAlarm]:
        """A person has seen alarms; gives those that there are."""
        return self._tell(self.alarms.acknowledge(numbers, person, comment, wall))

    def settle(self, wall: float) -> list[NetworkAlarm]:
        """Clear what flapped and has been quiet since; gives alarms that are news."""
        return self._tell(self.alarms.settle(wall))

    def agents_in(self, station: str) -> set[str]:
        """Components of a station that have an agent."""
        return {name for name, part in self._parts.get(station, {}).items() if part.agent is not None}

    def blades_of(self, station: str) -> list[str]:
        """By name."""
        return [name for name, part in self._parts.get(station, {}).items() if part.kind is Kind.BLADE]

    def names_known(self, name: str) -> bool:
        """Whether what a component's sensors are called has been asked."""
        seen = self._seen.get(name)
        return bool(seen and seen.names)

    def health(self, name: str) -> Health:
        """Of a component with an agent; a station answers if its director speaks to the registry."""
        seen = self._seen.get(name)
        if seen:
            return seen.reachability.health
        known = self.found.stations.get(name)
        return Health.UNKNOWN if known is None else self._health_of(known[1])

    def samples(self) -> Iterable[Sample]:
        """The last reading of every series of what answers."""
        for name, seen in self._seen.items():
            if seen.reachability.health is Health.ANSWERING:
                for (metric, part), value in seen.last.items():
                    yield Sample(name, metric, part, value)

    def take_changes(self) -> NetworkChanges:
        """What is to be shown anew since this was asked last: the first time, everything."""
        touched, self._touched = self._touched, {}
        changes, self._news = self._news, NetworkChanges()
        for name in list(touched):
            station = station_of(name)
            if station in self.components:
                touched[station] = None
        changes.components = {name: self._show(self.components[name]) for name in touched if name in self.components}
        return changes

    def _replace(
        self, before: dict[str, Component], found: Iterable[Component], now: float, wall: float
    ) -> list[NetworkAlarm]:
        after = {each.component: each for each in found}
        news = [alarm for name in before.keys() - after.keys() for alarm in self._forget(name, wall)]
        for name, component in after.items():
            if before.get(name) == component:
                continue
            self.components[name] = component
            if component.kind in {Kind.CHASSIS, Kind.BLADE}:
                self._parts.setdefault(component.parent, {})[name] = component
            if component.agent is not None and name not in self._seen:
                self._seen[name] = _Seen(Reachability(heard_at=now), PolledCounters(), {}, {}, {})
            self._touched[name] = None
            self._news.gone.discard(name)
        return self._tell(news)

    def _forget(self, name: str, wall: float) -> list[NetworkAlarm]:
        component = self.components.pop(name)
        self._parts.get(component.parent, {}).pop(name, None)
        self._parts.pop(name, None)
        self._seen.pop(name, None)
        self._news.gone.add(name)
        self._touched[component.parent] = None
        return [alarm for source in AlarmSource for alarm in self.alarms.take(name, source, (), wall)]

    def _tell(self, news: list[NetworkAlarm]) -> list[NetworkAlarm]:
        self._news.alarms += news
        for alarm in news:
            self._touched[alarm.about] = None
        return news

    def _is_silent(self, station: str) -> bool:
        """Whether none of a station's agents answers, if there are several."""
        parts = self._parts.get(station, {})
        return len(parts) > 1 and not any(self.health(name) is Health.ANSWERING for name in parts)

    def _health_of(self, row: StationRow) -> Health:
        silent_s = row.silent_ms / 1000
        if silent_s < _STATION_SPEAKS_S:
            return Health.ANSWERING
        return Health.SILENT if silent_s < self._lost_after_s + _STATION_SPEAKS_S else Health.LOST

    def _colour(self, name: str) -> Colour:
        return colour(self.health(name), self.alarms.worst_of(name))

    def _worst(self, component: Component) -> Colour:
        """Of a station, whatever it consists of, and what is missing in it."""
        name = component.component
        if component.kind is not Kind.STATION:
            return self._colour(name)
        colours = [self._colour(each) for each in (name, *self._parts.get(name, {}))]
        colours.append(colour(Health.ANSWERING, self.alarms.worst_in(name)))
        return min(colours, key=WORST_FIRST.index)

    def _show(self, component: Component) -> dict[str, Any]:
        name = component.component
        seen = self._seen.get(name)
        health = self.health(name)
        shown = show_component(component, self._colour(name), self._worst(component), health)
        if seen is not None:
            shown |= {"called": seen.name, "reason": seen.reason, "scalars": seen.scalars}
            shown |= {"last": show_readings(seen.last)}
            shown |= {"heard_at": 0 if health is Health.ANSWERING else seen.heard_at}
        if component.kind is Kind.STATION and name in self.found.stations:
            shown["station"] = show_station(self.found.stations[name][1], round(self._silent_since.get(name, 0.0)))
        if component.kind is Kind.CHASSIS:
            shown["slots"] = self.found.slots.get(component.parent, ())
        return shown
