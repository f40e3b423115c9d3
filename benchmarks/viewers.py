"""How a hundred viewers of one program are spread over the engines of a station, by push and by pull, in virtual time.

It measures decisions and no machine: the same each time. What is compared is each engine's share of what is watched.
"""

from collections import Counter
from itertools import product

from benchmarks.crowd import Crowd
from benchmarks.figure import Figure, show

VIEWERS = 100
SIZES = (3, 14)
AT_ONCE_S = 0.5
MINUTES_S = (60.0, 300.0)
MORE_MAX = 2
"""Viewers that the fullest engine may have beyond the best assignment of the moment."""


def main() -> None:
    """Let them watch, and print."""
    worst = max(at_once(engines, pull=pull) for engines, pull in product(SIZES, (False, True)))
    more: Counter[int] = Counter()
    for engines, pull, within_s in product(SIZES, (False, True), MINUTES_S):
        more += over_minutes(engines, within_s, pull=pull)
    beyond = sum(moments for each, moments in more.items() if each > MORE_MAX)
    show(
        Figure(
            figure="100 viewers at once, 3 and 14 engines: the fullest",
            value=worst,
            unit="x mean of the holders",
            peer=1.25,
            peer_name="promised",
        ),
        Figure(
            figure="over minutes: more than two beyond the best assignment",
            value=100 * beyond / more.total(),
            unit="% of moments",
            peer=float(max(more)),
            peer_name="most beyond it at any moment",
        ),
    )


def at_once(engines: int, *, pull: bool) -> float:
    """The fullest engine over the mean of those that hold what is asked for, in the worst round."""
    crowd = Crowd(engines=engines, viewers=VIEWERS, within_s=AT_ONCE_S, pull=pull)
    crowd.watch()
    return crowd.unevenness


def over_minutes(engines: int, within_s: float, *, pull: bool) -> Counter[int]:
    """Moments by how many viewers more the fullest engine has than in the best assignment."""
    more: Counter[int] = Counter()

    def look(crowd: Crowd) -> None:
        more[crowd.fullest - crowd.best()] += 1

    Crowd(engines=engines, viewers=VIEWERS, within_s=within_s, pull=pull, looked=look).watch()
    return more


if __name__ == "__main__":
    main()
