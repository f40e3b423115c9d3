"""OEM commands: the main board's role, and what a director is told of its station."""

import re

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    DRAIN,
    STAGE_ADDRESS,
    STAGE_STATION,
    CommitRole,
    Drain,
    StageAddress,
    StageStation,
    StillCarried,
)
from blade_agent.backplane.messages.station_blades import NOTE_BLADES, NoteBlades
from blade_agent.backplane.role import STATION_PATTERN, Role
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.post import RoleRefused

_MOST_CARRIED = (1 << 16) - 1
_IN_SERVICE = frozenset({HotSwapState.M4_ACTIVE, HotSwapState.M5_DEACTIVATION_REQUEST})


def _stage_address(blade: Blade, request: StageAddress) -> Nothing:
    blade.post.stage_address(request.party, request.address)
    return Nothing()


def _stage_station(blade: Blade, request: StageStation) -> Nothing:
    if not re.fullmatch(STATION_PATTERN, request.station):
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    blade.post.stage_station(request.station)
    return Nothing()


def _commit_role(blade: Blade, request: CommitRole) -> Nothing:
    state = blade.hot_swap.state
    # A director whose handle is open passes the directorship on, and drains as an engine of its successor.
    if state not in _IN_SERVICE or (state is not HotSwapState.M4_ACTIVE and request.role is Role.DIRECTOR):
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    if not request.epoch:
        raise NotCarriedOut(CompletionCode.PARAMETER_OUT_OF_RANGE)
    try:
        blade.post.commit(request)
    except RoleRefused as error:
        raise NotCarriedOut(error.code) from error
    return Nothing()


def _drain(blade: Blade, request: Drain) -> StillCarried:
    if blade.hot_swap.state not in _IN_SERVICE:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    return StillCarried(min(blade.main_board.drain(request.draining), _MOST_CARRIED))


def _note_blades(blade: Blade, request: NoteBlades) -> Nothing:
    if blade.post.held.role is not Role.DIRECTOR:
        raise NotCarriedOut(CompletionCode.WRONG_STATE)
    blade.post.note_blades(request.blades)
    return Nothing()


ROLE_COMMANDS = CommandModule(
    dict(
        (
            answering(STAGE_ADDRESS, _stage_address),
            answering(STAGE_STATION, _stage_station),
            answering(COMMIT_ROLE, _commit_role),
            answering(DRAIN, _drain),
            answering(NOTE_BLADES, _note_blades),
        )
    )
)
