"""The heart of the cache of subscribers (claim 6): properties that hold whatever comes, and its terms one by one."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.accounts.standing_cache import (
    AskManagement,
    BegunAnew,
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
from media_network.messages.billing import AdmissionGround
from media_network.messages.subscribers import Grant, SubscriberChange, SubscriberStanding, SubscriberState
from media_network.refusal import Reason

TERMS = CacheTerms(
    fresh_ms=60, stale_ms=600, grace_ms=6000, refusal_ms=5, retry_ms=20, kept_max=3, asking_max=2, waiting_max=8
)
ACTIVE, CANCELLED = SubscriberState.ACTIVE, SubscriberState.CANCELLED
ALL = SubscriberStanding(state=ACTIVE, grants=(Grant(what="*"),))
CLASSICS = SubscriberStanding(state=ACTIVE, grants=(Grant(what="classics", package=True),), packages=("classics",))
NOTHING = SubscriberStanding(state=ACTIVE)
GONE = SubscriberStanding(state=CANCELLED)
ADA = Wish("ada", "film-a")


def known(standing=ALL, at_ms=0, terms=TERMS, wish=ADA):
    """A cache that has been told of a wish at a time."""
    cache = StandingCache(terms)
    cache.on(WishCame(0, wish), at_ms)
    cache.on(StandingCame(wish, standing), at_ms)
    return cache


def grounds(effects):
    return [effect.ground for effect in effects if isinstance(effect, LetIn)]


def asked(effects):
    return [effect.wish for effect in effects if isinstance(effect, AskManagement)]


def refused(effects):
    return [effect.refused.reason for effect in effects if isinstance(effect, TurnedAway)]


def test_fresh_counts_without_a_question_and_stale_beside_one():
    cache = known()
    assert cache.on(WishCame(1, ADA), 59) == [LetIn(1, AdmissionGround.FRESH)]
    first = cache.on(WishCame(1, ADA), 60)
    assert (grounds(first), asked(first)) == ([AdmissionGround.STALE], [ADA])
    assert cache.on(WishCame(2, ADA), 61) == [LetIn(2, AdmissionGround.STALE)], "one question serves all"
    cache.on(StandingCame(ADA, ALL), 62)
    assert cache.on(WishCame(3, ADA), 63) == [LetIn(3, AdmissionGround.FRESH)]


def test_what_is_old_counts_only_while_nobody_can_be_asked():
    cache = known()
    assert cache.on(WishCame(1, ADA), 600) == [AskManagement(ADA)], "who can be asked is"
    assert grounds(cache.on(QuestionFailed(ADA), 601)) == [AdmissionGround.GRACE]
    effects = cache.on(WishCame(2, ADA), 610)
    assert effects == [LetIn(2, AdmissionGround.GRACE)], "nobody waits while questions fail"
    assert asked(cache.on(WishCame(3, ADA), 621)) == [ADA], "a try"
    assert not asked(cache.on(WishCame(4, ADA), 622)), "at a time"
    cache.on(StandingCame(ADA, GONE), 623)
    assert refused(cache.on(WishCame(5, ADA), 624)) == [Reason.NOT_ENTITLED]


def test_beyond_its_grace_nothing_is_known():
    for admits, expected in ((True, [AdmissionGround.UNCONFIRMED]), (False, [])):
        cache = known(terms=CacheTerms(grace_ms=6000, fresh_ms=60, stale_ms=600, admits_unconfirmed=admits))
        cache.on(WishCame(1, ADA), 6000)
        effects = cache.on(QuestionFailed(ADA), 6001)
        assert grounds(effects) == expected
        assert refused(effects) == ([] if admits else [Reason.OVERDUE])


def test_a_refusal_is_asked_again_after_moments_and_counts_longer_only_while_nobody_can_be_asked():
    cache = known(NOTHING)
    assert refused(cache.on(WishCame(1, ADA), 4)) == [Reason.NOT_ENTITLED]
    assert cache.on(WishCame(2, ADA), 5) == [AskManagement(ADA)]
    assert grounds(cache.on(StandingCame(ADA, ALL), 6)) == [AdmissionGround.FRESH], "who has just paid"
    cache = known(GONE)
    cache.on(WishCame(1, ADA), 5)
    assert refused(cache.on(QuestionFailed(ADA), 6)) == [Reason.NOT_ENTITLED]
    assert refused(cache.on(WishCame(2, ADA), 5999)) == [Reason.NOT_ENTITLED]


def test_a_window_opens_and_closes_by_the_clock_with_nobody_asked():
    window = SubscriberStanding(state=ACTIVE, grants=(Grant(what="film-a", from_ms=10, until_ms=20),))
    cache = known(window, terms=CacheTerms(fresh_ms=60, refusal_ms=60))
    seen = {now: grounds(cache.on(WishCame(now, ADA), now)) for now in (9, 10, 19, 20)}
    assert seen == {9: [], 10: [AdmissionGround.FRESH], 19: [AdmissionGround.FRESH], 20: []}


def test_packages_are_known_by_program_so_that_one_answer_helps_another_viewer():
    cache = known(CLASSICS)
    cache.on(WishCame(1, Wish("bob", "film-b")), 0)
    cache.on(StandingCame(Wish("bob", "film-b"), CLASSICS), 0)
    assert grounds(cache.on(WishCame(2, Wish("bob", "film-a")), 1)) == [AdmissionGround.FRESH]
    assert asked(cache.on(WishCame(3, Wish("bob", "film-c")), 1)) == [Wish("bob", "film-c")]


def test_news_count_at_once_also_of_who_was_never_here_and_against_a_question_under_way():
    cache = known()
    cancelled = ChangeTold(SubscriberChange(number=1, subscriber="ada", state=CANCELLED))
    cache.on(WishCame(1, ADA), 60)  # asks anew
    cache.on(cancelled, 61)
    assert refused(cache.on(WishCame(2, ADA), 62)) == [Reason.NOT_ENTITLED]
    assert asked(cache.on(StandingCame(ADA, ALL), 63)) == [ADA], "that answer may be older than the news"
    cache = StandingCache(TERMS)
    cache.on(cancelled, 0)
    cache.on(WishCame(1, ADA), 100)
    assert refused(cache.on(QuestionFailed(ADA), 101)) == [Reason.NOT_ENTITLED]
    cache.on(ChangeTold(SubscriberChange(number=2, subscriber="ada", state=ACTIVE)), 102)
    assert grounds(cache.on(WishCame(3, ADA), 103)) == [AdmissionGround.UNCONFIRMED], "no refusal outlives its reason"


def test_what_has_changed_is_asked_before_it_counts_again():
    for change in (
        SubscriberChange(number=1, subscriber="ada", state=ACTIVE),
        SubscriberChange(number=1, program="film-a"),
    ):
        cache = known(CLASSICS)
        cache.on(ChangeTold(change), 1)
        assert cache.on(WishCame(1, ADA), 2) == [AskManagement(ADA)]
        assert refused(cache.on(StandingCame(ADA, NOTHING), 3)) == [Reason.NOT_ENTITLED]
    cache = known(CLASSICS)
    cache.on(BegunAnew(), 1)
    assert cache.on(WishCame(1, ADA), 2) == [AskManagement(ADA)]


def test_a_stampede_is_one_question_a_wish_and_few_at_a_time():
    cache = StandingCache(CacheTerms(asking_max=2, waiting_max=10_000))
    effects = [effect for waiter in range(1000) for effect in cache.on(WishCame(waiter, ADA), 0)]
    assert effects == [AskManagement(ADA)]
    assert len(grounds(cache.on(StandingCame(ADA, ALL), 1))) == 1000
    wishes = [Wish(f"viewer-{number}", "film-a") for number in range(50)]
    said = [wish for number, wish in enumerate(wishes) for wish in asked(cache.on(WishCame(number, wish), 1))]
    assert said == wishes[:2]
    said += asked(cache.on(StandingCame(wishes[0], ALL), 2))
    assert said == wishes[:3]
    assert len(grounds(cache.on(QuestionFailed(wishes[1]), 3))) == 48, "the others are not asked about now"


def test_a_crowd_that_is_too_large_does_not_wait():
    cache = StandingCache(TERMS)
    for waiter in range(TERMS.waiting_max):
        assert not grounds(cache.on(WishCame(waiter, ADA), 0))
    assert grounds(cache.on(WishCame(99, ADA), 0)) == [AdmissionGround.UNCONFIRMED]


# Whatever comes

NAMES, FILMS = ("ada", "bob", "carl", "dora", "eve"), ("film-a", "film-b", "film-c", "film-d")
WISHES = st.builds(Wish, st.sampled_from(NAMES), st.sampled_from(FILMS))
CHANGES = st.one_of(
    st.builds(
        SubscriberChange,
        number=st.just(1),
        subscriber=st.sampled_from(NAMES),
        state=st.sampled_from([ACTIVE, CANCELLED]),
    ),
    st.builds(SubscriberChange, number=st.just(1), program=st.sampled_from(FILMS)),
)
_INDEXES = st.integers(0, 5)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 700),
        st.one_of(
            st.tuples(st.just("wish"), WISHES),
            st.tuples(st.just("answer"), _INDEXES, st.sampled_from([ALL, CLASSICS, NOTHING, GONE])),
            st.tuples(st.just("fail"), _INDEXES),
            st.tuples(st.just("leave"), _INDEXES),
            st.tuples(st.just("change"), CHANGES),
            st.tuples(st.just("begin_anew")),
        ),
    ),
    max_size=40,
)


class Checked:
    """A cache, and what must hold of all that it does."""

    def __init__(self):
        self.cache = StandingCache(TERMS)
        self.waiting, self.under_way, self.kept = {}, [], Counter()
        self.told = {}
        """What was said last of each subscriber, and when, by answers and news."""

    def on(self, event, now_ms):
        effects = self.cache.on(event, now_ms)
        for effect in effects:
            match effect:
                case LetIn(waiter, ground):
                    wish = self.waiting.pop(waiter)
                    state, at_ms = self.told.get(wish.subscriber, (None, -(10**9)))
                    if ground in (AdmissionGround.FRESH, AdmissionGround.STALE, AdmissionGround.GRACE):
                        assert state is ACTIVE, "nobody is let in who was said to be cancelled last"
                    age_ms, bounds = now_ms - at_ms, {"fresh": TERMS.fresh_ms, "stale": TERMS.stale_ms}
                    assert age_ms < bounds.get(ground.value, TERMS.grace_ms) or ground is AdmissionGround.UNCONFIRMED
                case TurnedAway(waiter, _):
                    del self.waiting[waiter]
                case AskManagement(wish):
                    assert wish not in self.under_way, "one question serves all"
                    self.under_way.append(wish)
                case RememberSubscriber(name, entry):
                    self.kept["subscriber", name] = entry is not None
                case RememberProgram(name, entry):
                    self.kept["program", name] = entry is not None
        assert self.cache.asking <= TERMS.asking_max
        assert self.cache.asking == len(self.under_way)
        subscribers, programs, waiting = self.cache.sizes
        assert max(subscribers, programs) <= TERMS.kept_max
        assert waiting == len(self.waiting) <= TERMS.waiting_max
        assert sum(self.kept.values()) == subscribers + programs, "what is on the disk is what is known"

    # Steps

    def wish(self, number, now_ms, wish):
        self.waiting[number] = wish
        self.on(WishCame(number, wish), now_ms)

    def answer(self, _, now_ms, index, standing):
        if self.under_way:
            wish = self.under_way.pop(index % len(self.under_way))
            # An answer that news have overtaken is asked for again.
            if not self.cache._questions[wish].doubtful:
                self.told[wish.subscriber] = (standing.state, now_ms)
            self.on(StandingCame(wish, standing), now_ms)

    def fail(self, _, now_ms, index):
        if self.under_way:
            self.on(QuestionFailed(self.under_way.pop(index % len(self.under_way))), now_ms)

    def leave(self, _, now_ms, index):
        if self.waiting:
            self.on(WaiterLeft(list(self.waiting)[index % len(self.waiting)]), now_ms)

    def change(self, _, now_ms, change):
        before = self.told.get(change.subscriber)
        if change.subscriber and change.state is not ACTIVE:
            self.told[change.subscriber] = (change.state, now_ms)
        elif before and before[0] is not ACTIVE:
            del self.told[change.subscriber]
        self.on(ChangeTold(change), now_ms)

    def begin_anew(self, _, now_ms):
        self.on(BegunAnew(), now_ms)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_every_viewer_gets_one_answer_and_nothing_grows_whatever_comes(steps):
    checked, now_ms = Checked(), 0
    for number, (passed_ms, (kind, *facts)) in enumerate(steps):
        now_ms += passed_ms
        getattr(checked, kind)(number, now_ms, *facts)
    while checked.under_way:
        checked.fail(0, now_ms, 0)
    assert not checked.waiting, "nobody waits for ever"
