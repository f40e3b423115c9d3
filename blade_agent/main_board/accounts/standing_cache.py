"""The heart of the cache between a station and subscriber management (claim 6): an event and the time in, effects out.

What is known of a viewer is *fresh*, *stale* (it counts, and is asked anew beside it), in its *grace* (it counts while
nobody can be asked) or *unknown*. While questions fail nobody waits for one. One question serves all who wait for it.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from blade_agent.main_board.accounts.ruling import KnownProgram, KnownSubscriber, Ruling, refusal, rule
from media_network.fields import ProgramId
from media_network.messages.billing import AdmissionGround
from media_network.messages.subscribers import (
    SubscriberChange,
    SubscriberId,
    SubscriberStanding,
    SubscriberState,
)
from media_network.refusal import Reason, Refused

_Known = TypeVar("_Known", KnownSubscriber, KnownProgram)


class CacheTerms(Struct, frozen=True, kw_only=True):
    """How long what was said counts, and how much is kept."""

    fresh_ms: int = 60_000
    stale_ms: int = 3_600_000
    grace_ms: int = 7 * 86_400_000
    refusal_ms: int = 5000
    retry_ms: int = 2000
    """Between questions while they fail."""
    admits_unconfirmed: bool = True
    kept_max: int = 20_000
    asking_max: int = 64
    """Questions under way."""
    waiting_max: int = 10_000
    """Viewers who wait for an answer."""


class Wish(NamedTuple):
    """Who wants to see what."""

    subscriber: SubscriberId
    program: ProgramId


# What happens


class WishCame(NamedTuple):
    """A viewer asks."""

    waiter: int
    wish: Wish


class StandingCame(NamedTuple):
    """Subscriber management has answered."""

    wish: Wish
    standing: SubscriberStanding


class QuestionFailed(NamedTuple):
    """It has not, in time."""

    wish: Wish


class WaiterLeft(NamedTuple):
    """A viewer has waited for as long as anybody does."""

    waiter: int


class ChangeTold(NamedTuple):
    """Something is not as it was."""

    change: SubscriberChange


class BegunAnew(NamedTuple):
    """The numbers of changes begin anew: what was missed is not known."""


CacheEvent: TypeAlias = WishCame | StandingCame | QuestionFailed | WaiterLeft | ChangeTold | BegunAnew


# What follows


class LetIn(NamedTuple):
    """A viewer may see it."""

    waiter: int
    ground: AdmissionGround


class TurnedAway(NamedTuple):
    """A viewer may not."""

    waiter: int
    refused: Refused


class AskManagement(NamedTuple):
    """Ask, and say how it went."""

    wish: Wish


class RememberSubscriber(NamedTuple):
    """Keep it; None: no more."""

    subscriber: SubscriberId
    known: KnownSubscriber | None


class RememberProgram(NamedTuple):
    """Keep it; None: no more."""

    program: ProgramId
    known: KnownProgram | None


CacheEffect: TypeAlias = LetIn | TurnedAway | AskManagement | RememberSubscriber | RememberProgram
_Effects: TypeAlias = Iterator[CacheEffect]

NOT_CONFIRMED = Refused(Reason.OVERDUE, "subscriber management cannot be asked, and nothing is known of the subscriber")


class _Question:
    def __init__(self) -> None:
        self.waiters: dict[int, None] = {}
        self.said = False
        self.doubtful = False
        """Something has changed since it was said."""


class _Kept(Generic[_Known]):
    """The last ones that were asked for, no more than so many."""

    def __init__(self, most: int) -> None:
        self.entries: OrderedDict[str, _Known] = OrderedDict()
        self._most = most

    def get(self, name: str) -> _Known | None:
        entry = self.entries.get(name)
        if entry is not None:
            self.entries.move_to_end(name)
        return entry

    def put(self, name: str, known: _Known, *, wanted: bool = True) -> str | None:
        """Keep it; `wanted`: somebody has asked for it. Gives the name of one that had to go."""
        new = name not in self.entries
        self.entries[name] = known
        if wanted or new:
            self.entries.move_to_end(name, last=wanted)
        return self.entries.popitem(last=False)[0] if len(self.entries) > self._most else None


class StandingCache:
    """What a station knows of subscribers, and whom it is asking about."""

    def __init__(self, terms: CacheTerms) -> None:
        self._terms = terms
        self._subscribers: _Kept[KnownSubscriber] = _Kept(terms.kept_max)
        self._programs: _Kept[KnownProgram] = _Kept(terms.kept_max)
        self._questions: dict[Wish, _Question] = {}
        self._unsaid: deque[Wish] = deque()
        self._waiting: dict[int, Wish] = {}
        self._failing = False
        self._retry_at_ms = 0

    @property
    def failing(self) -> bool:
        """Whether the last question that ended has failed."""
        return self._failing

    @property
    def asking(self) -> int:
        """Questions under way."""
        return len(self._questions) - len(self._unsaid)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """How many subscribers and programs are known, and how many viewers wait."""
        return len(self._subscribers.entries), len(self._programs.entries), len(self._waiting)

    def recall(self, subscribers: dict[str, KnownSubscriber], programs: dict[str, KnownProgram]) -> None:
        """Know what was kept before a restart, beside what has been heard since."""
        for subscriber, known in subscribers.items():
            if subscriber not in self._subscribers.entries:
                self._subscribers.put(subscriber, known)
        for program, of_program in programs.items():
            if program not in self._programs.entries:
                self._programs.put(program, of_program)

    def on(self, event: CacheEvent, now_ms: int) -> list[CacheEffect]:
        """Take an event; give what is to be done, in order."""
        return list(self._on(event, now_ms))

    def _on(self, event: CacheEvent, now_ms: int) -> _Effects:
        match event:
            case WishCame(waiter, wish):
                yield from self._wish(waiter, wish, now_ms)
            case StandingCame(wish, standing):
                yield from self._answered(wish, standing, now_ms)
            case QuestionFailed(wish):
                yield from self._failed(wish, now_ms)
            case WaiterLeft(waiter):
                yield from self._left(waiter, now_ms)
            case ChangeTold(change):
                yield from self._told(change, now_ms)
            case BegunAnew():
                yield from self._doubt_everything(now_ms)

    # Viewers

    def _wish(self, waiter: int, wish: Wish, now_ms: int) -> _Effects:
        terms, ruling = self._terms, self._ruling(wish, now_ms)
        age_ms = now_ms - ruling.at_ms
        if ruling.may and age_ms < terms.fresh_ms:
            yield LetIn(waiter, AdmissionGround.FRESH)
        elif ruling.may and age_ms < terms.stale_ms:
            yield LetIn(waiter, AdmissionGround.STALE)
            yield from self._ask_beside(wish, now_ms)
        elif ruling.may is False and age_ms < terms.refusal_ms:
            yield self._turn_away(waiter, wish)
        elif self._failing or len(self._waiting) >= terms.waiting_max:
            yield self._without_asking(waiter, wish, now_ms)
            yield from self._ask_beside(wish, now_ms)
        else:
            self._waiting[waiter] = wish
            question = self._question(wish)
            question.waiters[waiter] = None
            yield from self._say_next()

    def _left(self, waiter: int, now_ms: int) -> _Effects:
        wish = self._waiting.pop(waiter, None)
        if wish:
            del self._questions[wish].waiters[waiter]
            yield self._without_asking(waiter, wish, now_ms)

    def _without_asking(self, waiter: int, wish: Wish, now_ms: int) -> LetIn | TurnedAway:
        """What is known counts, however old, within its grace."""
        ruling = self._ruling(wish, now_ms)
        if ruling.may is None:
            if self._terms.admits_unconfirmed:
                return LetIn(waiter, AdmissionGround.UNCONFIRMED)
            return TurnedAway(waiter, NOT_CONFIRMED)
        if ruling.may:
            return LetIn(waiter, AdmissionGround.GRACE)
        return self._turn_away(waiter, wish)

    def _turn_away(self, waiter: int, wish: Wish) -> TurnedAway:
        return TurnedAway(waiter, refusal(self._subscribers.get(wish.subscriber), wish.program))

    def _ruling(self, wish: Wish, now_ms: int) -> Ruling:
        subscriber, known = self._subscribers.get(wish.subscriber), self._programs.get(wish.program)
        ruling = rule(subscriber, known, wish.program, now_ms)
        return Ruling(None) if now_ms - ruling.at_ms >= self._terms.grace_ms else ruling

    # Questions

    def _ask_beside(self, wish: Wish, now_ms: int) -> _Effects:
        """Nobody waits for this one; while questions fail it is a try, one at a time."""
        if self._failing:
            if now_ms < self._retry_at_ms:
                return
            self._retry_at_ms = now_ms + self._terms.retry_ms
        if wish in self._questions or len(self._questions) >= self._terms.waiting_max:
            return
        self._question(wish)
        yield from self._say_next()

    def _question(self, wish: Wish) -> _Question:
        question = self._questions.get(wish)
        if question is None:
            question = self._questions[wish] = _Question()
            self._unsaid.append(wish)
        return question

    def _say_next(self) -> _Effects:
        while self._unsaid and self.asking < self._terms.asking_max:
            wish = self._unsaid.popleft()
            self._questions[wish].said = True
            yield AskManagement(wish)

    def _answered(self, wish: Wish, standing: SubscriberStanding, now_ms: int) -> _Effects:
        self._failing = False
        question = self._questions.get(wish)
        if question is None:
            return
        if question.doubtful:
            question.doubtful = False
            yield AskManagement(wish)
            return
        del self._questions[wish]
        known = KnownSubscriber(state=standing.state, grants=standing.grants, at_ms=now_ms)
        yield from self._remember_subscriber(wish.subscriber, known)
        of_program = KnownProgram(packages=frozenset(standing.packages), at_ms=now_ms)
        yield from self._remember_program(wish.program, of_program)
        for waiter in question.waiters:
            del self._waiting[waiter]
            may = rule(known, of_program, wish.program, now_ms).may
            yield LetIn(waiter, AdmissionGround.FRESH) if may else TurnedAway(waiter, refusal(known, wish.program))
        yield from self._say_next()

    def _failed(self, wish: Wish, now_ms: int) -> _Effects:
        """Whoever waits is answered by what is known, and who has not been asked about yet is not now."""
        self._failing = True
        self._retry_at_ms = now_ms + self._terms.retry_ms
        over = [wish, *self._unsaid] if wish in self._questions else list(self._unsaid)
        self._unsaid.clear()
        for each in over:
            for waiter in self._questions.pop(each).waiters:
                del self._waiting[waiter]
                yield self._without_asking(waiter, each, now_ms)

    # News

    def _told(self, change: SubscriberChange, now_ms: int) -> _Effects:
        for wish, question in self._questions.items():
            if question.said and (wish.subscriber == change.subscriber or wish.program == change.program):
                question.doubtful = True
        if change.program is not None and (of_program := self._programs.entries.get(change.program)):
            yield from self._remember_program(change.program, self._doubted(of_program, now_ms), wanted=False)
        if change.subscriber is not None:
            yield from self._told_of(change.subscriber, change.state or SubscriberState.UNKNOWN, now_ms)

    def _told_of(self, subscriber: SubscriberId, state: SubscriberState, now_ms: int) -> _Effects:
        known = self._subscribers.entries.get(subscriber)
        if state is not SubscriberState.ACTIVE:
            # Also of who was never here: nobody who is cut off is to let them in.
            yield from self._remember_subscriber(subscriber, KnownSubscriber(state=state, at_ms=now_ms), wanted=False)
        elif known and known.state is SubscriberState.ACTIVE:
            yield from self._remember_subscriber(subscriber, self._doubted(known, now_ms), wanted=False)
        elif known:
            del self._subscribers.entries[subscriber]
            yield RememberSubscriber(subscriber, None)

    def _doubt_everything(self, now_ms: int) -> _Effects:
        for question in self._questions.values():
            question.doubtful = question.said
        for subscriber, known in list(self._subscribers.entries.items()):
            yield from self._remember_subscriber(subscriber, self._doubted(known, now_ms))
        for program, of_program in list(self._programs.entries.items()):
            yield from self._remember_program(program, self._doubted(of_program, now_ms))

    def _doubted(self, known: _Known, now_ms: int) -> _Known:
        """It counts only while nobody can be asked."""
        return replace(known, at_ms=min(known.at_ms, now_ms - self._terms.stale_ms))

    def _remember_subscriber(
        self, subscriber: SubscriberId, known: KnownSubscriber, *, wanted: bool = True
    ) -> _Effects:
        gone = self._subscribers.put(subscriber, known, wanted=wanted)
        if gone != subscriber:
            yield RememberSubscriber(subscriber, known)
        if gone is not None:
            yield RememberSubscriber(gone, None)

    def _remember_program(self, program: ProgramId, known: KnownProgram, *, wanted: bool = True) -> _Effects:
        gone = self._programs.put(program, known, wanted=wanted)
        if gone != program:
            yield RememberProgram(program, known)
        if gone is not None:
            yield RememberProgram(gone, None)
