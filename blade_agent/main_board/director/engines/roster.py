"""The engines that are enlisted: alive or not, how loaded, and which of them to choose (claim 18)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from msgspec import Struct

from blade_agent.main_board.director.engines.charges import Charges
from blade_agent.main_board.director.engines.fetching import Fetching
from blade_agent.main_board.director.engines.in_flight import InFlight
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
    charges: Charges = field(repr=False)
    """What the sessions of the station ask of its engines."""
    in_flight: InFlight = field(default_factory=InFlight, repr=False)
    """What copies ask of them."""
    fetched_bps: int = 0
    """What others fetched from it over its last interval than players that were redirected there."""
    free_bytes: int | None = None
    """As last reported; None before that."""
    stored_bytes: int | None = None
    """What its segments take, as last reported; None before that."""
    streams: int = 0
    """As last reported."""
    rtsp: Address | None = None
    """Where players speak RTSP to it; None: nowhere."""
    draining: bool = False
    """It is chosen only for what no other engine has."""
    rounds_missed: int = 0
    """How often the director looked for a report in vain. Not a time: a director that was held up itself has heard
    nobody meanwhile."""
    heard: Heard = Heard.REPORTING
    knows_until: int = 0
    """All changes of the catalogue up to this number are known to it."""
    untold: bool = False
    """The catalogue has changed since it was told last, or it was told in vain."""
    told_again_at: float = 0.0
    """It is not told again before."""
    being_told: bool = False
    certificate: str = ""
    """By which it has shown last who it is (`x5t#S256`); empty: nobody shows that."""

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
        return self.charges.room_bps(self.address) + self.fetched_bps + self.in_flight.bps(self.address)

    def has_room_for(self, rate_bps: int) -> bool:
        """Whether it may send so much more."""
        return self.load_bps + rate_bps <= self.capacity_bps

    @property
    def load_share(self) -> float:
        """The share of its capacity that is in use."""
        return self.load_bps / max(1, self.capacity_bps)


class StationReadings(NamedTuple):
    """What the engines that stay, and are heard, have to offer together."""

    load: float
    """The share of what they may send that is in use: 1 where there is nobody."""
    free_bps: int
    """What each may still send, together."""
    free_bytes: int | None
    """Room for segments; None until an engine has said."""
    stored_bytes: int | None
    """What their segments take together; None until an engine has said."""


class WantedTurn(Struct, frozen=True, kw_only=True):
    """What an engine is chosen for. Times are the event loop's, in seconds."""

    session: str
    """What it asks of engines already is no load for itself."""
    rate_bps: int
    begins_at: float
    ends_at: float
    now: float

    @property
    def half_s(self) -> float:
        """Half of how long it lasts."""
        return max(0.001, (self.ends_at - self.begins_at) / 2)


