"""The engine's side of its bond with the director: enlisting, reporting, and the lease under which it may stream."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from blade_agent.main_board.engine.store import SegmentStore
from media_network.address import Address
from media_network.errors import NetworkError
from media_network.http_client import HttpClient
from media_network.messages.director import ENLIST, REPORT, Enlist, Enlisted, Report, StreamCursor
from media_network.messages.verb import Reply, Request, Verb
from media_network.refusal import Reason, Refused
from media_network.ticket import TicketKey

_log = logging.getLogger(__name__)

_RETRY_PAUSE_S = 0.25
_ENLIST_DEADLINE_S = 3.0


@dataclass(frozen=True, kw_only=True)
class EngineDuty:
    """What a main board is assigned to when it is a media engine."""

    slot: int
    address: Address
    """Where it serves; its streams leave from the same host."""
    director: Address
    epoch: int
    """Epoch of that director; who acts for another is refused."""
    capacity_bps: int


@dataclass(frozen=True)
class Load:
    """What a report says of the engine."""

    streams: tuple[StreamCursor, ...]
    push_bps: int
    pull_bps: int


class DirectorLink:
    """Speaks to one director for one term of duty."""

    def __init__(self, duty: EngineDuty, boot: str, client: HttpClient, store: SegmentStore) -> None:
        self.director = duty.director
        self.own = duty.address
        """Where we are reached."""
        self.boot = boot
        self.ticket_key: TicketKey | None = None
        """None until the director has enlisted us."""
        self.lease_s = 0.0
        self.lease_end_s = 0.0
        """On the loop's clock; nothing is streamed from then on."""
        self._duty = duty
        self._client = client
        self._store = store
        self._report_interval_s = 0.0
        self._renewed = asyncio.Event()
        self._enlist_due = asyncio.Event()

    def leased(self, now_s: float) -> bool:
        """Whether streams may be sent at `now_s` of the loop's clock."""
        return now_s < self.lease_end_s

    async def ask(
        self, verb: Verb[Request, Reply], request: Request, *, deadline_s: float = 2.0
    ) -> Reply | Refused | None:
        """Ask the director once, within a deadline; None if it gave no answer that can be used."""
        try:
            answer = await self._client.ask(self.director, verb, request, deadline_s=deadline_s)
        except NetworkError as error:
            _log.info("%s", error)
            return None
        if isinstance(answer, Refused) and answer.reason is Reason.UNKNOWN_ENGINE:
            self._enlist_due.set()
            return None
        return answer

    async def say(self, verb: Verb[Request, Reply], request: Request) -> Reply | Refused:
        """Tell the director, again and again until it has heard it."""
        while True:
            answer = await self.ask(verb, request)
            if answer is not None and not (isinstance(answer, Refused) and answer.reason is Reason.OVERDUE):
                return answer
            await asyncio.sleep(_RETRY_PAUSE_S)

    async def keep(
        self, load: Callable[[], Load], revoke: Callable[[StreamCursor], None], expire: Callable[[], None]
    ) -> None:
        """Enlist and report until cancelled.

        `revoke` is called for each stream the director does not let go on, `expire` when none may.
        """
        while True:
            await self._enlist(expire)
            await self._report_until_enlist_due(load, revoke)

    async def watch_lease(self, expire: Callable[[], None]) -> None:
        """Call `expire` whenever the lease has ended, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._renewed.wait()
            self._renewed.clear()
            await asyncio.sleep(self.lease_end_s - loop.time())
            if not self.leased(loop.time()):
                expire()

    async def _enlist(self, expire: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._enlist_due.clear()
            sent_s = loop.time()
            answer = await self.ask(ENLIST, self._enlistment(), deadline_s=_ENLIST_DEADLINE_S)
            if isinstance(answer, Enlisted) and (key := _bytes_of(answer.ticket_key)):
                self.ticket_key = TicketKey(key)
                self.lease_s = answer.lease_ms / 1000
                self._report_interval_s = answer.report_interval_ms / 1000
                # Enlisting renews no lease of streams that are under way: only a report names them.
                if not self.leased(loop.time()):
                    expire()
                    self._renew(sent_s)
                return
            if isinstance(answer, Refused):
                _log.warning("director %s does not enlist us: %s", self.director, answer)
            await asyncio.sleep(_RETRY_PAUSE_S)

    def _renew(self, sent_s: float) -> None:
        self.lease_end_s = max(self.lease_end_s, sent_s + self.lease_s)
        self._renewed.set()

    def _enlistment(self) -> Enlist:
        return Enlist(
            slot=self._duty.slot,
            engine=str(self.own),
            boot=self.boot,
            epoch=self._duty.epoch,
            capacity_bps=self._duty.capacity_bps,
            inventory=self._store.inventory(),
        )

    async def _report_until_enlist_due(self, load: Callable[[], Load], revoke: Callable[[StreamCursor], None]) -> None:
        losses = self._store.losses
        while not self._enlist_due.is_set() and losses == self._store.losses:
            await self._report(load(), revoke)
            await self._pause(self._report_interval_s)

    async def _report(self, load: Load, revoke: Callable[[StreamCursor], None]) -> None:
        report = Report(
            engine=str(self.own),
            boot=self.boot,
            epoch=self._duty.epoch,
            streams=load.streams,
            push_bps=load.push_bps,
            pull_bps=load.pull_bps,
            free_bytes=self._store.free_bytes,
        )
        # The lease counts from when the report was sent first, which is not later than when the director heard it.
        sent_s = asyncio.get_running_loop().time()
        answer = await self.ask(REPORT, report, deadline_s=max(self.lease_s / 3, self._report_interval_s))
        if isinstance(answer, Refused):
            _log.warning("director %s refuses our report: %s", self.director, answer)
        elif answer is not None:
            self._renew(sent_s)
            for cursor in answer.revoked:
                revoke(cursor)

    async def _pause(self, pause_s: float) -> None:
        try:
            async with asyncio.timeout(pause_s):
                await self._enlist_due.wait()
        except TimeoutError:
            return


def _bytes_of(hexadecimal: str) -> bytes:
    try:
        return bytes.fromhex(hexadecimal)
    except ValueError:
        return b""
