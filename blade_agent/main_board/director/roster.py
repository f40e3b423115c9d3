"""The engines that are enlisted: alive or not, how loaded, and which of them to choose (claim 18)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from media_network.address import Address
from media_network.messages.director import Enlist, Report


@dataclass(kw_only=True)
class EngineRecord:
    """What the director knows of one engine. Times are the event loop's, in seconds."""

    address: Address
    slot: int
    boot: str
    capacity_bps: int
    reported_at: float
    """When the last report was acknowledged."""
    acknowledged_before: float
    """When the report before that was acknowledged: the last one was sent after it."""
    promised_bps: int = 0
    """Rates of the sessions that were redirected or handed to it."""
    pull_bps: int = 0
    free_bytes: int = 0
    silent: bool = False
    """Reports are overdue, or somebody could not reach it: not chosen until it reports."""

    @property
    def load_bps(self) -> int:
        """What it sends, or soon will."""
        return max(self.promised_bps, self.pull_bps)


class Roster:
    """Enlisted engines by address."""

    def __init__(self) -> None:
        self._engines: dict[Address, EngineRecord] = {}

    def __iter__(self) -> Iterator[EngineRecord]:
        return iter(sorted(self._engines.values(), key=lambda engine: engine.slot))

    def __len__(self) -> int:
        return len(self._engines)

    def __contains__(self, address: Address) -> bool:
        return address in self._engines

    def get(self, address: Address) -> EngineRecord | None:
        """The record of an engine, or None."""
        return self._engines.get(address)

    def enlist(self, message: Enlist, address: Address, now: float) -> EngineRecord:
        """Enter an engine, or its new boot."""
        known = self._engines.get(address)
        record = EngineRecord(
            address=address,
            slot=message.slot,
            boot=message.boot,
            capacity_bps=message.capacity_bps,
            reported_at=now,
            acknowledged_before=now,
            promised_bps=known.promised_bps if known else 0,
        )
        self._engines[address] = record
        return record

    def report(self, message: Report, record: EngineRecord, now: float) -> None:
        """Take an engine's report."""
        record.acknowledged_before, record.reported_at = record.reported_at, now
        record.pull_bps = message.pull_bps
        record.free_bytes = message.free_bytes
        record.silent = False

    def strike(self, address: Address) -> None:
        """Take an engine off: its lease has run out."""
        self._engines.pop(address, None)

    def promise(self, address: Address, rate_bps: int) -> None:
        """Count a session's rate to an engine; negative to take it back."""
        record = self._engines.get(address)
        if record:
            record.promised_bps = max(0, record.promised_bps + rate_bps)

    def least_loaded(
        self, candidates: Iterable[Address], rate_bps: int, excluding: Iterable[Address] = ()
    ) -> EngineRecord | None:
        """The engine with the smallest share of its capacity in use that can carry `rate_bps` more, or None."""
        excluded = set(excluding)
        able = [
            engine
            for address in candidates
            if address not in excluded
            and (engine := self._engines.get(address)) is not None
            and not engine.silent
            and engine.load_bps + rate_bps <= engine.capacity_bps
        ]
        return min(able, key=lambda engine: (engine.load_bps / engine.capacity_bps, engine.slot), default=None)
