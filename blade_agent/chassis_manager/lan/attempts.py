"""Wrong passwords: counted, delayed, and logged no faster than somebody can read. No I/O."""

import logging
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

logger = logging.getLogger(__name__)

FIRST_DELAY_S = 0.5
LONGEST_DELAY_S = 30.0
_FORGET_S = 600.0
_MAX_HOSTS = 256
_LOG_INTERVAL_S = 1.0


class _Record(Struct):
    failures: int = 0
    last: float = 0.0
    until: float = 0.0


class Attempts:
    """Logins that failed, by host: each doubles the time in which that host's next steps are not answered."""

    def __init__(self, noted: Callable[[int], None] | None = None) -> None:
        """Take what is called at each wrong password, with how many there have been."""
        self.failures = 0
        """Wrong passwords in all."""
        self._noted = noted
        self._records: OrderedDict[str, _Record] = OrderedDict()
        self._log_from = 0.0
        self._unlogged = 0

    def delayed(self, host: str, now: float) -> bool:
        """Tell whether this host has to wait."""
        record = self._records.get(host)
        return record is not None and now < record.until

    def failed(self, host: str, name: str, now: float) -> None:
        """Note a wrong password."""
        self.failures += 1
        record = self._records.pop(host, None)
        if record is None or now - record.last > _FORGET_S:
            record = _Record()
        record.failures += 1
        record.last = now
        record.until = now + min(FIRST_DELAY_S * 2.0 ** min(record.failures - 1, 16), LONGEST_DELAY_S)
        self._records[host] = record
        if len(self._records) > _MAX_HOSTS:
            self._records.popitem(last=False)
        self._log(host, name, record.failures, now)
        if self._noted is not None:
            self._noted(self.failures)

    def succeeded(self, host: str) -> None:
        """Forget a host's failures: somebody knew the password."""
        self._records.pop(host, None)

    def _log(self, host: str, name: str, failures: int, now: float) -> None:
        if now < self._log_from:
            self._unlogged += 1
            return
        logger.warning(
            "login as %r from %s failed, %d in a row from there (%d other failures not logged)",
            name,
            host,
            failures,
            self._unlogged,
        )
        self._log_from = now + _LOG_INTERVAL_S
        self._unlogged = 0
