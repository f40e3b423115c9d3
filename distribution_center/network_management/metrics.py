"""Alarms and the last reading of every series, as Prometheus reads them (text format 0.0.4)."""

from collections.abc import Iterable, Iterator

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.component import Component, station_of
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
            labels = {
                "component": component.component,
                "kind": component.kind.value,
                "station": station_of(component.component),
            }
            yield _line("component_up", labels, health is Health.ANSWERING)
    yield from _head("alarm", "An alarm that is there, active or acknowledged: 1.")
    for alarm in alarms:
        cause = alarm.cause
        labels = {
            "component": alarm.about,
            "kind": cause.kind,
            "resource": alarm.resource,
            "severity": cause.severity.name.lower(),
            "state": alarm.state.value,
            "flapping": str(alarm.flapping).lower(),
        }
        yield _line("alarm", labels, value=1)
    by_metric: dict[str, list[Sample]] = {}
    for sample in samples:
        by_metric.setdefault(sample.metric, []).append(sample)
    stations = {component.component: station_of(component.component) for component, _ in known}
    for metric, found in sorted(by_metric.items()):
        name = _unabbreviated(metric)
        yield from _head(name, f"{name}, as last read.")
        for sample in found:
            labels = {"component": sample.component, "station": stations.get(sample.component, ""), "part": sample.part}
            yield _line(name, labels, sample.value)


def own_counters(*, polls: int, missed: int) -> Iterator[str]:
    """What the network management system counts of itself, in lines with their ends."""
    for name, meaning, value in (
        ("nms_polls_total", "Polls of agents since the start.", polls),
        ("nms_polls_missed_total", "Polls since the start that got no answer.", missed),
    ):
        yield f"# HELP {_PREFIX}{name} {meaning}\n# TYPE {_PREFIX}{name} counter\n{_PREFIX}{name} {value}\n"


def _unabbreviated(metric: str) -> str:
    """As Prometheus names rates."""
    return f"{metric}econd" if metric.endswith("_per_s") else metric


def _head(name: str, meaning: str) -> Iterator[str]:
    yield f"# HELP {_PREFIX}{name} {meaning}\n# TYPE {_PREFIX}{name} gauge\n"


def _line(name: str, labels: dict[str, str], value: float) -> str:
    written = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{_PREFIX}{name}{{{written}}} {float(value):.10g}\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
