"""Messages of the watchdog timer (IPMI 2.0, chapter 27)."""

from enum import unique

import construct
from msgspec import Struct

from blade_agent.backplane.command import NET_FN_APPLICATION, Command, CommandCode
from blade_agent.backplane.layout import NOTHING, Layout, low, single_bytes
from blade_agent.backplane.message import Completion


class SetWatchdog(Struct, frozen=True, kw_only=True):
    """New settings (IPMI 2.0, table 27-3)."""

    use: int
    """Bits: 7 is not logged, 6 goes on counting, 2 to 0 whose timer it is."""
    actions: int
    """Bits: 6 to 4 before the timeout, 2 to 0 at the timeout."""
    pre_timeout_s: int
    cleared_uses: int
    countdown: int
    """In tenths of a second."""


class WatchdogState(Struct, frozen=True, kw_only=True):
    """Settings and state (IPMI 2.0, table 27-5)."""

    use: int
    """Bits: 7 is not logged, 6 counts, 2 to 0 whose timer it is."""
    actions: int
    pre_timeout_s: int
    expired_uses: int
    countdown: int
    present: int
    """What is left, in tenths of a second."""


@unique
class ResetWatchdogCompletion(Completion):
    """Why the timer is not reset (IPMI 2.0, 27.5)."""

    NEVER_SET = 0x80


def _application(number: int) -> CommandCode:
    return CommandCode(NET_FN_APPLICATION, b"", number)


_COUNTDOWN = "countdown" / construct.Int16ul

RESET_WATCHDOG_TIMER = Command(
    "Reset Watchdog Timer",
    _application(0x22),
    request=NOTHING,
    reply=NOTHING,
    completions=ResetWatchdogCompletion,
)
SET_WATCHDOG_TIMER = Command(
    "Set Watchdog Timer",
    _application(0x24),
    request=Layout(
        SetWatchdog,
        "use" / low(0xC7),
        "actions" / low(0x77),
        *single_bytes("pre_timeout_s"),
        "cleared_uses" / low(0x3E),
        _COUNTDOWN,
    ),
    reply=NOTHING,
)
GET_WATCHDOG_TIMER = Command(
    "Get Watchdog Timer",
    _application(0x25),
    request=NOTHING,
    reply=Layout(
        WatchdogState,
        *single_bytes("use", "actions", "pre_timeout_s", "expired_uses"),
        _COUNTDOWN,
        "present" / construct.Int16ul,
    ),
)
