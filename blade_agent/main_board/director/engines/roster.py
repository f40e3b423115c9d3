"""The engines that are enlisted: alive or not, how loaded, and which of them to choose (claim 18)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from media_network.address import Address
from media_network.messages.enlisting import Enlist, Report


class Heard(Enum):
    """What is heard of an engine."""

    REPORTING = auto()
    SILENT = auto()
    """Reports are overdue, or somebody could not reach it."""
    DEAD = auto()
    """Its process is gone; it was counted as lost."""


@dataclass(kw_only=True)
class EngineRecord:
    """What the director knows of one engine. Times are the event loop's, in seconds."""

    address: Address
    media: Address
    slot: int
    boot: str
    capacity_bps: int
    reported_at: float
    """When it was last heard: its enlistment, then its last report."""
    promised_bps: int = 0
    """Rates of the sessions that were redirected or handed to it."""
    pull_bps: int = 0
    free_bytes: int | None = None
    """As last reported; None before that."""
    streams: int = 0
    """As last reported."""
    draining: bool = False
    """It is chosen only for what no other engine has."""
    rounds_missed: int = 0
    """How often the director looked for a report in vain. Not a time: a director that was held up itself has heard
    nobody meanwhile."""
    heard: Heard = Heard.REPORTING

    @property
    def silent(self) -> bool:
        """Whether it is chosen for nothing until it reports."""
        return self.heard is not Heard.REPORTING

    def fall_silent(self) -> None:
        """It is overdue, or could not be reached. Of one that is dead nothing less is known now."""
        if self.heard is Heard.REPORTING:
            self.heard = Heard.SILENT

    @property
    def load_bps(self) -> int:
        """What it sends, or soon will."""
        return max(self.promised_bps, self.pull_bps)

    @property
    def load_share(self) -> float:
        """The share of its capacity that is in use."""
        return self.load_bps / max(1, self.capacity_bps)


class Roster:
    """Enlisted engines by address."""

    def __init__(self) -> None:
        self._engines: dict[Address, EngineRecord] = {}
        self._media: dict[Address, Address] = {}
        """Outlives the records: a session that has ended still names its last engine."""
        self._promised_bps: dict[Address, int] = {}
        """Outlives the records: sessions are charged to an engine until they have left it, enlisted or not."""

    def __iter__(self) -> Iterator[EngineRecord]:
        return iter(sorted(self._engines.values(), key=lambda engine: engine.slot))

    def __len__(self) -> int:
        return len(self._engines)

    def get(self, address: Address) -> EngineRecord | None:
        """The record of an engine, or None."""
        return self._engines.get(address)

    def media(self, address: Address) -> Address:
        """The media address of an engine that has enlisted once. Raises KeyError of any other."""
        return self._media[address]

    def enlist(self, message: Enlist, address: Address, media: Address, now: float) -> EngineRecord:
        """Enter an engine, or its new boot."""
        record = EngineRecord(
            address=address,
            media=media,
            slot=message.slot,
            boot=message.boot,
            capacity_bps=message.capacity_bps,
            reported_at=now,
            promised_bps=self._promised_bps.get(address, 0),
            streams=len(message.streams),
            draining=message.draining,
        )
        self._engines[address] = record
        self._media[address] = media
        return record

    def report(self, message: Report, record: EngineRecord, now: float) -> None:
        """Take an engine's report."""
        record.reported_at = now
        record.pull_bps = message.pull_bps
        record.free_bytes = message.free_bytes
        record.streams = len(message.streams)
        record.draining = message.draining
        record.rounds_missed = 0
        record.heard = Heard.REPORTING

    def strike(self, address: Address) -> None:
        """Take an engine off: its lease has run out."""
        self._engines.pop(address, None)

    def suspect(self, address: Address) -> None:
        """Somebody could not reach the engine."""
        if record := self._engines.get(address):
            record.fall_silent()

    def answers(self, address: Address, boot: str) -> bool:
        """Whether this boot of an engine is enlisted and not silent."""
        record = self._engines.get(address)
        return record is not None and record.boot == boot and not record.silent

    def knows(self, address: Address, boot: str) -> bool:
        """Whether this boot of an engine is enlisted."""
        record = self._engines.get(address)
        return record is not None and record.boot == boot

    def promise(self, address: Address, rate_bps: int) -> None:
        """Count a session's rate to an engine; negative to take it back."""
        promised_bps = self._promised_bps.pop(address, 0) + rate_bps
        if promised_bps:
            self._promised_bps[address] = promised_bps
        if record := self._engines.get(address):
            record.promised_bps = promised_bps

    def live(self, candidates: Iterable[Address], excluding: Collection[Address] = ()) -> list[EngineRecord]:
        """Those of the candidates that are enlisted and not silent."""
        records = (self._engines.get(address) for address in candidates if address not in excluding)
        return [record for record in records if record and not record.silent]

    def least_loaded(
        self,
        candidates: Iterable[Address],
        rate_bps: int,
        excluding: Collection[Address] = (),
        carrying: Collection[Address] = (),
    ) -> EngineRecord | None:
        """The engine with the smallest share of its capacity in use that can carry `rate_bps` more, or None.

        Those in `carrying` have the rate in their load already; of two alike, one that has it not is taken: the
        next segment comes from a second engine (claim 16).
        """
        live = self.live(candidates, excluding)
        # One that drains is asked only for what nobody else has.
        staying = [engine for engine in live if not engine.draining]
        able = [
            engine
            for engine in staying or live
            if engine.load_bps + (0 if engine.address in carrying else rate_bps) <= engine.capacity_bps
        ]
        return min(able, key=lambda engine: (engine.load_share, engine.address in carrying, engine.slot), default=None)
