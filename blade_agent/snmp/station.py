"""MEDIA-STATION-STATION-MIB: what a blade stores, sends and copies, and what it decides as the media director."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from blade_agent.main_board.director.director_figures import SessionFigures
from blade_agent.snmp.notification_types import CHANNEL_ENTRY, CHANNEL_FAILED, SESSION_ENTRY, SESSION_LOST
from blade_agent.snmp.slots import octets_of
from blade_agent.snmp.sources import BladeFigures, ChannelFigures, DirectorFigures, EngineFigures
from media_network.messages.watching import SessionState
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.alarms import AlarmCause, AlarmKind, Alarms, Severity
from media_network.snmp.objects.arcs import STATION
from media_network.snmp.objects.notification import Notification, notification
from media_network.snmp.objects.numbering import Numbering
from media_network.snmp.objects.table import columns, replace_changed
from media_network.snmp.value import (
    COUNTER32,
    COUNTER64,
    DISPLAY_STRING,
    GAUGE32,
    INTEGER32,
    OCTET_STRING,
    TRUTH_VALUE,
    Syntax,
    enumerated,
    truth,
)

_DIRECTOR = (*STATION, 1, 1)
_ENGINE_ENTRY = (*STATION, 1, 2, 1)
_STORE = (*STATION, 1, 4)
_WORK = (*STATION, 1, 6)
_STREAM_ENTRY = (*STATION, 1, 7, 1)
_COPY_ENTRY = (*STATION, 1, 8, 1)
_KIND = enumerated(pull=1, push=2)
_STATE = enumerated(redirected=1, streaming=2, resuming=3, ended=4)
_ADDRESS_TYPE = enumerated(unknown=0, ipv4=1, ipv6=2, ipv4z=3, ipv6z=4, dns=16)
_STATES: dict[str, int] = {
    SessionState.REDIRECTED: 1,
    SessionState.STREAMING: 2,
    SessionState.RESUMING: 3,
    SessionState.ENDED: 4,
}
_MIB = 1 << 20
_ENDED = frozenset({SessionState.ENDED.value})

_DIRECTOR_COUNTERS = (
    (5, "sessions_begun"),
    (6, "sessions_ended"),
    (7, "sessions_lost"),
    (8, "redirects"),
    (9, "refusals"),
    (10, "hand_overs"),
    (11, "take_overs"),
    (12, "replications"),
    (13, "copies_done"),
    (14, "copies_failed"),
)
_WORK_COUNTERS = (
    (1, "pull_requests"),
    (2, "pull_refusals"),
    (3, "pull_bytes"),
    (5, "push_turns"),
    (6, "push_packets"),
    (7, "push_bytes"),
    (8, "push_late"),
    (9, "push_failures"),
    (10, "hand_overs_out"),
    (11, "hand_overs_in"),
    (12, "hand_over_failures"),
    (14, "copies_done"),
    (15, "copies_failed"),
    (16, "copy_bytes"),
)
"""Number of the object, and the figure it shows."""

Row = TypeVar("Row")


class StationObjects:
    """A main board at work."""

    def __init__(self, alarms: Alarms, tell: Callable[[Notification], None]) -> None:
        self._alarms = alarms
        self._tell = tell
        self._slot = 0
        self._engine = EngineFigures()
        self._director: DirectorFigures | None = None
        self._engines = Rows()
        self._sessions = Rows()
        self._channels = Rows()
        self._streams = Rows()
        self._copies = Rows()
        self._numbers = {rows: Numbering() for rows in ("sessions", "streams", "copies")}
        self._told_lost: tuple[SessionFigures, ...] = ()

    def update(self, figures: BladeFigures) -> None:
        """Show the main board like this from now on, and tell what is new."""
        self._slot = figures.own.slot
        self._engine, self._director = figures.engine, figures.duty
        director = figures.duty or DirectorFigures()
        self._tell_lost(director)
        self._set_channels(figures.engine.channels)
        replace_changed(self._engines, {(engine.slot,): engine for engine in director.engines})
        self._number("sessions", self._sessions, director.sessions, lambda session: session.session)
        self._number("streams", self._streams, figures.engine.streams, lambda stream: stream.session)
        self._number(
            "copies", self._copies, figures.engine.copies, lambda copy: (copy.program, copy.segment, copy.source)
        )

    def _number(self, name: str, rows: Rows, found: Iterable[Row], key: Callable[[Row], Hashable]) -> None:
        keyed = {key(row): row for row in found}
        numbers = self._numbers[name].numbers(keyed)
        replace_changed(rows, {(numbers[known],): row for known, row in keyed.items()})

    def _tell_lost(self, director: DirectorFigures) -> None:
        """Tell of the sessions that were lost since the last update; before they lose their numbers."""
        for session in director.lost:
            if session in self._told_lost:
                continue
            number = self._numbers["sessions"].number(session.session)
            values = {
                "mssSessionProgram": session.program.encode(),
                "mssSessionConsole": session.console,
                "mssSessionEngineSlot": session.engine_slot,
                "mssSessionSegment": session.segment,
            }
            self._tell(notification(SESSION_LOST, (number,), values))
        self._told_lost = director.lost

    def _set_channels(self, channels: tuple[ChannelFigures, ...]) -> None:
        before = dict(iter(self._channels))
        wanted: dict[Oid, ChannelFigures] = {(number,): channel for number, channel in enumerate(channels, 1)}
        replace_changed(self._channels, wanted)
        for index, channel in wanted.items():
            known = before.get(index)
            if not channel.working and (known is None or known.working):
                values = {
                    "mssChannelName": channel.name,
                    "mssChannelWorking": truth(channel.working),
                    "mssChannelFailures": channel.failures,
                }
                self._tell(notification(CHANNEL_FAILED, index, values))
            cause = AlarmCause(
                kind=AlarmKind.CHANNEL_FAILED,
                severity=Severity.MAJOR,
                slot=self._slot,
                resource=channel.name,
                text=f"I/O channel {channel.name} is given up: its disk failed or does not answer.",
            )
            self._alarms.set_alarm(cause, wrong=not channel.working)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from self._director_objects()
        yield from self._store_objects()
        yield from self._work_objects()
        yield from self._stream_objects()

    def _director_objects(self) -> Iterator[ObjectType]:
        def of_director(number: int, syntax: Syntax, name: str) -> ObjectType:
            return scalar((*_DIRECTOR, number), syntax, lambda: getattr(self._director, name, None))

        yield scalar((*_DIRECTOR, 1), GAUGE32, self._reporting)
        yield of_director(2, GAUGE32, "programs")
        yield of_director(3, GAUGE32, "locations")
        yield scalar((*_DIRECTOR, 4), GAUGE32, self._active_sessions)
        for number, name in _DIRECTOR_COUNTERS:
            yield of_director(number, COUNTER64, name)
        yield from columns(
            _ENGINE_ENTRY,
            self._engines,
            {
                2: (_ADDRESS_TYPE, lambda _: 1),
                3: (OCTET_STRING, lambda engine: octets_of(engine.address)),
                4: (GAUGE32, lambda engine: engine.address.port),
                5: (TRUTH_VALUE, lambda engine: truth(engine.reporting)),
                6: (GAUGE32, lambda engine: engine.load_bps // 1000),
                7: (GAUGE32, lambda engine: engine.capacity_bps // 1000),
                8: (GAUGE32, lambda engine: engine.segments),
                9: (GAUGE32, lambda engine: None if engine.free_bytes is None else engine.free_bytes // _MIB),
            },
        )
        yield from columns(
            SESSION_ENTRY,
            self._sessions,
            {
                2: (_KIND, lambda session: 2 if session.push else 1),
                3: (_STATE, lambda session: _STATES.get(session.state)),
                4: (OCTET_STRING, lambda session: session.program.encode()),
                5: (DISPLAY_STRING, lambda session: session.console),
                6: (INTEGER32, lambda session: session.engine_slot),
                7: (GAUGE32, lambda session: session.segment),
                8: (COUNTER32, lambda session: session.turns),
            },
        )

    def _reporting(self) -> int | None:
        return None if self._director is None else sum(engine.reporting for engine in self._director.engines)

    def _active_sessions(self) -> int | None:
        director = self._director
        if director is None:
            return None
        if director.active_sessions is not None:
            return director.active_sessions
        return sum(session.state not in _ENDED for session in director.sessions)

    def _store_objects(self) -> Iterator[ObjectType]:
        yield scalar((*_STORE, 1), GAUGE32, lambda: self._engine.segments)
        yield scalar((*_STORE, 2), COUNTER64, lambda: self._engine.stored_bytes)
        yield scalar((*_STORE, 3), COUNTER64, lambda: sum(one.free_bytes for one in self._engine.channels))
        yield scalar((*_STORE, 4), GAUGE32, lambda: self._engine.programs)
        yield scalar((*_STORE, 5), GAUGE32, lambda: sum(one.receptions for one in self._engine.channels))
        yield from columns(
            CHANNEL_ENTRY,
            self._channels,
            {
                2: (DISPLAY_STRING, lambda channel: channel.name),
                3: (TRUTH_VALUE, lambda channel: truth(channel.working)),
                4: (COUNTER64, lambda channel: channel.reads),
                5: (COUNTER64, lambda channel: channel.read_bytes),
                6: (COUNTER64, lambda channel: channel.writes),
                7: (COUNTER64, lambda channel: channel.written_bytes),
                8: (COUNTER64, lambda channel: channel.failures),
                9: (GAUGE32, lambda channel: channel.receptions),
                10: (COUNTER64, lambda channel: channel.free_bytes),
            },
        )

    def _work_objects(self) -> Iterator[ObjectType]:
        def of_engine(number: int, name: str) -> ObjectType:
            return scalar((*_WORK, number), COUNTER64, lambda: getattr(self._engine, name))

        for number, name in _WORK_COUNTERS:
            yield of_engine(number, name)
        yield scalar((*_WORK, 4), GAUGE32, lambda: len(self._engine.streams))
        yield scalar((*_WORK, 13), GAUGE32, lambda: len(self._engine.copies))
        yield scalar((*_WORK, 17), GAUGE32, self._capacity)

    def _capacity(self) -> int | None:
        return None if self._engine.capacity_bps is None else self._engine.capacity_bps // 1000

    def _stream_objects(self) -> Iterator[ObjectType]:
        yield from columns(
            _STREAM_ENTRY,
            self._streams,
            {
                2: (OCTET_STRING, lambda stream: stream.program.encode()),
                3: (DISPLAY_STRING, lambda stream: stream.console),
                4: (GAUGE32, lambda stream: stream.segment),
                5: (GAUGE32, lambda stream: stream.turn),
                6: (GAUGE32, lambda stream: stream.rate_bps // 1000),
                7: (COUNTER64, lambda stream: stream.sent_bytes),
            },
        )
        yield from columns(
            _COPY_ENTRY,
            self._copies,
            {
                2: (OCTET_STRING, lambda copy: copy.program.encode()),
                3: (GAUGE32, lambda copy: copy.segment),
                4: (DISPLAY_STRING, lambda copy: copy.source),
                5: (COUNTER64, lambda copy: copy.received_bytes),
                6: (COUNTER64, lambda copy: copy.length_bytes),
            },
        )
