"""The network as it was last seen: what the page shows and `/metrics` exports. No I/O."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from distribution_center.network_management.alarms import AlarmList, AlarmSeverity, AlarmSource, Cause, NetworkAlarm
from distribution_center.network_management.component import Component, Kind
from distribution_center.network_management.discovery import Discovered
from distribution_center.network_management.health import WORST_FIRST, Colour, Health, Reachability, colour
from distribution_center.network_management.history import Sample
from distribution_center.network_management.objects import Looked, Row
from distribution_center.network_management.readings import PolledCounters, causes, engines, samples, slots, text
from media_network.snmp.ber import Oid

_SHOWN_SCALARS = ("mscEpoch", "mscDirectorSlot", "mscSlotCount", "msdPrograms", "msdProgramsPublished", "msdLocations")


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


class Network:
    """Components, their health, alarms and last readings."""

    def __init__(self, found: Discovered, alarms: AlarmList, lost_after_s: float) -> None:
        self.found = found
        self.alarms = alarms
        self._lost_after_s = lost_after_s
        self.components: dict[str, Component] = {}
        self._seen: dict[str, _Seen] = {}

    def rediscover(self, now: float, wall: float) -> list[NetworkAlarm]:
        """Take in what was found; gives alarms of components that are gone, which are cleared."""
        self.components = {each.component: each for each in self.found.components()}
        gone = self._seen.keys() - self.components.keys()
        news = [alarm for name in gone for source in AlarmSource for alarm in self.alarms.take(name, source, (), wall)]
        for name in gone:
            del self._seen[name]
        for name, component in self.components.items():
            if component.agent is not None and name not in self._seen:
                self._seen[name] = _Seen(Reachability(heard_at=now), PolledCounters(), {}, {}, {})
        return news

    def answered(self, name: str, looked: Looked, now: float, wall: float) -> tuple[list[Sample], list[NetworkAlarm]]:
        """A component answered a poll; gives what is to be kept."""
        component, seen = self.components.get(name), self._seen.get(name)
        if component is None or seen is None:
            return [], []  # it has been removed meanwhile
        seen.reachability.answered(now)
        seen.reason = ""
        seen.names = looked.tables.get("names", seen.names)
        found = samples(component, looked, seen.names, seen.counters, now)
        seen.last = {(sample.metric, sample.part): sample.value for sample in found}
        seen.scalars = {key: value for key in _SHOWN_SCALARS if isinstance(value := looked.scalars.get(key), int)}
        seen.name = text(looked.scalars.get("msdName"))
        if component.kind is Kind.CHASSIS:
            self.found.chassis_said(component.parent, slots(looked))
        if component.kind is Kind.BLADE:
            self.found.director_said(component.parent, engines(looked))
        news = self.alarms.take(name, AlarmSource.AGENT, causes(component, looked), wall)
        return found, news + self.alarms.take(name, AlarmSource.NMS, (), wall)

    def missed(self, name: str, reason: str, now: float, wall: float) -> list[NetworkAlarm]:
        """A component did not answer a poll; gives alarms that are news."""
        seen = self._seen.get(name)
        if seen is None:
            return []
        seen.reachability.missed(now, self._lost_after_s)
        seen.reason = reason
        if seen.reachability.health is not Health.LOST:
            return []
        cause = Cause(
            component=name,
            source=AlarmSource.NMS,
            kind="no answer",
            severity=AlarmSeverity.CRITICAL,
            text=f"{name} does not answer: {reason}",
        )
        return self.alarms.take(name, AlarmSource.NMS, [cause], wall)

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
        if known is None:
            return Health.UNKNOWN
        silent_s = known[1].silent_ms / 1000
        if silent_s < _STATION_SPEAKS_S:
            return Health.ANSWERING
        return Health.SILENT if silent_s < self._lost_after_s + _STATION_SPEAKS_S else Health.LOST

    def samples(self) -> Iterable[Sample]:
        """The last reading of every series of what answers."""
        for name, seen in self._seen.items():
            if seen.reachability.health is Health.ANSWERING:
                for (metric, part), value in seen.last.items():
                    yield Sample(name, metric, part, value)

    def picture(self) -> dict[str, dict[str, Any]]:
        """Every component as the page shows it, by name."""
        worst_alarm = self.alarms.worst()
        shown = {
            name: self._show(component, colour(self.health(name), worst_alarm.get(name)))
            for name, component in self.components.items()
        }
        for name, component in reversed(self.components.items()):  # parts before what they are parts of
            if component.parent in shown and component.kind is not Kind.STATION:
                worst = min(shown[component.parent]["worst"], shown[name]["worst"], key=WORST_FIRST.index)
                shown[component.parent]["worst"] = worst
        return shown

    def _show(self, component: Component, own: Colour) -> dict[str, Any]:
        name = component.component
        seen = self._seen.get(name)
        shown: dict[str, Any] = {
            "component": name,
            "kind": component.kind,
            "label": component.label,
            "name": seen.name if seen else "",
            "parent": component.parent,
            "slot": component.slot,
            "colour": own,
            "worst": own,
            "health": self.health(name),
            "reason": seen.reason if seen else "",
            "agent": str(component.agent) if component.agent else "",
            "scalars": seen.scalars if seen else {},
            "last": _last(seen.last) if seen and seen.reachability.health is Health.ANSWERING else {},
        }
        if component.kind is Kind.STATION and name in self.found.stations:
            row = self.found.stations[name][1]
            shown["station"] = {
                "director": row.director,
                "epoch": row.epoch,
                "engines": row.engines,
                "programs": row.programs,
                "home": row.home,
                "silent_s": row.silent_ms // 1000,
            }
        if component.kind is Kind.CHASSIS:
            shown["slots"] = self.found.slots.get(component.parent, ())
        return shown


def _last(readings: dict[tuple[str, str], float]) -> dict[str, float]:
    """By metric: the hottest sensor stands for all, rates and streams are summed up."""
    shown: dict[str, float] = {}
    for (metric, _), reading in readings.items():
        value = round(reading, 3)
        if metric.endswith(("_c", "_rpm", "_v")):
            shown[metric] = max(shown.get(metric, value), value)
        else:
            shown[metric] = round(shown.get(metric, 0.0) + value, 3)
    return shown
