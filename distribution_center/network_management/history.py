"""History: every series in four rings of fixed length, and the alarms. A file whose size has an end.

A sample goes into all rings at once: raw ones, and the mean, least and greatest of a minute, a quarter of an hour and
an hour. A ring's slot is written over when its time comes round again, so that nothing has to be deleted.
"""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import apsw
import msgspec

from distribution_center.network_management.alarms import AlarmState, NetworkAlarm
from media_network.os_trouble import in_words
from media_network.sqlite_file import set_damaged_aside, sqlite_in_words


class Ring(NamedTuple):
    """How far back a ring reaches, and how finely."""

    step_s: int
    slots: int

    @property
    def span_s(self) -> int:
        """How far back it reaches."""
        return self.step_s * self.slots


RINGS = (Ring(10, 720), Ring(60, 1440), Ring(900, 2880), Ring(3600, 8784))
"""2 h as polled, a day by minutes, 30 days by quarters of an hour, a year by hours."""

_VERSION = 2
_TABLES = """
CREATE TABLE series (
    number INTEGER PRIMARY KEY,
    component TEXT NOT NULL,
    metric TEXT NOT NULL,
    part TEXT NOT NULL,
    UNIQUE (component, metric, part)
) STRICT;
CREATE TABLE samples (
    series INTEGER NOT NULL,
    ring INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    total REAL NOT NULL,
    least REAL NOT NULL,
    greatest REAL NOT NULL,
    PRIMARY KEY (series, ring, slot)
) STRICT, WITHOUT ROWID;
"""
_ALARMS = """
CREATE TABLE alarms (
    number INTEGER PRIMARY KEY,
    alarm BLOB NOT NULL,
    about TEXT NOT NULL,
    over INTEGER NOT NULL,
    raised_at REAL NOT NULL,
    changed_at REAL NOT NULL
) STRICT;
CREATE INDEX alarms_by_end ON alarms (changed_at) WHERE over;
"""
_BEFORE = {0: _TABLES + _ALARMS, 1: f"DROP TABLE alarms; {_ALARMS}"}
"""What makes an older file one of this version. In version 1 one event was several alarms: they are told anew."""
_ALARMS_KEPT = 10_000
_NEW = "excluded.at <> samples.at"
_ADD = f"""
INSERT INTO samples VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?5)
ON CONFLICT DO UPDATE SET
    count = CASE WHEN {_NEW} THEN 1 ELSE count + 1 END,
    total = CASE WHEN {_NEW} THEN excluded.total ELSE total + excluded.total END,
    least = CASE WHEN {_NEW} THEN excluded.least ELSE min(least, excluded.least) END,
    greatest = CASE WHEN {_NEW} THEN excluded.greatest ELSE max(greatest, excluded.greatest) END,
    at = excluded.at
"""  # noqa: S608 -- of constants


class Sample(NamedTuple):
    """One reading of one series."""

    component: str
    metric: str
    """With its unit: `temperature_c`, `sent_bps`."""
    part: str
    """Of the component, if there are several: a sensor, a channel."""
    value: float


class Point(NamedTuple):
    """What a series was in one slot of a ring."""

    at: int
    mean: float
    least: float
    greatest: float


class HistoryError(Exception):
    """The file cannot be used, for instance because another release wrote it."""


