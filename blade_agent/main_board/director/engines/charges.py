"""What the sessions of a station ask of its engines at a moment that is to come (claim 18).

Sessions say what they ask of engines, as it follows from their state; that is all that is kept. What an engine carries
at a moment is the sum of it. The sums are kept in the order of time, so that a question costs the same however many
sessions there are, but for those that come and go before the moment that it asks about.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from math import inf

from blade_agent.main_board.director.sessions.charge import Charge
from media_network.address import Address

_NOTHING: tuple[Charge, ...] = ()


class Charges:
    """Charges by session, and what comes of them by engine."""

    def __init__(self) -> None:
        self._of: dict[str, tuple[Charge, ...]] = {}
        self._at: defaultdict[Address, _Profile] = defaultdict(_Profile)

    def put(self, session: str, charges: tuple[Charge, ...]) -> None:
        """All that a session asks of engines from now on."""
        before = self._of.pop(session, _NOTHING)
        if charges:
            self._of[session] = charges
        for engine in dict.fromkeys(charge.engine for charge in (*before, *charges)):
            profile = self._at[engine]
            profile.room_bps += _at_most(charges, engine) - _at_most(before, engine)
            for charge in before:
                if charge.engine == engine:
                    profile.remove(charge)
            for charge in charges:
                if charge.engine == engine:
                    profile.add(charge)
            if not profile.charges:
                del self._at[engine]

    def of(self, session: str) -> tuple[Charge, ...]:
        """What a session asks of engines."""
        return self._of.get(session, _NOTHING)

    def room_bps(self, engine: Address, *without: str) -> int:
        """What an engine has to have room for: the rate of each session that it sends or is to send, once."""
        profile = self._at.get(engine)
        if profile is None:
            return 0
        room_bps = profile.room_bps
        for session in without:
            room_bps -= _at_most(self.of(session), engine)
        return room_bps

    def load_bps(self, engine: Address, at: float, now: float, without: str = "") -> int:
        """What an engine will carry at a moment, as far as it is known now; but for what one session leaves there.

        Questions come in the order of `now`, and none asks about the past.
        """
        profile = self._at.get(engine)
        if profile is None:
            return 0
        load_bps = profile.load_bps(at, now)
        for charge in self.of(without):
            if charge.engine == engine and _is_overdue(charge, now):
                load_bps -= charge.rate_bps
        return load_bps

    def leaving_bps(self, engine: Address, at: float, within_s: float) -> float:
        """What leaves an engine close to a moment: the whole rate at that moment, nothing `within_s` from it."""
        profile = self._at.get(engine)
        return profile.leaving_bps(at, within_s) if profile else 0.0


class _Moments:
    """Rates, in the order of the moments at which they come, or go."""

    __slots__ = ("_at", "_bps")

    def __init__(self) -> None:
        self._at: list[float] = []
        self._bps: list[int] = []

    def add(self, at: float, bps: int) -> None:
        place = bisect_right(self._at, at)
        self._at.insert(place, at)
        self._bps.insert(place, bps)

    def remove(self, at: float, bps: int) -> None:
        place = self._bps.index(bps, bisect_left(self._at, at))
        del self._at[place], self._bps[place]

    def until(self, at: float) -> int:
        place = bisect_right(self._at, at)
        return sum(self._bps[:place]) if place else 0

    def forget_until(self, at: float) -> int:
        place = bisect_right(self._at, at)
        if not place:
            return 0
        passed_bps = sum(self._bps[:place])
        del self._at[:place], self._bps[:place]
        return passed_bps

    def near(self, at: float, within_s: float) -> float:
        first, end = bisect_right(self._at, at - within_s), bisect_left(self._at, at + within_s)
        if first >= end:
            return 0.0
        moments = zip(self._at[first:end], self._bps[first:end], strict=True)
        return sum([bps * _nearness(moment, at, within_s) for moment, bps in moments])


class _Profile:
    """What an engine carries over time. What has passed is in a sum, what is to come in the order in which it comes."""

    __slots__ = ("_begins", "_bps", "_goes", "_is_due", "_passed_at", "charges", "room_bps")

    def __init__(self) -> None:
        self.charges = 0
        self.room_bps = 0
        self._passed_at = -inf
        self._bps = 0
        self._begins = _Moments()
        self._goes = _Moments()
        """Ends of those that are known to go on elsewhere."""
        self._is_due = _Moments()
        """Ends of all others: whoever is overdue is still here."""

    def add(self, charge: Charge) -> None:
        self.charges += 1
        if charge.begins_at <= self._passed_at:
            self._bps += charge.rate_bps
        else:
            self._begins.add(charge.begins_at, charge.rate_bps)
        if charge.ends_at > self._passed_at:
            self._ends(charge).add(charge.ends_at, charge.rate_bps)
        elif charge.goes:
            self._bps -= charge.rate_bps

    def remove(self, charge: Charge) -> None:
        self.charges -= 1
        if charge.begins_at <= self._passed_at:
            self._bps -= charge.rate_bps
        else:
            self._begins.remove(charge.begins_at, charge.rate_bps)
        if charge.ends_at > self._passed_at:
            self._ends(charge).remove(charge.ends_at, charge.rate_bps)
        elif charge.goes:
            self._bps += charge.rate_bps

    def load_bps(self, at: float, now: float) -> int:
        if now > self._passed_at:
            self._passed_at = now
            self._bps += self._begins.forget_until(now) - self._goes.forget_until(now)
            self._is_due.forget_until(now)
        return self._bps + self._begins.until(at) - self._goes.until(at) - self._is_due.until(at)

    def leaving_bps(self, at: float, within_s: float) -> float:
        return self._goes.near(at, within_s) + self._is_due.near(at, within_s)

    def _ends(self, charge: Charge) -> _Moments:
        return self._goes if charge.goes else self._is_due


def _is_overdue(charge: Charge, now: float) -> bool:
    """Whether it counts only until its session comes elsewhere."""
    return not charge.goes and charge.begins_at <= now and (charge.ends_at <= now or charge.ends_at == inf)


def _at_most(charges: tuple[Charge, ...], engine: Address) -> int:
    most_bps = 0
    for charge in charges:
        if charge.rate_bps > most_bps and charge.engine == engine and charge.keeps_room:
            most_bps = charge.rate_bps
    return most_bps


def _nearness(moment: float, at: float, within_s: float) -> float:
    """1 at the moment itself, 0 from `within_s` on."""
    return max(0.0, 1.0 - abs(moment - at) / within_s)
