"""An order to the main board that is said again, for its answer was late, is not carried out again."""

from collections.abc import Callable

from msgspec import Struct

from blade_agent.backplane.command import CommandCode
from blade_agent.backplane.message import Request, Response
from blade_agent.backplane.messages.board import FRU_CONTROL
from blade_agent.backplane.messages.chassis import CHASSIS_CONTROL

_AGAIN_WITHIN_S = 5.0
"""How long a sequence number stands for one request: what IPMB 1.0 calls its expiration interval."""


class _Acted(Struct, frozen=True):
    request: Request
    response: Response
    at: float


class LastAct:
    """The last order on a line whose repetition would do something once more: a second reset, a second power cycle."""

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._acted: _Acted | None = None

    def again(self, request: Request) -> Response | None:
        """Give the answer of before, if this is a repetition."""
        acted = self._acted
        if acted and acted.request == request and self._now_s() - acted.at < _AGAIN_WITHIN_S:
            return acted.response
        return None

    def keep(self, request: Request, response: Response) -> Response:
        """Remember an order that was carried out; give its answer."""
        if any(_is(request, command.code) for command in (CHASSIS_CONTROL, FRU_CONTROL)):
            self._acted = _Acted(request, response, self._now_s())
        return response


def _is(request: Request, code: CommandCode) -> bool:
    return (request.net_fn, request.command) == (code.net_fn, code.number) and request.data.startswith(code.group)
