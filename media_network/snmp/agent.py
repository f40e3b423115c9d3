"""An agent: an engine on its socket with what every agent of ours shows, alarms, the log, and those who are told.

async with open_agent(settings, facts, state, modules=MODULES, rng=rng) as agent:
    agent.index.add(Providers(agent.uptime, agent.alarms, agent.tell))
    await agent.run()
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from media_network.os_trouble import in_words
from media_network.snmp.index import Index
from media_network.snmp.interest import Interest
from media_network.snmp.objects.access_objects import AccessObjects
from media_network.snmp.objects.alarms import Alarms
from media_network.snmp.objects.notification import AUTHENTICATION_FAILURE, COLD_START, Notification
from media_network.snmp.objects.notification_log import NotificationLog
from media_network.snmp.objects.statistics import EngineFacts, EngineObjects
from media_network.snmp.objects.system import ModuleFacts, SystemFacts, SystemObjects
from media_network.snmp.objects.target_objects import TargetObjects
from media_network.snmp.objects.times import Uptime
from media_network.snmp.service import SnmpService, serve_snmp
from media_network.snmp.targets import AgentSettings

if TYPE_CHECKING:
    from media_network.snmp.notifying.notifier import Notifier
    from media_network.snmp.notifying.waiting import Delivery

logger = logging.getLogger(__name__)

_LOOK_S = 1.0
"""From one look at the counters of wrong requests to the next: an attack is told of once a look, not once a packet."""
_LOOK_WHERE_NOBODY_IS_TOLD_S = 10.0
WATCH_S = 1.0
"""From one look at what an agent is to tell of to the next, where there is somebody to be told."""
_WATCH_WHERE_NOBODY_IS_TOLD_S = 60.0
"""The log of notifications, and the times at which something changed, are all that depends on it then."""
_WAITING_MAX = 64
_TRY_AGAIN_S = 30.0


OpenAnswering: TypeAlias = Callable[[], AbstractAsyncContextManager[object]]
"""Opens an agent, which answers for as long as the context lasts."""


class Agent:
    """An agent that answers. Whoever opened it adds the objects that are its own."""

    def __init__(
        self, settings: AgentSettings, facts: SystemFacts, modules: Sequence[ModuleFacts], index: Index
    ) -> None:
        self._settings = settings
        self._facts = facts
        self._modules = modules
        self.index = index
        self.interest = Interest()
        """Who asks; objects that are not always up to date are shown through it."""
        index.asked, index.written = self.interest.asked, self.interest.forget
        self.uptime = Uptime()
        self.alarms = Alarms(self.uptime, self.tell)
        self.service: SnmpService
        self._log: NotificationLog
        self._access: AccessObjects
        self._failures = 0
        self._notifier: Notifier | None = None
        self._waiting: deque[Notification] = deque(maxlen=_WAITING_MAX)
        """What is told before the notifier is there."""

    def attach(self, service: SnmpService) -> None:
        """Show the engine that answers now."""
        settings, security = self._settings, service.engine.security
        identity = security.identity
        loop = asyncio.get_running_loop()
        self.service = service
        self._log = NotificationLog(self.uptime, identity.engine_id, settings.log_entries)
        self._access = AccessObjects(
            settings.access_tables(), lambda: tuple(self.index.contexts), identity.engine_id, settings.users
        )
        engine = EngineFacts(
            engine_id=identity.engine_id,
            boots=identity.boots,
            seconds=lambda: security.engine_time(loop.time()),
            longest_message=service.engine.limits.request_octets,
        )
        for provider in (
            SystemObjects(self._facts, self.uptime, self._modules),
            EngineObjects(engine, service.engine.counters, tells_failures=bool(settings.targets)),
            self._access,
            TargetObjects(settings),
            self._log,
            self.alarms,
        ):
            self.index.add(provider)

    @property
    def tells(self) -> bool:
        """Whether there is somebody to be told."""
        return bool(self._settings.targets)

    def tell(self, told: Notification) -> None:
        """Log a notification, and tell the targets soon."""
        self._log.add(told)
        if self._notifier is not None:
            self._notifier.tell(told)
        elif self._settings.targets:
            self._waiting.append(told)

    def deliveries(self) -> "dict[str, Delivery]":
        """What became of what was told, by the target's address."""
        return {} if self._notifier is None else self._notifier.deliveries()

    async def run(self, watch_s: float = WATCH_S) -> None:
        """Tell the targets, and watch what there is to tell of, until cancelled."""
        self.tell(Notification(kind=COLD_START))
        told = self.tells
        async with asyncio.TaskGroup() as tasks:
            if told:
                tasks.create_task(self._notify(), name="SNMP notifications")
            interval_s = watch_s if told else _WATCH_WHERE_NOBODY_IS_TOLD_S
            tasks.create_task(self.interest.keep_refreshing(interval_s), name="SNMP objects")
            while True:
                await asyncio.sleep(_LOOK_S if told else _LOOK_WHERE_NOBODY_IS_TOLD_S)
                self._access.refresh()
                self._look_for_failures()

    async def _notify(self) -> None:
        security, loop = self.service.engine.security, asyncio.get_running_loop()
        make = await loop.run_in_executor(None, _load_notifier)
        self._notifier = make(
            self._settings, security.identity, lambda: security.engine_time(loop.time()), self.uptime.ticks
        )
        while self._waiting:
            self._notifier.tell(self._waiting.popleft())
        await self._notifier.run()

    def _look_for_failures(self) -> None:
        counters = self.service.engine.counters
        failures = counters.in_bad_community_names + counters.unknown_user_names + counters.wrong_digests
        if failures != self._failures:
            self._failures = failures
            self.tell(Notification(kind=AUTHENTICATION_FAILURE))


@contextlib.asynccontextmanager
async def open_agent(
    settings: AgentSettings, facts: SystemFacts, state: Path, *, modules: Sequence[ModuleFacts], rng: Random
) -> AsyncIterator[Agent]:
    """Answer for as long as the context lasts. Raises as `serve_snmp` does."""
    agent = Agent(settings, facts, modules, Index())
    async with serve_snmp(settings, agent.index, state, rng=rng) as service:
        agent.attach(service)
        yield agent


@contextlib.asynccontextmanager
async def answering(open_answering: OpenAnswering | None) -> AsyncIterator[None]:
    """Answer managers as long as the context lasts, if there is an agent to be opened. See `keep_answering`."""
    if open_answering is None:
        yield
        return
    task = asyncio.get_running_loop().create_task(keep_answering(open_answering), name="SNMP")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def keep_answering(open_answering: OpenAnswering) -> None:
    """Answer managers until cancelled; when that cannot be, say so in the log, and try again now and then.

    Whatever becomes of its agent: a blade streams, a chassis is managed and a center distributes without it too.
    """
    while True:
        try:
            async with open_answering():
                await asyncio.Event().wait()
        except OSError as error:
            logger.error("SNMP managers are not answered: %s", in_words(error))  # noqa: TRY400 -- the sentence says it all
        except ValueError as error:
            logger.error("SNMP managers are not answered: %s", error)  # noqa: TRY400 -- as above
        except Exception:
            logger.exception("SNMP managers are not answered")
        await asyncio.sleep(_TRY_AGAIN_S)


def _load_notifier() -> "type[Notifier]":
    """Load pysnmp, which takes most of a second, only where there is somebody to be told, and off the loop."""
    from media_network.snmp.notifying.notifier import Notifier  # noqa: PLC0415

    return Notifier
