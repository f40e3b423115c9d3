"""What a controller counts over all its starts: how long its board has been on, and since when its records are so."""

import logging
import zlib
from collections.abc import Sequence
from typing import Final

from msgspec import DecodeError, Struct, json

from blade_agent.cbc.clock import Clock
from blade_agent.kept_octets import KeptOctets

_KEEP_EVERY_S: Final = 3600.0
_MINUTE_S: Final = 60.0

logger = logging.getLogger(__name__)


class _Kept(Struct, kw_only=True):
    on_s: float = 0.0
    records: int = 0
    """What names the records."""
    records_at: int = 0
    """Seconds since 1970 when they came to be so."""


class Lifetime:
    """Time that goes on after a restart, where there is somewhere to keep it."""

    def __init__(self, clock: Clock, kept: KeptOctets | None) -> None:
        self._clock = clock
        self._store = kept
        self._kept = self._read()
        self._looked_s: float | None = None
        self._kept_on_s = self._kept.on_s

    def look(self, *, on: bool) -> None:
        """Count the time since the last look, if the board is on."""
        now_s = self._clock.now_s()
        if on and self._looked_s is not None:
            self._kept.on_s += now_s - self._looked_s
        self._looked_s = now_s
        if self._kept.on_s - self._kept_on_s >= _KEEP_EVERY_S:
            self._keep()

    @property
    def on_minutes(self) -> int:
        """How long the board has been on, in all."""
        return int(self._kept.on_s / _MINUTE_S)

    def records_since(self, records: Sequence[bytes], now: int) -> int:
        """Give since when the records are as they are: what is read once is not read again for a mere restart."""
        named = zlib.crc32(b"".join(records))
        if not self._kept.records_at or named != self._kept.records:
            self._kept.records, self._kept.records_at = named, now
            self._keep()
        return self._kept.records_at

    def _read(self) -> _Kept:
        if self._store is None:
            return _Kept()
        try:
            octets = self._store.read()
            return json.decode(octets, type=_Kept) if octets else _Kept()
        except (OSError, DecodeError) as error:
            logger.warning("what was counted before is not known: %s", error)
            return _Kept()

    def _keep(self) -> None:
        self._kept_on_s = self._kept.on_s
        if self._store is not None:
            try:
                self._store.keep(json.encode(self._kept))
            except OSError as error:
                logger.warning("what is counted is not kept: %s", error)
