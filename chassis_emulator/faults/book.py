"""The faults that are on now: what came when, and when it ends by itself. Does no I/O; times are the event loop's."""

from collections.abc import Iterable

from msgspec import Struct

from chassis_emulator.faults.kinds import AnyFault, facts_of, kind_of


class FaultEntry(Struct, frozen=True, kw_only=True):
    """A fault that is on."""

    id: str
    """Names it as long as it lasts, and no other fault of this network ever."""
    fault: AnyFault
    since: float
    until: float | None
    """None: until somebody clears it."""


class FaultRow(Struct, frozen=True, kw_only=True):
    """A fault that is on, as `faults --json` shows it."""

    id: str
    kind: str
    target: str
    since_s: float
    """How long it has been on."""
    until_s: float | None
    """How long it will be on; null until somebody clears it."""
    facts: dict[str, object]
    """How badly, by the names of the kind's options."""


class FaultBook:
    """All faults that are on, the oldest first."""

    def __init__(self) -> None:
        self._entries: dict[str, FaultEntry] = {}
        self._last = 0

    @property
    def entries(self) -> tuple[FaultEntry, ...]:
        """Those that are on."""
        return tuple(self._entries.values())

    @property
    def next_end(self) -> float | None:
        """When the next one ends by itself."""
        return min((entry.until for entry in self.entries if entry.until is not None), default=None)

    def begin(self, fault: AnyFault, now: float, for_s: float | None) -> FaultEntry:
        """Enter a fault."""
        self._last += 1
        until = None if for_s is None else now + for_s
        entry = FaultEntry(id=f"fault-{self._last}", fault=fault, since=now, until=until)
        self._entries[entry.id] = entry
        return entry

    def clear(self, ids: Iterable[str]) -> tuple[FaultEntry, ...]:
        """Strike these out; those that are on no more are no mistake. Returns what was struck out."""
        return tuple(self._entries.pop(name) for name in tuple(ids) if name in self._entries)

    def expire(self, now: float) -> tuple[FaultEntry, ...]:
        """Strike out what has ended by itself."""
        return self.clear(entry.id for entry in self.entries if entry.until is not None and entry.until <= now)


def row_of(entry: FaultEntry, now: float) -> FaultRow:
    """Show an entry as it is now."""
    return FaultRow(
        id=entry.id,
        kind=kind_of(entry.fault),
        target=entry.fault.target,
        since_s=round(now - entry.since, 3),
        until_s=None if entry.until is None else round(max(0.0, entry.until - now), 3),
        facts=facts_of(entry.fault),
    )
