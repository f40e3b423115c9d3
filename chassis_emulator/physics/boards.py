"""Temperatures of boards side by side: each stores heat, gives it to its air and to its neighbours.

A step is solved backwards in time (implicit Euler): it is stable for any duration, and to the last bit of arithmetic
what the boards store is what they were given less what the air took.
"""

import math
from collections.abc import Sequence

from blade_agent.hardware.profile import Heat

_TURBULENT_EXPONENT = 0.8
"""Heat given to air grows with its speed to this power (Dittus-Boelter)."""


def to_air_w_per_k(heat: Heat, air: float) -> float:
    """Heat that a board gives off by a degree above the air, for a share of full air."""
    return heat.still_air_w_per_k + (heat.full_air_w_per_k - heat.still_air_w_per_k) * math.pow(
        air, _TURBULENT_EXPONENT
    )


def warm(
    temperatures_c: Sequence[float],
    *,
    heating_w: Sequence[float],
    capacity_j_per_k: float,
    to_air: Sequence[float],
    between_w_per_k: float,
    inlet_c: float,
    duration_s: float,
) -> list[float]:
    """Temperatures after a time in which nothing else changes."""
    count = len(temperatures_c)
    rate = capacity_j_per_k / duration_s
    beside = [(slot > 0) + (slot < count - 1) for slot in range(count)]
    diagonal = [rate + to_air[slot] + between_w_per_k * beside[slot] for slot in range(count)]
    above_inlet = [rate * (temperatures_c[slot] - inlet_c) + heating_w[slot] for slot in range(count)]
    return [inlet_c + rise for rise in _solve(diagonal, -between_w_per_k, above_inlet)]


def _solve(diagonal: list[float], beside: float, right: list[float]) -> list[float]:
    """Solve a symmetric tridiagonal system with one value beside the diagonal (Thomas algorithm)."""
    pivots, values = [diagonal[0]], [right[0]]
    for row in range(1, len(diagonal)):
        factor = beside / pivots[-1]
        pivots.append(diagonal[row] - factor * beside)
        values.append(right[row] - factor * values[-1])
    solution = [values[-1] / pivots[-1]]
    for row in range(len(diagonal) - 2, -1, -1):
        solution.append((values[row] - beside * solution[-1]) / pivots[row])
    return solution[::-1]
