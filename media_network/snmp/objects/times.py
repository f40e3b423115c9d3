"""Time as SNMP writes it: hundredths of a second since the agent started, and dates (RFC 2579)."""

import asyncio
import struct
import time
from collections.abc import Callable

_TICKS = 1 << 32


class Uptime:
    """The sysUpTime of an agent."""

    def __init__(self, now: Callable[[], float] | None = None) -> None:
        """Start counting. `now` gives seconds that never go back: the running event loop's, unless another is given."""
        self._now = now or asyncio.get_running_loop().time
        self._start = self._now()

    def ticks(self) -> int:
        """Hundredths of a second since the start, modulo 2^32."""
        return int((self._now() - self._start) * 100) % _TICKS


def wall_clock() -> float:
    """Seconds since 1970. Looked up at every call: a simulation puts its own date in place of `time.time`."""
    return time.time()


def date_and_time(wall_s: float) -> bytes:
    """Write a moment, seconds since 1970, as a DateAndTime of 11 octets with its zone: LibreNMS needs the zone."""
    moment = time.localtime(wall_s)
    offset_min = moment.tm_gmtoff // 60
    sign = b"-" if offset_min < 0 else b"+"
    hours, minutes = divmod(abs(offset_min), 60)
    tenths = int(wall_s % 1 * 10)
    seconds = min(moment.tm_sec, 60)
    date = struct.pack(
        ">HBBBBBB", moment.tm_year, moment.tm_mon, moment.tm_mday, moment.tm_hour, moment.tm_min, seconds, tenths
    )
    return date + sign + bytes((hours, minutes))
