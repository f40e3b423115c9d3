"""Alarms and graphs as files: JSON, and CSV (RFC 4180) that a spreadsheet takes for text and numbers only. No I/O."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.history import Point
from distribution_center.network_management.showing import describe_alarm

Graphs = Mapping[str, Mapping[str, Iterable[Point]]]
"""Points by part by metric."""
_MOMENTS = frozenset({"raised_at", "changed_at", "acknowledged_at"})
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_ALARM_COLUMNS = (
    "number",
    "component",
    "kind",
    "severity",
    "resource",
    "text",
    "state",
    "flapping",
    "raised_at",
    "changed_at",
    "acknowledged_by",
    "acknowledged_at",
    "comment",
    "reports",
)


def alarms_as_csv(alarms: Iterable[NetworkAlarm]) -> str:
    """One a line, times as ISO 8601 in UTC."""
    shown = (describe_alarm(alarm) for alarm in alarms)
    return _csv(_ALARM_COLUMNS, ([_cell(name, alarm[name]) for name in _ALARM_COLUMNS] for alarm in shown))


def graphs_as_csv(component: str, graphs: Graphs) -> str:
    """One point a line, times as ISO 8601 in UTC."""
    columns = ("component", "metric", "part", "at", "mean", "least", "greatest")
    rows = (
        [_text(component), metric, _text(part), _moment(point.at), point.mean, point.least, point.greatest]
        for metric, parts in graphs.items()
        for part, points in parts.items()
        for point in points
    )
    return _csv(columns, rows)


def _csv(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


def _cell(column: str, value: Any) -> object:
    if column in _MOMENTS:
        return _moment(value) if value else ""
    if isinstance(value, list):
        return _text("; ".join(value))
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
