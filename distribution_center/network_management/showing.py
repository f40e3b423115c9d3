"""How components and alarms look to the page: JSON, field by field. No I/O."""

from typing import Any

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.cause import NO_ANSWER
from distribution_center.network_management.component import Component
from distribution_center.network_management.health import Colour, Health
from media_network.messages.registry import StationRow

_REPORTS_SHOWN = 20


def show_alarm(alarm: NetworkAlarm) -> dict[str, Any]:
    """What is told of the alarm of a number."""
    return {
        "component": alarm.about,
        "kind": alarm.cause.kind,
        "severity": alarm.cause.severity.name.lower(),
        "resource": alarm.resource,
        "text": _text_of(alarm),
        "reports": [f"{cause.component}: {cause.text or cause.kind}" for cause in alarm.causes[1 : _REPORTS_SHOWN + 1]],
        "more_reports": max(0, len(alarm.causes) - 1 - _REPORTS_SHOWN),
        "state": alarm.state,
        "flapping": alarm.flapping,
        "raised_at": alarm.raised_at,
        "changed_at": alarm.changed_at,
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_at": alarm.acknowledged_at,
        "comment": alarm.comment,
    }


def _text_of(alarm: NetworkAlarm) -> str:
    """What the most telling one says; of a station that is silent as a whole, that it is."""
    silent = [cause for cause in alarm.causes if cause.kind == NO_ANSWER]
    if alarm.cause.kind != NO_ANSWER or alarm.about == alarm.cause.component:
        return alarm.cause.text
    return f"Of {alarm.about} {len(silent)} agents do not answer."


def describe_alarm(alarm: NetworkAlarm) -> dict[str, Any]:
    """An alarm by itself, with its number."""
    return {"number": alarm.number, **show_alarm(alarm)}


def show_component(component: Component, own: Colour, worst: Colour, health: Health) -> dict[str, Any]:
    """What every component has; `worst` is the worst colour of itself and of what is in it."""
    return {
        "kind": component.kind,
        "label": component.label,
        "parent": component.parent,
        "slot": component.slot,
        "agent": str(component.agent) if component.agent else "",
        "colour": own,
        "worst": worst,
        "health": health,
    }


def show_station(row: StationRow, silent_since: float) -> dict[str, Any]:
    """What the registry says of a station. `silent_since`: seconds since 1970; 0 if its director speaks."""
    return {
        "director": row.director,
        "epoch": row.epoch,
        "engines": row.engines,
        "programs": row.programs,
        "home": row.home,
        "silent_since": silent_since,
    }


def show_readings(readings: dict[tuple[str, str], float]) -> dict[str, float]:
    """By metric: the hottest sensor stands for all, rates and streams are summed up."""
    shown: dict[str, float] = {}
    for (metric, _), reading in readings.items():
        value = round(reading, 3)
        if metric.endswith(("_c", "_rpm", "_v")):
            shown[metric] = max(shown.get(metric, value), value)
        else:
            shown[metric] = round(shown.get(metric, 0.0) + value, 3)
    return shown
