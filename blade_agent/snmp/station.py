"""MEDIA-STATION-STATION-MIB: what a blade stores, sends and copies, and what it decides as the media director."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

from blade_agent.main_board.director.director_figures import DirectorFigures, SessionFigures
from blade_agent.main_board.engine.engine_figures import ChannelFigures, EngineCounters
from blade_agent.main_board.main_board_figures import MainBoardFigures, MainBoardWork
from blade_agent.snmp.notification_types import CHANNEL_ENTRY, CHANNEL_FAILED, SESSION_ENTRY, SESSION_LOST
from blade_agent.snmp.slots import octets_of
from blade_agent.snmp.sources import BladeFigures
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
from media_network.status import ChannelState

_DIRECTOR = (*STATION, 1, 1)
_ENGINE_ENTRY = (*STATION, 1, 2, 1)
_STORE = (*STATION, 1, 4)
_WORK = (*STATION, 1, 6)
_STREAM_ENTRY = (*STATION, 1, 7, 1)
_COPY_ENTRY = (*STATION, 1, 8, 1)
_CHANNEL_TEXTS = {
    ChannelState.WORKING: "I/O channel {} works.",
    ChannelState.HANGING: "I/O channel {} hangs: its disk does not answer, and is tried again when it does.",
    ChannelState.FAILED: "I/O channel {} is given up: its disk failed.",
}
_KIND = enumerated(pull=1, push=2)
_STATE = enumerated(redirected=1, streaming=2, resuming=3, ended=4, paused=5)
_ADDRESS_TYPE = enumerated(unknown=0, ipv4=1, ipv6=2, ipv4z=3, ipv6z=4, dns=16)
_STATES: dict[str, int] = {
    SessionState.REDIRECTED: 1,
    SessionState.STREAMING: 2,
    SessionState.RESUMING: 3,
    SessionState.ENDED: 4,
    SessionState.PAUSED: 5,
}
_MIB = 1 << 20
_DIRECTOR_FIGURES: Mapping[int, tuple[Syntax, Callable[[DirectorFigures], int]]] = {
    2: (GAUGE32, lambda director: director.programs),
    3: (GAUGE32, lambda director: director.locations),
    4: (GAUGE32, lambda director: director.push_sessions + director.pull_sessions),
    5: (COUNTER64, lambda director: director.counted.sessions_begun),
    6: (COUNTER64, lambda director: director.counted.sessions_ended),
    7: (COUNTER64, lambda director: director.counted.sessions_lost),
    8: (COUNTER64, lambda director: director.counted.redirects + director.counted.sessions_begun),
    9: (COUNTER64, lambda director: director.counted.refusals),
    10: (COUNTER64, lambda director: director.counted.hand_overs),
    11: (COUNTER64, lambda director: director.counted.take_overs),
    12: (COUNTER64, lambda director: director.counted.replications),
    13: (COUNTER64, lambda director: director.counted.copies_done),
    14: (COUNTER64, lambda director: director.counted.copies_failed),
}
_ENGINE_COUNTERS: Mapping[int, Callable[[EngineCounters], int]] = {
    1: lambda engine: engine.pull_requests,
    2: lambda engine: engine.refusals,
    3: lambda engine: engine.pull_bytes,
    5: lambda engine: engine.push_turns,
    6: lambda engine: engine.push_datagrams,
    7: lambda engine: engine.push_bytes,
    8: lambda engine: engine.push_late,
    9: lambda engine: engine.push_failures,
    10: lambda engine: engine.hand_overs_out,
    11: lambda engine: engine.hand_overs_in,
    12: lambda engine: engine.hand_over_failures,
    14: lambda engine: engine.copies_done,
    15: lambda engine: engine.copies_failed,
    16: lambda engine: engine.copy_bytes,
}
"""Number of the object, and the figure it shows."""

Row = TypeVar("Row")


class StationObjects:
    """A main board at work."""

    def __init__(self, alarms: Alarms, tell: Callable[[Notification], None]) -> None:
        self._alarms = alarms
        self._tell = tell
        self._slot = 0
        self._figures = MainBoardFigures(engine=EngineCounters())
        self._work = MainBoardWork()
        self._capacity_bps: int | None = None
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
        self._figures, self._work, self._capacity_bps = figures.main_board, figures.work, figures.capacity_bps
        director, engine = figures.work.director, figures.work.engine
        self._tell_lost(director.lost)
        self._set_channels(figures.main_board.channels)
        replace_changed(self._engines, {(known.slot,): known for known in director.engines})
        self._number("sessions", self._sessions, director.sessions, lambda session: session.session)
        self._number("streams", self._streams, engine.streams, lambda stream: stream.session)
        self._number("copies", self._copies, engine.copies, lambda copy: (copy.program, copy.segment, copy.source))

    def _number(self, name: str, rows: Rows, found: Iterable[Row], key: Callable[[Row], Hashable]) -> None:
        keyed = {key(row): row for row in found}
        numbers = self._numbers[name].numbers(keyed)
        replace_changed(rows, {(numbers[known],): row for known, row in keyed.items()})

    def _tell_lost(self, lost: tuple[SessionFigures, ...]) -> None:
        """Tell of the sessions that were lost since the last update; before they lose their numbers."""
        for session in lost:
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
        self._told_lost = lost

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
                    "mssChannelFailures": channel.counted.failures,
                }
                self._tell(notification(CHANNEL_FAILED, index, values))
            cause = AlarmCause(
                kind=AlarmKind.CHANNEL_FAILED,
                severity=Severity.MAJOR,
                slot=self._slot,
                resource=channel.name,
                text=_CHANNEL_TEXTS[channel.state].format(channel.name),
            )
            self._alarms.set_alarm(cause, wrong=not channel.working)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from self._director_objects()
        yield from self._store_objects()
        yield from self._work_objects()
        yield from self._stream_objects()

    def _director_objects(self) -> Iterator[ObjectType]:
        def of_director(number: int, syntax: Syntax, read: Callable[[DirectorFigures], int]) -> ObjectType:
            def read_now() -> int | None:
                return None if self._figures.director is None else read(self._figures.director)

            return scalar((*_DIRECTOR, number), syntax, read_now)

        yield scalar((*_DIRECTOR, 1), GAUGE32, self._reporting)
        for number, (syntax, read) in _DIRECTOR_FIGURES.items():
            yield of_director(number, syntax, read)
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
        if self._figures.director is None:
            return None
        return sum(engine.reporting for engine in self._work.director.engines)

    def _store_objects(self) -> Iterator[ObjectType]:
        yield scalar((*_STORE, 1), GAUGE32, lambda: sum(one.segments for one in self._figures.channels))
        yield scalar((*_STORE, 2), COUNTER64, lambda: sum(one.stored_bytes for one in self._figures.channels))
        yield scalar((*_STORE, 3), COUNTER64, lambda: sum(one.free_bytes for one in self._figures.channels))
        yield scalar((*_STORE, 4), GAUGE32, self._programs)
        yield scalar((*_STORE, 5), GAUGE32, lambda: sum(one.receptions for one in self._figures.channels))
        yield from columns(
            CHANNEL_ENTRY,
            self._channels,
            {
                2: (DISPLAY_STRING, lambda channel: channel.name),
                3: (TRUTH_VALUE, lambda channel: truth(channel.working)),
                4: (COUNTER64, lambda channel: channel.counted.reads),
                5: (COUNTER64, lambda channel: channel.counted.read_bytes),
                6: (COUNTER64, lambda channel: channel.counted.writes),
                7: (COUNTER64, lambda channel: channel.counted.written_bytes),
                8: (COUNTER64, lambda channel: channel.counted.failures),
                9: (GAUGE32, lambda channel: channel.receptions),
                10: (COUNTER64, lambda channel: channel.free_bytes),
                11: (COUNTER64, lambda channel: channel.counted.hangs),
                12: (GAUGE32, lambda channel: channel.waiting),
            },
        )

    def _programs(self) -> int:
        return len(frozenset().union(*(channel.programs for channel in self._figures.channels)))

    def _work_objects(self) -> Iterator[ObjectType]:
        def of_engine(number: int, read: Callable[[EngineCounters], int]) -> ObjectType:
            return scalar((*_WORK, number), COUNTER64, lambda: read(self._figures.engine))

        for number, read in _ENGINE_COUNTERS.items():
            yield of_engine(number, read)
        yield scalar((*_WORK, 4), GAUGE32, lambda: len(self._work.engine.streams))
        yield scalar((*_WORK, 13), GAUGE32, lambda: len(self._work.engine.copies))
        yield scalar((*_WORK, 17), GAUGE32, self._capacity)

    def _capacity(self) -> int | None:
        return None if self._capacity_bps is None else self._capacity_bps // 1000

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
