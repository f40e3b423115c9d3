"""Tells receivers of what happens: traps and informs, SNMPv3 and v2c, in a thread of its own.

pysnmp, which composes and sends them, takes milliseconds of CPU for each. In the loop that answers and streams that
would be seen in every stream.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence

from media_network.snmp.notifying.sender import send_until_cancelled
from media_network.snmp.notifying.waiting import Delivery, Waiting, WaitingQueue
from media_network.snmp.objects.notification import Notification
from media_network.snmp.targets import AgentSettings
from media_network.snmp.usm import EngineIdentity

logger = logging.getLogger(__name__)


class Notifier:
    """Tells all targets of an agent. `tell` never waits."""

    def __init__(
        self,
        settings: AgentSettings,
        identity: EngineIdentity,
        engine_seconds: Callable[[], int],
        ticks: Callable[[], int],
    ) -> None:
        """`engine_seconds` is the snmpEngineTime of the agent, `ticks` its sysUpTime."""
        self._host = settings.host
        self._identity = identity
        self._engine_seconds = engine_seconds
        self._ticks = ticks
        self._queues = [
            WaitingQueue(target, settings.user_of(target) if target.user else None) for target in settings.targets
        ]

    def tell(self, told: Notification) -> None:
        """Tell every target, soon."""
        waiting = Waiting(told, self._ticks())
        for queue in self._queues:
            queue.add(waiting)

    def deliveries(self) -> dict[str, Delivery]:
        """What became of it, by the target's address."""
        return {queue.target.address: queue.delivery for queue in self._queues}

    async def run(self) -> None:
        """Send what is told until cancelled. Does nothing where there is no target. Raises what ends the sending."""
        if not self._queues:
            return
        worker = _Worker(self._queues, self._host, self._identity, self._engine_seconds())
        try:
            await asyncio.shield(worker.ended)
        finally:
            worker.stop()
            await worker.ended


class _Worker:
    """A thread with an event loop of its own."""

    def __init__(self, queues: Sequence[WaitingQueue], host: str, identity: EngineIdentity, seconds: int) -> None:
        self._listener = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._listener.create_future()
        self._stopping = threading.Event()
        self._sending: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None
        self._work = (queues, host, identity, seconds)
        threading.Thread(target=self._run, name="SNMP notifications", daemon=True).start()

    def stop(self) -> None:
        """Let it end soon."""
        self._stopping.set()
        if (sending := self._sending) is not None:
            loop, task = sending
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)

    def _run(self) -> None:
        failure: Exception | None = None
        try:
            asyncio.run(self._send())
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 -- it is raised where the worker is waited for
            failure = error
        with contextlib.suppress(RuntimeError):  # nobody listens any more
            self._listener.call_soon_threadsafe(self._end, failure)

    async def _send(self) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._sending = asyncio.get_running_loop(), task
        if not self._stopping.is_set():
            await send_until_cancelled(*self._work)

    def _end(self, failure: Exception | None) -> None:
        if failure is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(failure)
