"""Dates and lengths of time, in the ways that metadata write them."""

import re
from datetime import date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

_CLOCK = re.compile(r"(\d{1,3}):([0-5]?\d)(?::([0-5]?\d(?:\.\d{1,9})?))?")
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?")
_SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,9})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Moment(NamedTuple):
    """A moment, and what had to be supposed."""

    at_ms: int
    """Since 1970, UTC."""
    zone_supposed: bool = False


def moment(text: str, zone: tzinfo, *, end_of_day: bool) -> Moment:
    """Read a date, or a date with a time; without a zone it is `zone`'s.

    A bare date is the beginning of its day or, as the end of something, the end of it: that day counts. Raises
    ValueError, with a sentence.
    """
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=end_of_day)
            moment, supposed = datetime.combine(day, time(), zone), True
        else:
            moment = datetime.fromisoformat(text)
            supposed = moment.tzinfo is None
            moment = moment.replace(tzinfo=zone) if supposed else moment
        at_ms = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no date (2026-12-24, 2026-12-24T20:00:00)") from None
    if at_ms < 0:
        raise ValueError(f"{text[:40]!r} is before 1970")
    return Moment(at_ms, supposed)


def run_time_ms(text: str) -> int:
    """Read `01:02:03`, `01:02` (hours and minutes), `PT1H2M3S`, or seconds. Raises ValueError, with a sentence."""
    if found := _CLOCK.fullmatch(text):
        hours, minutes, seconds = int(found[1]), int(found[2]), float(found[3] or 0)
        return round((hours * 3600 + minutes * 60 + seconds) * 1000)
    if (found := _DURATION.fullmatch(text)) and any(found.groups()):
        days, hours, minutes = (int(found[number] or 0) for number in (1, 2, 3))
        return round((days * 86_400 + hours * 3600 + minutes * 60 + float(found[4] or 0)) * 1000)
    if _SECONDS.fullmatch(text):
        return round(float(text) * 1000)
    raise ValueError(f"{text[:40]!r} is no run time (01:02:03, PT1H2M3S)")