class Roster:
    """Enlisted engines by address."""

    def __init__(self) -> None:
        self.charges = Charges()
        """What the sessions ask of engines, enlisted or not."""
        self.fetching = Fetching()
        self.in_flight = InFlight()
        """What copies do."""
        self._engines: dict[Address, EngineRecord] = {}
        self._media: dict[Address, Address] = {}
        """Outlives the records: a session that has ended still names its last engine."""

    def __iter__(self) -> Iterator[EngineRecord]:
        return iter(sorted(self._engines.values(), key=lambda engine: engine.slot))

    def __len__(self) -> int:
        return len(self._engines)

    def is_host_of(self, host: str) -> bool:
        """Whether a blade of the station asks, for a player that speaks RTSP to it: that sees to where streams go."""
        return any(engine.address.host == host for engine in self._engines.values())

    def get(self, address: Address) -> EngineRecord | None:
        """The record of an engine, or None."""
        return self._engines.get(address)

    def at_media(self, media: str) -> Address | None:
        """The engine that consoles and other engines fetch from there; None: it is none of the station's."""
        return next((engine.address for engine in self._engines.values() if str(engine.media) == media), None)

    def media(self, address: Address) -> Address:
        """The media address of an engine that has enlisted once. Raises KeyError of any other."""
        return self._media[address]

    def enlist(self, message: Enlist, address: Address, media: Address, now: float) -> EngineRecord:
        """Enter an engine, or its new boot. Raises ValueError where it speaks RTSP at no address."""
        record = EngineRecord(
            address=address,
            media=media,
            slot=message.slot,
            boot=message.boot,
            capacity_bps=message.capacity_bps,
            reported_at=now,
            charges=self.charges,
            in_flight=self.in_flight,
            streams=len(message.streams),
            rtsp=Address.parse(message.rtsp) if message.rtsp else None,
            draining=message.draining,
        )
        self._engines[address] = record
        self._media[address] = media
        return record

    def report(self, message: Report, record: EngineRecord, now: float) -> None:
        """Take an engine's report."""
        record.fetched_bps = self.fetching.by_others_bps(record.address, message.pull_bps, record.reported_at, now)
        record.reported_at = now
        record.free_bytes = message.free_bytes
        record.stored_bytes = message.stored_bytes
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

    def is_live(self, address: Address) -> bool:
        """Whether an engine is enlisted and not silent."""
        record = self._engines.get(address)
        return record is not None and record.heard is Heard.REPORTING

    def has_live(self, candidates: Iterable[Address]) -> bool:
        """Whether one of the candidates is."""
        return any(map(self.is_live, candidates))

    def live(self, candidates: Iterable[Address], excluding: Collection[Address] = ()) -> list[EngineRecord]:
        """Those of the candidates that are enlisted and not silent."""
        records = map(self._engines.get, [one for one in candidates if one not in excluding])
        return [record for record in records if record and record.heard is Heard.REPORTING]

    def readings(self) -> StationReadings:
        """What there is at present, as engines and sessions say it."""
        offering = [engine for engine in self._engines.values() if not engine.silent and not engine.draining]
        capacity_bps = sum(engine.capacity_bps for engine in offering)
        used_bps = sum(min(engine.load_bps, engine.capacity_bps) for engine in offering)
        return StationReadings(
            load=used_bps / capacity_bps if capacity_bps else 1.0,
            free_bps=capacity_bps - used_bps,
            free_bytes=_together(engine.free_bytes for engine in offering),
            stored_bytes=_together(engine.stored_bytes for engine in offering),
        )

    def least_loaded(
        self, candidates: Iterable[Address], wanted: WantedTurn, excluding: Collection[Address] = ()
    ) -> EngineRecord | None:
        """The engine that will have the smallest share of its capacity in use when a turn begins, and has room for it.

        Of two alike, one that fewer leave together with this one is taken, for those that leave together herd where
        they come to; then one that the session is not at: the next segment comes from a second engine (claim 16).
        """
        live = self.live(candidates, excluding)
        # One that drains is asked only for what nobody else has.
        staying = [engine for engine in live if not engine.draining]
        able = [engine for engine in staying or live if self._has_room(engine, wanted)]
        if len(able) <= 1:
            return next(iter(able), None)
        return min(able, key=lambda engine: self._order(engine, wanted))

    def would_carry(self, engine: EngineRecord, rate_bps: int, without: Collection[str]) -> bool:
        """Whether an engine has room for another stream when these sessions are not there."""
        taken_bps = self.charges.room_bps(engine.address, *without) + engine.fetched_bps
        return taken_bps + rate_bps <= engine.capacity_bps

    def with_room(self, wanted: WantedTurn) -> list[EngineRecord]:
        """The engines that are not full: those with room for a turn, be it that they drain."""
        return [engine for engine in self._engines.values() if not engine.silent and self._has_room(engine, wanted)]

    def _has_room(self, engine: EngineRecord, wanted: WantedTurn) -> bool:
        """An engine counts what it sends and what it has been told to preload, a session once, and refuses more."""
        taken_bps = self.charges.room_bps(engine.address, wanted.session) + engine.fetched_bps
        return taken_bps + wanted.rate_bps <= engine.capacity_bps

    def _order(self, engine: EngineRecord, wanted: WantedTurn) -> tuple[float, float, bool, int]:
        charges, address, session = self.charges, engine.address, wanted.session
        load_bps = charges.load_bps(address, wanted.begins_at, wanted.now, session) + engine.fetched_bps
        load_bps += self.in_flight.bps(address)
        leaving_bps = charges.leaving_bps(address, wanted.ends_at, wanted.half_s)
        capacity_bps = max(1, engine.capacity_bps)
        is_there = address in [charge.engine for charge in charges.of(session)]
        return (load_bps + wanted.rate_bps) / capacity_bps, leaving_bps / capacity_bps, is_there, engine.slot


def _together(figures: Iterable[int | None]) -> int | None:
    known = [figure for figure in figures if figure is not None]
    return sum(known) if known else None