class History:
    """May be used by several threads, which wait for each other."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a damaged one is set aside. Raises `HistoryError`."""
        self._lock = threading.Lock()
        try:
            set_damaged_aside(Path(path), "the history begins anew", expected=False)
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(2000)
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", "normal")
            version = self._connection.pragma("user_version")
            if version in _BEFORE:
                with self._connection:
                    self._connection.execute(_BEFORE[version])
                    self._connection.pragma("user_version", _VERSION)
        except apsw.Error as error:
            raise HistoryError(f"{path}: {sqlite_in_words(error)}") from error
        except OSError as error:
            raise HistoryError(f"{path}: {in_words(error)}") from error
        if version not in {*_BEFORE, _VERSION}:
            raise HistoryError(f"{path} has version {version} and this release {_VERSION}: remove it, or move it away")
        self._series: dict[tuple[str, str, str], int] = {
            (component, metric, part): number
            for number, component, metric, part in self._connection.execute(
                "SELECT number, component, metric, part FROM series"
            )
        }

    def close(self) -> None:
        """Let go of the file, when whoever is still writing has finished."""
        with self._lock:
            self._connection.close()

    def add(self, samples: Iterable[Sample], alarms: Iterable[NetworkAlarm], at: float) -> None:
        """Keep what was read at a moment, seconds since 1970, and alarms that changed. Raises `apsw.Error`."""
        with self._lock, self._connection:
            rows = [
                (number, ring, int(at) // step_s % slots, int(at) // step_s * step_s, float(sample.value))
                for sample in samples
                for number in [self._number(sample)]
                for ring, (step_s, slots) in enumerate(RINGS)
            ]
            self._connection.executemany(_ADD, rows)
            self._connection.executemany(
                "INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?, ?, ?)", [_row(alarm) for alarm in alarms]
            )
            self._connection.execute(
                "DELETE FROM alarms WHERE over AND number < (SELECT max(number) FROM alarms) - ?", (_ALARMS_KEPT,)
            )

    def graph(self, component: str, metric: str, since: float, until: float) -> dict[str, list[Point]]:
        """Points of a component's series by part, from the finest ring that reaches back so far."""
        return self._points(
            "SELECT part, at, total / count, least, greatest FROM series JOIN samples ON series = number"
            " WHERE component = ? AND metric = ? AND ring = ? AND at BETWEEN ? AND ? ORDER BY part, at",
            (component, metric, _ring(since, until), int(since), int(until)),
        )

    def graph_together(
        self, components: Sequence[str], metric: str, since: float, until: float
    ) -> dict[str, list[Point]]:
        """The same of several components, one line each: of temperatures the highest, of all else the sum."""
        of = "max" if metric == "temperature_c" else "sum"
        return self._points(
            f"SELECT component, at, {of}(total / count), {of}(least), {of}(greatest)"  # noqa: S608 -- one of two words
            " FROM series JOIN samples ON series = number WHERE component IN (SELECT value FROM json_each(?))"
            " AND metric = ? AND ring = ? AND at BETWEEN ? AND ? GROUP BY component, at ORDER BY component, at",
            (msgspec.json.encode(components).decode(), metric, _ring(since, until), int(since), int(until)),
        )

    def _points(self, sql: str, values: tuple[str | int, ...]) -> dict[str, list[Point]]:
        found: dict[str, list[Point]] = {}
        with self._lock:
            for line, *point in self._connection.execute(sql, values):
                found.setdefault(line, []).append(Point(*point))
        return found

    def alarms(self) -> tuple[list[NetworkAlarm], int]:
        """Alarms that are not cleared, and the number that the next one gets."""
        with self._lock:
            kept = self._connection.execute("SELECT alarm FROM alarms WHERE NOT over")
            alarms = [msgspec.json.decode(alarm, type=NetworkAlarm) for (alarm,) in kept]
            last = self._connection.execute("SELECT coalesce(max(number), 0) FROM alarms").fetchone()
        return alarms, int(last[0]) + 1 if last else 1

    def past_alarms(self, since: float, until: float, most: int, component: str = "") -> list[NetworkAlarm]:
        """Alarms that are cleared and had been there at some moment of a span, the one cleared last first.

        `component`: only those about it, and what is in it.
        """
        with self._lock:
            rows = self._connection.execute(
                "SELECT alarm FROM alarms WHERE over AND changed_at >= ?1 AND raised_at <= ?2"
                " AND (?3 = '' OR about = ?3 OR substr(about, 1, length(?3) + 1) = ?3 || '/')"
                " ORDER BY changed_at DESC, number DESC LIMIT ?4",
                (since, until, component, most),
            )
            return [msgspec.json.decode(alarm, type=NetworkAlarm) for (alarm,) in rows]

    def _number(self, sample: Sample) -> int:
        key = (sample.component, sample.metric, sample.part)
        number = self._series.get(key)
        if number is None:
            self._connection.execute("INSERT INTO series (component, metric, part) VALUES (?, ?, ?)", key)
            number = self._series[key] = self._connection.last_insert_rowid()
        return number


def _ring(since: float, until: float) -> int:
    """The finest ring that reaches back so far."""
    return next((ring for ring, each in enumerate(RINGS) if each.span_s >= until - since), len(RINGS) - 1)


def _row(alarm: NetworkAlarm) -> tuple[int, bytes, str, bool, float, float]:
    over = alarm.state is AlarmState.CLEARED
    return alarm.number, msgspec.json.encode(alarm), alarm.about, over, alarm.raised_at, alarm.changed_at
