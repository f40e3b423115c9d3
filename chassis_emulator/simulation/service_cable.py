"""A person with a cable at a blade's service port: orders `Drain`, and hears what the blade still carries."""

import asyncio
from collections.abc import Callable

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.line import MessageLine
from blade_agent.backplane.message import CompletionCode, Request, Response
from blade_agent.backplane.messages.role import DRAIN, Drain
from chassis_emulator.simulation.line import SerialWire
from chassis_emulator.topology.plan import BladePlan

_PERSON = 0x81
"""The address ipmitool gives itself (its remote console software id)."""
_ANSWER_WITHIN_S = 0.2


class ServiceCable:
    """One end of a service port's wire, held by the host that runs."""

    def __init__(self, blade: BladePlan, wire: SerialWire) -> None:
        self._responder = 2 * (0x40 + blade.slot)
        self._line = MessageLine(wire.open(1), BasicMode(), self._received)
        self._sequence = 0
        self._answered: Callable[[Response], None] | None = None

    async def drain(self, *, draining: bool) -> int | None:
        """Order it; returns what is still carried, or None without an answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Response] = loop.create_future()
        self._sequence = (self._sequence + 1) % 64
        self._answered = lambda response: None if answer.done() else answer.set_result(response)
        self._line.send(
            Request(
                responder=self._responder,
                requester=_PERSON,
                net_fn=DRAIN.code.net_fn,
                command=DRAIN.code.number,
                sequence=self._sequence,
                data=DRAIN.request_data(Drain(draining)),
            )
        )
        try:
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                response = await answer
        except TimeoutError:
            return None
        if response.completion != CompletionCode.OK:
            return None
        return DRAIN.read_reply(response.data).streams

    def _received(self, message: Request | Response) -> None:
        if isinstance(message, Response) and message.sequence == self._sequence and self._answered:
            self._answered(message)
