"""Boot states for tests: every one that moves can lead to, of three releases."""

from functools import cache

from blade_agent.boot.boot_state import (
    BootState,
    SystemSlot,
    UpdateEvent,
    UpdateRefused,
    apply,
    begin,
    boot,
    commit,
    rollback,
    stage,
)
from blade_agent.boot.release import Release

RELEASES = (Release(0, 1, 0), Release(0, 2, 0), Release(0, 10, 0))
FIRST = BootState(good=SystemSlot.A, good_release=RELEASES[0], minimum=RELEASES[0])


def moves_of(state):
    """Everything that may be tried in a state: the event, and the state that it leads to, or why it is refused."""
    yield from _tried(UpdateEvent.BEGIN, lambda: begin(state))
    for release in RELEASES:
        for minimum in RELEASES:
            yield from _tried(UpdateEvent.STAGE, lambda r=release, m=minimum: stage(state, r, m))
    for tries in (1, 2):
        yield from _tried(UpdateEvent.APPLY, lambda t=tries: apply(state, t))
    yield from _tried(UpdateEvent.BOOT, lambda: boot(state)[1])
    for running in SystemSlot:
        yield from _tried(UpdateEvent.COMMIT, lambda r=running: commit(state, r))
    yield from _tried(UpdateEvent.ROLLBACK, lambda: rollback(state))


def _tried(event, move):
    try:
        yield event, move(), ""
    except UpdateRefused as error:
        yield event, None, str(error)


@cache
def all_states():
    found, left = {}, [FIRST]
    while left:
        state = left.pop()
        if repr(state) not in found:
            found[repr(state)] = state
            left += [then for _, then, _ in moves_of(state) if then is not None]
    return tuple(found.values())
