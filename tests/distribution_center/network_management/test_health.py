"""Grey, then red: what polls say of a component."""

from itertools import product

import pytest

from distribution_center.network_management.cause import AlarmSeverity
from distribution_center.network_management.health import (
    TRANSITIONS,
    Colour,
    Health,
    PollOutcome,
    Reachability,
    colour,
)


def test_the_table_is_total_and_every_health_can_be_reached():
    assert set(TRANSITIONS) == set(product(Health, PollOutcome))
    assert set(TRANSITIONS.values()) | {Health.UNKNOWN} == set(Health)


def test_a_component_that_stops_answering_turns_grey_then_red_and_green_again():
    seen = Reachability(heard_at=0.0)
    shown = [colour(seen.health, None)]
    seen.answered(1.0)
    shown.append(colour(seen.health, None))
    for now in (11.0, 21.0, 31.0, 41.0):
        seen.missed(now, lost_after_s=30.0)
        shown.append(colour(seen.health, None))
    seen.answered(51.0)
    shown.append(colour(seen.health, None))
    assert shown == ["grey", "green", "grey", "grey", "red", "red", "green"]


@pytest.mark.parametrize(
    ("worst", "shown"),
    [
        (None, Colour.GREEN),
        (AlarmSeverity.WARNING, Colour.YELLOW),
        (AlarmSeverity.MAJOR, Colour.ORANGE),
        (AlarmSeverity.CRITICAL, Colour.RED),
    ],
)
def test_an_alarm_colours_what_answers(worst, shown):
    assert colour(Health.ANSWERING, worst) is shown
    assert colour(Health.SILENT, worst) is Colour.GREY
