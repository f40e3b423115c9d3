"""The figures that docs/scale.md goes by, counted in a small fleet: what a station costs does not depend on how many
there are.
"""

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from chassis_emulator.simulation.fleet.director import REGISTER_EVERY_S, WAIT_S
from chassis_emulator.simulation.fleet.fleet import FleetPlan, run_fleet
from media_network.callback import do_nothing
from media_network.messages.deletion import DELETE_HERE, DELETION_DONE, REQUEST_DELETION
from media_network.messages.obtaining import OBTAIN
from media_network.messages.program_information import ASK_CHANGES, PUBLISH_PROGRAM
from media_network.messages.registry import ADD_LOCATIONS, REGISTER_STATION, REPORT_LOCATIONS
from media_network.messages.sources import ASK_SOURCES

PLAN = FleetPlan(stations=50, programs=20, segments=20, idle_s=50.0, published=3, distributed_to=4)
STATIONS = PLAN.stations


@pytest.fixture(scope="module")
def figures():
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory() as folder:
        yield run_fleet(1, PLAN, Path(folder), on_act=do_nothing)
    logging.disable(logging.NOTSET)


def test_a_station_that_arrives_says_little(figures):
    arrival = figures.acts["arrival"]
    assert arrival.said[REPORT_LOCATIONS.path] == STATIONS
    assert arrival.said[ASK_CHANGES.path] == 2 * STATIONS, "a page with the whole catalogue, and one that waits"
    header_bytes = 1100
    assert arrival.sent_bytes / STATIONS < PLAN.programs * header_bytes + 4 * 2000


def test_while_nothing_changes_stations_register_and_wait(figures):
    idle = figures.acts["idle"]
    assert idle.said[REGISTER_STATION.path] == pytest.approx(STATIONS * idle.lasted_s / REGISTER_EVERY_S, rel=0.05)
    assert idle.said[ASK_CHANGES.path] == pytest.approx(STATIONS * idle.lasted_s / WAIT_S, rel=0.05)
    assert idle.messages == idle.said[REGISTER_STATION.path] + idle.said[ASK_CHANGES.path]
    assert idle.received_bytes / idle.messages < 800
    assert idle.sent_bytes / idle.messages < 500
    assert idle.writes == 0
    assert idle.reads < 3 * idle.messages


def test_a_publication_is_known_everywhere_in_a_moment(figures):
    publication = figures.acts["publication"]
    assert len(figures.known_after_s) == PLAN.published * STATIONS
    assert max(figures.known_after_s) < 0.2, "of virtual time: computing takes none"
    assert publication.told[PUBLISH_PROGRAM.path] == PLAN.published * STATIONS
    asked = publication.said[ASK_CHANGES.path]
    assert asked == pytest.approx(PLAN.published * STATIONS, rel=0.1), "each waits anew, and nobody asks twice"
    assert publication.writes == PLAN.published
    assert publication.reads < 3 * publication.said.total() + 60 * PLAN.published


def test_a_distribution_costs_a_message_a_segment(figures):
    distribution = figures.acts["distribution"]
    assert distribution.said[ADD_LOCATIONS.path] == PLAN.distributed_to * PLAN.segments
    assert distribution.said[ASK_SOURCES.path] == PLAN.distributed_to
    assert PLAN.distributed_to <= distribution.told[OBTAIN.path] <= 4 * PLAN.distributed_to
    added = PLAN.distributed_to * PLAN.segments
    assert added <= distribution.writes <= added + 4 * PLAN.distributed_to
    assert distribution.transactions <= distribution.writes


def test_a_deletion_costs_three_messages(figures):
    deletion = figures.acts["deletion"]
    for messages in (deletion.said[REQUEST_DELETION.path], deletion.said[DELETION_DONE.path]):
        assert messages == PLAN.distributed_to
    assert deletion.told[DELETE_HERE.path] >= PLAN.distributed_to


def test_after_a_restart_of_the_center_all_are_back_within_seconds(figures):
    assert figures.back_after_s < 2 * REGISTER_EVERY_S
    assert figures.acts["restart"].said[REPORT_LOCATIONS.path] == 0, "the registry has what they hold"
