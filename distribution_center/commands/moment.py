"""A moment as a person writes it: `2026-12-24T20:00`, with or without a zone, or `+90m` from now."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_FROM_NOW = re.compile(r"\+(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LAST_MS = 250_000_000_000_000
"""A calendar ends with the year 9999."""
_LEGAL = "Write 2026-12-24T20:00 (this machine's zone), 2026-12-24T20:00+01:00, 2026-12-24T19:00Z, or +30s, +90m, +7d."


class Moment(click.ParamType[int]):
    """Milliseconds since 1970, UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """See `click.ParamType`."""
        if isinstance(value, int):
            return value
        if found := _FROM_NOW.fullmatch(value):
            moment = datetime.now(UTC) + timedelta(**{_UNITS[found[2]]: int(found[1])})
        else:
            try:
                moment = datetime.fromisoformat(value)
                if moment.tzinfo is None:
                    moment = moment.astimezone()
            except (ValueError, OverflowError):
                self.fail(f"{value[:40]!r} is no time. {_LEGAL}", param, ctx)
        if moment.timestamp() < 0:
            self.fail(f"{value} is before 1970. {_LEGAL}", param, ctx)
        return int(moment.timestamp() * 1000)


def in_words(moment_ms: int) -> str:
    """A moment in this machine's zone."""
    if moment_ms >= _LAST_MS:
        return "the end of time"
    return datetime.fromtimestamp(moment_ms / 1000).astimezone().isoformat(sep=" ", timespec="minutes")
