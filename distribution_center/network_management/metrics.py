"""Alarms and the last reading of every series, as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterable, Iterator

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.component import Component
from distribution_center.network_management.health import Health
from distribution_center.network_management.history import Sample

_PREFIX = "media_station_"


def exposition(
    components: Iterable[tuple[Component, Health]], alarms: Iterable[NetworkAlarm], samples: Iterable[Sample]
) -> Iterator[str]:
    """Lines, each with its end."""
    known = list(components)
    yield from _head("component_up", "Whether a component's SNMP agent answers; 0 if it is silent or lost.")
    for component, health in known:
        if component.agent is not None:
            labels = {"component": component.component, "kind": component.kind.value, "station": station_of(component)}
            yield _line("component_up", labels, health is Health.ANSWERING)
    yield from _head("alarm", "An alarm that is active or acknowledged, 1; cleared and not yet acknowledged, 0.")
    for alarm in alarms:
        cause = alarm.cause
        labels = {
            "component": cause.component,
            "kind": cause.kind,
            "resource": cause.resource,
            "severity": cause.severity.name.lower(),
            "state": alarm.state.value,
            "flapping": str(alarm.flapping).lower(),
        }
        yield _line("alarm", labels, alarm.state.value != "cleared")
    by_metric: dict[str, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    stations = {component.component: station_of(component) for component, _ in known}
    for metric, found in sorted(by_metric.items()):
        yield from _head(metric, f"{metric}, as last read.")
        for sample in found:
            labels = {"component": sample.component, "station": stations.get(sample.component, ""), "part": sample.part}
            yield _line(metric, labels, sample.value)


def station_of(component: Component) -> str:
    """The station that a component belongs to; none of a center."""
    return component.component.partition("/")[0] if not component.component.startswith("@") else ""


def _head(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {meaning}\n# TYPE {_PREFIX}{name} gauge\n"


def _line(name: str, labels: dict[str, str], value: float) -> str:
    written = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{_PREFIX}{name}{{{written}}} {float(value):.10g}\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
