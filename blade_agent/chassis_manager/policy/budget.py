"""The power budget: who may draw how much of what the supplies carry. Plain arithmetic.

Blades in service go before those that wait, and lower slots before higher ones. When there is too little, blades are
slowed down first, from the highest slot up; only when even their lowest levels are too much, the highest slot goes.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct


class Draw(Struct, frozen=True, kw_only=True):
    """What a blade draws, or would."""

    slot: int
    levels_w: tuple[float, ...]
    """At most, at level 1, 2 and so on, rising. One alone for a blade that cannot be told to draw less."""
    desired: int
    """Level that lets it do all it can."""
    fixed: int = 0
    """Level of a blade that cannot be reached now and so draws what it did; 0 for one that can."""

    def watts(self, level: int) -> float:
        """Give the draw at a level; none at 0."""
        return self.levels_w[level - 1] if level else 0.0


def allocate(capacity_w: float, running: Iterable[Draw], waiting: Iterable[Draw] = ()) -> dict[int, int]:
    """Give the level of every slot; 0: it has to leave service, or to wait.

    `running` blades are in service, `waiting` ones ask to be. Both are served in slot order. The sum of what is given
    stays within the capacity unless what cannot be reached exceeds it alone.
    """
    in_service = sorted(running, key=lambda draw: draw.slot)
    levels = {draw.slot: draw.fixed for draw in in_service}
    free_w = capacity_w - sum(draw.watts(draw.fixed) for draw in in_service)
    free = [draw for draw in in_service if not draw.fixed]
    for draw in free:
        if draw.watts(1) <= free_w:
            levels[draw.slot] = 1
            free_w -= draw.watts(1)
    for draw in free:
        if levels[draw.slot]:
            free_w += draw.watts(1)
            levels[draw.slot] = best_level(draw, free_w)
            free_w -= draw.watts(levels[draw.slot])
    for draw in sorted(waiting, key=lambda draw: draw.slot):
        levels[draw.slot] = best_level(draw, free_w)
        free_w -= draw.watts(levels[draw.slot])
    return levels


def best_level(draw: Draw, free_w: float) -> int:
    """Give the highest level up to the desired one that fits; 0 when none does."""
    return max((level for level in range(1, draw.desired + 1) if draw.watts(level) <= free_w), default=0)


def drawn_w(draws: Iterable[Draw], levels: Mapping[int, int]) -> float:
    """Give what blades at these levels draw together."""
    return sum(draw.watts(levels.get(draw.slot, 0)) for draw in draws)
