"""A blade's figures for SNMP, out of what its main board and its board say of themselves.

The main board counts since it took its role; SNMP's counters go on from there when the role changes.
"""

from collections.abc import Hashable
from pathlib import PurePath

from msgspec import Struct
from msgspec.structs import replace

from blade_agent.backplane.role import MainBoardStatus, RoleAssignment
from blade_agent.main_board.director import director_figures
from blade_agent.main_board.engine import engine_figures
from blade_agent.main_board.main_board_figures import MainBoardFigures, MainBoardWork
from blade_agent.snmp.sources import (
    BladeFigures,
    ChannelFigures,
    DirectorFigures,
    EngineFigures,
    HardwareFigures,
    SlotPicture,
)

_ENGINE_COUNTERS = {
    "pull_requests": "requests_served",
    "pull_refusals": "refusals",
    "pull_bytes": "pulled_bytes",
    "push_bytes": "pushed_bytes",
    "push_packets": "pushed_datagrams",
    "push_late": "pushed_late",
    "push_turns": "streams_started",
    "push_failures": "streams_stopped_short",
    "hand_overs_out": "hand_overs_given",
    "hand_overs_in": "hand_overs_taken",
    "hand_over_failures": "hand_overs_failed",
    "copies_done": "copies_stored",
    "copies_failed": "copies_failed",
    "copy_bytes": "copied_bytes",
}
_DIRECTOR_COUNTERS = {
    "sessions_begun": "sessions_begun",
    "redirects": "redirects",
    "refusals": "refusals",
    "hand_overs": "hand_overs",
    "take_overs": "streams_resumed",
    "replications": "copies_ordered",
    "sessions_ended": "sessions_ended",
    "sessions_lost": "sessions_lost",
    "copies_done": "copies_done",
    "copies_failed": "copies_failed",
}
"""What SNMP calls a figure, and what the main board does."""


class Continued:
    """Counters that go on when what counts them begins anew."""

    def __init__(self) -> None:
        self._term: Hashable = None
        self._before: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def take(self, term: Hashable, counts: dict[str, int]) -> dict[str, int]:
        """Give the counts since the first term; `term` is another one whenever `counts` began at 0 again."""
        if term != self._term:
            for name, count in self._last.items():
                self._before[name] = self._before.get(name, 0) + count
            self._last = {}
            self._term = term
        if counts:
            self._last = counts
        names = {*self._before, *self._last}
        return {name: self._before.get(name, 0) + self._last.get(name, 0) for name in names}


class BladeSource:
    """Puts a blade's figures together."""

    def __init__(self, capacity_bps: int) -> None:
        self._capacity_bps = capacity_bps
        self._engine = Continued()
        self._director = Continued()

    def figures(
        self,
        own: SlotPicture,
        *,
        main_board: MainBoardFigures,
        work: MainBoardWork,
        assignment: RoleAssignment,
        status: MainBoardStatus,
        hardware: HardwareFigures | None,
    ) -> BladeFigures:
        """Give the figures of now. `own` is the slot, with its hot swap state; the main board fills in the rest."""
        picture = _Filled(assignment=assignment, status=status, main_board=main_board, hardware=hardware)
        director = main_board.director
        return BladeFigures(
            station=assignment.station,
            epoch=assignment.epoch,
            director=own.slot if director is not None else None,
            own=picture.slot(own),
            engine=self._engine_figures(main_board, work.engine),
            duty=None if director is None else self._director_figures(director, work.director),
        )

    def _engine_figures(self, main_board: MainBoardFigures, work: engine_figures.EngineWork) -> EngineFigures:
        engine = main_board.engine
        counts = {} if engine is None else {ours: getattr(engine, name) for ours, name in _ENGINE_COUNTERS.items()}
        counted = self._engine.take((main_board.role, main_board.epoch), counts)
        figures = EngineFigures(
            capacity_bps=self._capacity_bps,
            segments=sum(channel.segments for channel in main_board.channels),
            programs=len(frozenset().union(*(channel.programs for channel in main_board.channels))),
            stored_bytes=sum(channel.stored_bytes for channel in main_board.channels),
            channels=tuple(map(_channel, main_board.channels)),
            streams=work.streams,
            copies=work.copies,
        )
        return replace(figures, **counted)

    def _director_figures(
        self, director: director_figures.DirectorFigures, work: director_figures.DirectorWork
    ) -> DirectorFigures:
        counts = {ours: getattr(director, name) for ours, name in _DIRECTOR_COUNTERS.items()}
        counts["redirects"] += director.sessions_begun
        figures = DirectorFigures(
            programs=director.programs,
            locations=director.locations,
            active_sessions=director.push_sessions + director.pull_sessions,
            engines=work.engines,
            sessions=work.sessions,
            lost=work.lost,
        )
        return replace(figures, **self._director.take(director.epoch, counts))


class _Filled(Struct, frozen=True, kw_only=True):
    assignment: RoleAssignment
    status: MainBoardStatus
    main_board: MainBoardFigures
    hardware: HardwareFigures | None

    def slot(self, own: SlotPicture) -> SlotPicture:
        """The slot with what its main board says."""
        return SlotPicture(
            slot=own.slot,
            hot_swap=own.hot_swap,
            draining=self.main_board.draining,
            wanted_in_service=own.wanted_in_service,
            role=self.assignment.role,
            epoch=self.assignment.epoch,
            main_board=self.status.state,
            address=self.status.address,
            boot_id=own.boot_id,
            desired_w=own.desired_w,
            granted_w=own.granted_w,
            observed_w=own.observed_w,
            streams=self.main_board.streams,
            identify_s=own.identify_s,
            frame_faults=own.frame_faults,
            message_faults=own.message_faults,
            hardware=self.hardware,
        )


def _channel(channel: engine_figures.ChannelFigures) -> ChannelFigures:
    return ChannelFigures(
        name=PurePath(channel.folder).name,
        working=not channel.failure,
        reads=channel.reads,
        read_bytes=channel.bytes_out,
        writes=channel.writes,
        written_bytes=channel.bytes_in,
        failures=channel.errors,
        receptions=channel.receptions,
        free_bytes=channel.free_bytes,
    )
