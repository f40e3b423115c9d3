"""Watches the network: asks the registries what there is, polls it, keeps what it hears."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

import apsw

from distribution_center.network_management.alarms import NetworkAlarm
from distribution_center.network_management.component import Component
from distribution_center.network_management.history import History, Sample
from distribution_center.network_management.network import Network
from distribution_center.network_management.objects import SEEN, Looked, Sight
from distribution_center.network_management.poll_error import PollError
from distribution_center.network_management.schedule import PollSchedule
from distribution_center.network_management.settings import NmsSettings
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.all_stations import all_stations_of
from media_network.http.client import HttpClient
from media_network.snmp.objects.times import wall_clock
from media_network.snmp.settings import UserSettings

logger = logging.getLogger(__name__)

_KEEP_EVERY_S = 2.0
_PATIENCE_S = 3.0
_NAMES_AGAIN_POLLS = 60
_WAITING_MAX = 200_000
"""Samples that wait for a disk that does not take them."""


class Poller(Protocol):
    """Asks agents."""

    async def look(self, agent: Address, sight: Sight, *, also_rarely: bool) -> Looked:
        """One poll. Raises `PollError`."""

    def keep_only(self, agents: set[Address]) -> None:
        """Forget all other agents."""


class Monitor:
    """The network management system at work; `changed` is called when something is to be shown anew."""

    def __init__(
        self,
        settings: NmsSettings,
        network: Network,
        history: History,
        *,
        http: HttpClient,
        poller: Poller,
        changed: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._network = network
        self._history = history
        self._http = http
        self._poller = poller
        self._changed = changed
        self._schedule = PollSchedule(settings.poll_s)
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(settings.at_once)
        self._polls: dict[str, int] = {}
        self._engines: dict[str, bytes] = {}
        """Engine ids by component."""
        self._samples: list[Sample] = []
        self._alarms: list[NetworkAlarm] = []
        self.on_engine: Callable[[bytes, UserSettings], None] = do_nothing
        """Gets the id of every engine that answers, and whom."""
        self.polls = 0
        self.polls_missed = 0

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_discovering(), name="discover")
            tasks.create_task(self._keep_polling(tasks), name="poll")
            tasks.create_task(self._keep_keeping(), name="keep history")

    def sender_heard(self, engine_id: bytes, host: str) -> None:
        """An engine has sent a notification from a host: whatever answers there is polled at once."""
        now = asyncio.get_running_loop().time()
        for component in self._network.components.values():
            agent, known = component.agent, self._engines.get(component.component)
            if agent is not None and (known == engine_id or agent.host == host):
                self._schedule.hurry(component.component, now)
        self._wake.set()

    def acknowledge(self, numbers: Iterable[int], person: str, comment: str) -> list[NetworkAlarm]:
        """A person has seen alarms; gives those that there are."""
        alarms = self._network.acknowledge(numbers, person, comment, wall_clock())
        self._note((), alarms)
        return alarms

    async def keep(self) -> None:
        """Write what waits to the history."""
        samples, self._samples = self._samples, []
        alarms, self._alarms = self._alarms, []
        if not samples and not alarms:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._history.add, samples, alarms, wall_clock())
        except apsw.Error as error:
            logger.warning("the history cannot be written: %s", error)
            self._samples = samples[-_WAITING_MAX:]
            self._alarms = alarms + self._alarms

    async def _keep_discovering(self) -> None:
        while True:
            await asyncio.gather(*(self._ask_registry(center) for center in self._settings.watched))
            self._rediscover()
            await asyncio.sleep(self._settings.discover_s)

    async def _ask_registry(self, center: str) -> None:
        address = Address.parse(self._settings.watched[center].address)
        stations = await all_stations_of(self._http, address, deadline_s=_PATIENCE_S)
        if stations is not None:
            self._network.registry_said(center, stations, wall_clock())

    def _rediscover(self) -> None:
        now = asyncio.get_running_loop().time()
        news = self._network.rediscover(now, wall_clock())
        polled = {each.component for each in self._network.components.values() if each.agent is not None}
        self._schedule.watch(polled, now)
        self._poller.keep_only({each.agent for each in self._network.components.values() if each.agent is not None})
        self._wake.set()
        self._note((), news)

    async def _keep_polling(self, tasks: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            while (name := self._schedule.take_due(loop.time())) is None:
                self._wake.clear()
                at = self._schedule.next_at()
                try:
                    async with asyncio.timeout_at(at):
                        await self._wake.wait()
                except TimeoutError:
                    continue
            tasks.create_task(self._poll(name), name=f"poll {name}")

    async def _poll(self, name: str) -> None:
        loop = asyncio.get_running_loop()
        try:
            component = self._network.components.get(name)
            if component is not None and component.agent is not None:
                await self._look(component, component.agent)
        finally:
            self._room.release()
            self._schedule.done(name, loop.time())
            self._wake.set()

    async def _look(self, component: Component, agent: Address) -> None:
        loop, name = asyncio.get_running_loop(), component.component
        polls = self._polls[name] = self._polls.get(name, -1) + 1
        rarely = polls % _NAMES_AGAIN_POLLS == 0 or not self._network.names_known(name)
        self.polls += 1
        try:
            looked = await self._poller.look(agent, SEEN[component.kind], also_rarely=rarely)
        except PollError as error:
            self.polls_missed += 1
            self._note((), self._network.missed(name, error.reason, loop.time(), wall_clock()))
            return
        engine_id = looked.scalars.get("snmpEngineID")
        if isinstance(engine_id, bytes):
            self._engines[name] = engine_id
            self.on_engine(engine_id, self._network.found.user_of(agent))
        station = component.parent
        said = self._network.found.said_of(station)
        self._note(*self._network.answered(name, looked, loop.time(), wall_clock()))
        if self._network.found.said_of(station) != said:
            self._rediscover_station(station)

    def _rediscover_station(self, station: str) -> None:
        """Blades have come or gone."""
        now = asyncio.get_running_loop().time()
        before = self._network.agents_in(station)
        news = self._network.rediscover_station(station, now, wall_clock())
        after = self._network.agents_in(station)
        for name in before - after:
            self._schedule.leave(name)
        for name in after:
            self._schedule.add(name, now)
        self._wake.set()
        self._note((), news)

    async def _keep_keeping(self) -> None:
        while True:
            await asyncio.sleep(_KEEP_EVERY_S)
            self._note((), self._network.settle(wall_clock()))
            await self.keep()

    def _note(self, samples: Iterable[Sample], alarms: Iterable[NetworkAlarm]) -> None:
        self._samples += samples
        self._alarms += alarms
        self._changed()
