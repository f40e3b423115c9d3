"""What befalls a network in a round, drawn from the seed. Pure facts; nothing is struck here."""

import random
from enum import StrEnum

from msgspec import Struct

from chassis_emulator.topology.topology import Topology

STORM_S = 8.0
"""Every blow of a round falls within so many seconds."""
_STRIKES = (4, 7)
_MENDED_AFTER_S = (0.3, 4.0)


class Blow(StrEnum):
    """What is done to a process, or to the blade that it is."""

    KILL = "kill -9"
    STOP = "stop"
    """SIGSTOP, and SIGCONT later."""
    TERMINATE = "terminate"
    PULL = "pull"
    """Out of its slot by surprise, and in again later."""


class Aim(StrEnum):
    """Who is hit."""

    BLADE = "blade"
    DIRECTOR = "director"
    """Whoever directs the station when the blow falls."""
    MANAGER = "chassis manager"
    CENTER = "center"
    """The registry is in its process."""


class Strike(Struct, frozen=True, kw_only=True):
    """One blow."""

    at_s: float
    """From the begin of the round."""
    mended_after_s: float
    blow: Blow
    aim: Aim
    station: str
    slot: int


_BLOWS = {Blow.KILL: 4, Blow.STOP: 2, Blow.TERMINATE: 2, Blow.PULL: 2}
_AIMS = {Aim.BLADE: 4, Aim.DIRECTOR: 2, Aim.MANAGER: 2, Aim.CENTER: 2}
_PULLED = (Aim.BLADE, Aim.DIRECTOR)


def round_rng(seed: int, number: int, what: str) -> random.Random:
    """Chance of one round: the same for a seed and a number, whatever the rounds before were."""
    return random.Random(f"{what} of round {number} of seed {seed}")


def draw_strikes(seed: int, number: int, topology: Topology) -> tuple[Strike, ...]:
    """The blows of a round, in the order in which they fall."""
    rng = round_rng(seed, number, "strikes")
    drawn = [_draw(rng, topology) for _ in range(rng.randint(*_STRIKES))]
    return tuple(sorted(drawn, key=lambda strike: strike.at_s))


def _draw(rng: random.Random, topology: Topology) -> Strike:
    station = rng.choice(topology.stations)
    (aim,) = rng.choices(tuple(_AIMS), tuple(_AIMS.values()))
    (blow,) = rng.choices(tuple(_BLOWS), tuple(_BLOWS.values()))
    return Strike(
        at_s=round(rng.uniform(0.0, STORM_S), 3),
        mended_after_s=round(rng.uniform(*_MENDED_AFTER_S), 3),
        blow=Blow.KILL if blow is Blow.PULL and aim not in _PULLED else blow,
        aim=aim,
        station=station.name,
        slot=rng.randint(1, station.slots),
    )
