"""Setting the watchdog timer, resetting it, and looking at it."""

from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.watchdog import (
    GET_WATCHDOG_TIMER,
    RESET_WATCHDOG_TIMER,
    SET_WATCHDOG_TIMER,
    ResetWatchdogCompletion,
    SetWatchdog,
    WatchdogState,
)
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.commands.answer import CommandModule, NotCarriedOut, answering
from blade_agent.cbc.watchdog import ACTION_OF, TimeoutAction, TimerUse, WatchdogSettings

_NOT_LOGGED = 0x80
_COUNTS = 0x40
_USE = 0x07
_NEVER_SET = WatchdogSettings()


def _set(blade: Blade, request: SetWatchdog) -> Nothing:
    """A pre-timeout interrupt is refused: there is nobody whom a CBC could interrupt."""
    try:
        use, action = TimerUse(request.use & _USE), TimeoutAction(request.actions)
    except ValueError as error:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD) from error
    if use is TimerUse.UNSPECIFIED or request.pre_timeout_s:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    if action in ACTION_OF and ACTION_OF[action] not in blade.hardware.actions:
        raise NotCarriedOut(CompletionCode.INVALID_FIELD)
    settings = WatchdogSettings(
        use=use, logged=not request.use & _NOT_LOGGED, action=action, countdown_ticks=request.countdown
    )
    blade.watchdog.set(settings, cleared_uses=request.cleared_uses, keep_running=bool(request.use & _COUNTS))
    return Nothing()


def _reset(blade: Blade, _request: Nothing) -> Nothing:
    if not blade.watchdog.start():
        raise NotCarriedOut(ResetWatchdogCompletion.NEVER_SET)
    return Nothing()


def _get(blade: Blade, _request: Nothing) -> WatchdogState:
    watchdog = blade.watchdog
    settings = watchdog.settings or _NEVER_SET
    flags = (0 if settings.logged else _NOT_LOGGED) | (_COUNTS if watchdog.running else 0)
    return WatchdogState(
        use=settings.use.value | flags,
        actions=settings.action.value,
        pre_timeout_s=0,
        expired_uses=watchdog.expired_uses,
        countdown=settings.countdown_ticks,
        present=watchdog.present_ticks,
    )


WATCHDOG_COMMANDS = CommandModule(
    dict(
        (
            answering(RESET_WATCHDOG_TIMER, _reset),
            answering(SET_WATCHDOG_TIMER, _set),
            answering(GET_WATCHDOG_TIMER, _get),
        )
    )
)
