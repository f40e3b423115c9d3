"""The cache between a station and subscriber management, at work (claim 6): questions asked, news heard, all kept.

What it knows is on the blade's disk, a second late at most, and good after a restart with subscriber management away.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TypeVar

import msgspec

from blade_agent.main_board.accounts.kept_rows import KeptRows, Row
from blade_agent.main_board.accounts.ruling import KnownProgram, KnownSubscriber
from blade_agent.main_board.accounts.settings import AccountsLinkSettings, Unconfirmed
from blade_agent.main_board.accounts.standing_cache import (
    AskManagement,
    BegunAnew,
    CacheEvent,
    CacheTerms,
    ChangeTold,
    LetIn,
    QuestionFailed,
    RememberProgram,
    RememberSubscriber,
    StandingCache,
    StandingCame,
    TurnedAway,
    WaiterLeft,
    Wish,
    WishCame,
)
from media_network.fields import ProgramId
from media_network.files import Files
from media_network.http.client import HttpClient
from media_network.http.errors import NetworkError
from media_network.messages.billing import AdmissionGround
from media_network.messages.subscribers import (
    ASK_SUBSCRIBER_NEWS,
    ASK_SUBSCRIBER_STANDING,
    AskSubscriberNews,
    AskSubscriberStanding,
    SubscriberNews,
)
from media_network.os_trouble import in_words
from media_network.refusal import Refused

logger = logging.getLogger(__name__)

STANDINGS_FILE = "standings.sqlite"
_REBUILT = "subscriber management is asked again"
_SUBSCRIBER, _PROGRAM, _FEED = "subscriber", "program", "feed"
ANSWER_WITHIN_S = 1.0
"""So long a viewer waits for an answer; then what is known decides."""
_NEWS_WAIT_S = 25.0
"""Nobody between two hosts forgets a connection as silent as that."""
_PATIENCE_S = 3.0
_LOOK_AGAIN_S, _LOOK_AGAIN_MAX_S = 2.0, 300.0
"""While nobody answers, twice as long each time; when somebody does, at once."""
_KEEP_EVERY_S = 1.0

_Decoded = TypeVar("_Decoded")


class SubscriberCache:
    """Decides who may see what, with as few questions as may be."""

    def __init__(self, settings: AccountsLinkSettings, state: Path, files: Files, now_ms: Callable[[], int]) -> None:
        self._management = settings.management
        self._now_ms = now_ms
        self._core = StandingCache(_terms(settings))
        self._file = KeptRows(files, state / STANDINGS_FILE, _REBUILT)
        self._waiters: dict[int, asyncio.Future[AdmissionGround | Refused]] = {}
        self._numbers = count()
        self._dirty: dict[tuple[str, str], bytes | None] = {}
        self._to_keep = asyncio.Event()
        self._heard: int | None = None
        self._used = asyncio.Event()
        self._answers = asyncio.Event()
        self._recalled = asyncio.Event()
        """Who comes before what was known is read waits for that: it may be a refusal."""
        self._http: HttpClient | None = None
        self._tasks: asyncio.TaskGroup | None = None

    async def admit(self, subscriber: str, program: ProgramId) -> AdmissionGround | Refused:
        """Whether a subscriber may see a program, and on what ground; within a second, whatever the network does."""
        self._used.set()
        if not self._recalled.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    await self._recalled.wait()
        waiter = next(self._numbers)
        answer: asyncio.Future[AdmissionGround | Refused] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = answer
        try:
            self._hear(WishCame(waiter, Wish(subscriber, program)))
            if not answer.done():
                await asyncio.wait([answer], timeout=ANSWER_WITHIN_S)
                if not answer.done():
                    self._hear(WaiterLeft(waiter))
            return answer.result()
        finally:
            if not answer.done():
                self._hear(WaiterLeft(waiter))
            del self._waiters[waiter]

    async def run(self, http: HttpClient) -> None:
        """Ask, hear news and keep what is known, until cancelled."""
        await self._recall()
        self._recalled.set()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._http, self._tasks = http, tasks
                tasks.create_task(self._follow(http), name="news of subscribers")
                tasks.create_task(self._keep(), name="keep standings")
        finally:
            self._http = self._tasks = None

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many subscribers and programs are known, and how many viewers wait."""
        return self._core.sizes

    # What the core wants

    def _hear(self, event: CacheEvent) -> None:
        for effect in self._core.on(event, self._now_ms()):
            match effect:
                case LetIn(waiter, ground):
                    self._answer(waiter, ground)
                case TurnedAway(waiter, refused):
                    self._answer(waiter, refused)
                case AskManagement(wish):
                    self._ask_beside(wish)
                case RememberSubscriber(subscriber, known):
                    self._note(_SUBSCRIBER, subscriber, msgspec.json.encode(known) if known else None)
                case RememberProgram(program, of_program):
                    self._note(_PROGRAM, program, msgspec.json.encode(of_program) if of_program else None)

    def _answer(self, waiter: int, answer: AdmissionGround | Refused) -> None:
        waiting = self._waiters.get(waiter)
        if waiting and not waiting.done():
            waiting.set_result(answer)

    def _ask_beside(self, wish: Wish) -> None:
        if self._http is None or self._tasks is None:
            asyncio.get_running_loop().call_soon(self._hear, QuestionFailed(wish))
        else:
            self._tasks.create_task(self._ask(self._http, wish), name=f"standing of {wish.subscriber}")

    async def _ask(self, http: HttpClient, wish: Wish) -> None:
        asked = AskSubscriberStanding(subscriber=wish.subscriber, program=wish.program)
        try:
            answer = await http.ask(
                self._management, ASK_SUBSCRIBER_STANDING, asked, deadline_s=ANSWER_WITHIN_S, while_refused=False
            )
        except NetworkError as error:
            self._fail(wish, str(error))
            return
        if isinstance(answer, Refused):
            self._fail(wish, f"subscriber management at {self._management} refuses: {answer}")
            return
        if self._core.failing:
            logger.info("subscriber management at %s answers again", self._management)
        self._answers.set()
        self._hear(StandingCame(wish, answer))

    def _fail(self, wish: Wish, why: str) -> None:
        if not self._core.failing:
            logger.warning("%s; what it said before is good meanwhile", why)
        self._hear(QuestionFailed(wish))

    # News

    async def _follow(self, http: HttpClient) -> None:
        """Wait for what has changed, from the first viewer on, until cancelled."""
        await self._used.wait()
        pause_s = _LOOK_AGAIN_S
        while True:
            asked = AskSubscriberNews(since=self._heard, wait_ms=0 if self._heard is None else int(_NEWS_WAIT_S * 1000))
            began_s = asyncio.get_running_loop().time()
            news = await http.tell(
                self._management,
                ASK_SUBSCRIBER_NEWS,
                asked,
                deadline_s=_NEWS_WAIT_S + _PATIENCE_S,
                while_refused=False,
            )
            if news is None:
                pause_s = min(2 * pause_s, _LOOK_AGAIN_MAX_S)
            else:
                pause_s = _LOOK_AGAIN_S
                told = news.until != self._heard
                self._learn(news)
                if told or asyncio.get_running_loop().time() - began_s > _NEWS_WAIT_S / 2:
                    continue
            self._answers.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._answers.wait()

    def _learn(self, news: SubscriberNews) -> None:
        if self._heard is not None and news.until < self._heard:
            logger.warning("the news of subscriber management begin anew: all is asked again")
            self._hear(BegunAnew())
        for change in news.changes:
            self._hear(ChangeTold(change))
        if news.until != self._heard:
            self._heard = news.until
            self._note(_FEED, _FEED, msgspec.json.encode(news.until))

    # The disk

    def _note(self, kind: str, key: str, octets: bytes | None) -> None:
        self._dirty[kind, key] = octets
        self._to_keep.set()

    async def _keep(self) -> None:
        while True:
            await self._to_keep.wait()
            await asyncio.sleep(_KEEP_EVERY_S)
            self._to_keep.clear()
            dirty, self._dirty = self._dirty, {}
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._write, dirty)
            except OSError as error:
                logger.warning("what is known of subscribers cannot be kept: %s", in_words(error))

    def _write(self, dirty: dict[tuple[str, str], bytes | None]) -> None:
        self._file.keep(
            [Row(*name, octets) for name, octets in dirty.items() if octets is not None],
            [name for name, octets in dirty.items() if octets is None],
        )

    async def _recall(self) -> None:
        try:
            rows = await asyncio.get_running_loop().run_in_executor(None, self._read)
        except OSError as error:
            logger.warning("what was known of subscribers cannot be read: %s", in_words(error))
            return
        subscribers = _decoded(rows[_SUBSCRIBER], KnownSubscriber)
        self._core.recall(subscribers, _decoded(rows[_PROGRAM], KnownProgram))
        self._heard = _decoded(rows[_FEED], int).get(_FEED)
        if subscribers:
            self._used.set()

    def _read(self) -> dict[str, list[Row]]:
        self._file.take_stock()
        return {kind: self._file.first(kind) for kind in (_SUBSCRIBER, _PROGRAM, _FEED)}


def _terms(settings: AccountsLinkSettings) -> CacheTerms:
    return CacheTerms(
        fresh_ms=int(settings.fresh_s * 1000),
        stale_ms=int(settings.stale_s * 1000),
        grace_ms=int(settings.grace_s * 1000),
        refusal_ms=int(settings.refusal_s * 1000),
        admits_unconfirmed=settings.unconfirmed is Unconfirmed.ADMIT,
        kept_max=settings.kept,
    )


def _decoded(rows: list[Row], kind: type[_Decoded]) -> dict[str, _Decoded]:
    """What makes sense of them."""
    found = {}
    for row in rows:
        try:
            found[row.key] = msgspec.json.decode(row.octets, type=kind)
        except msgspec.MsgspecError:
            logger.warning("what is kept of %s %s makes no sense: %s", row.kind, row.key, _REBUILT)
    return found
