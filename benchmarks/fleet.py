"""A thousand directors without blades at a real center, in virtual time: what docs/scale.md reckons with, counted.

`python -m benchmarks.fleet STATIONS` prints the acts of a fleet of another size.
"""

import logging
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.figure import Figure, show
from chassis_emulator.simulation.fleet.director import REGISTER_EVERY_S, WAIT_S
from chassis_emulator.simulation.fleet.fleet import FleetFigures, FleetPlan, run_fleet
from media_network.callback import do_nothing
from media_network.messages.registry import ADD_LOCATIONS

STATIONS = 1_000
PLAN = FleetPlan(stations=STATIONS, programs=40, segments=20, idle_s=10.0, published=1, distributed_to=50)
_KIB = 1024


def main(plan: FleetPlan) -> None:
    """Run it and print."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        figures = run_fleet(1, plan, Path(folder), on_act=do_nothing)
    show(*_lines(plan, figures))


def _lines(plan: FleetPlan, figures: FleetFigures) -> list[Figure]:
    idle, publication = figures.acts["idle"], figures.acts["publication"]
    distribution, arrival = figures.acts["distribution"], figures.acts["arrival"]
    expected = plan.stations * (1 / REGISTER_EVERY_S + 1 / WAIT_S)
    added = plan.distributed_to * plan.segments
    published = plan.published * plan.stations
    # What goes on beside the act is the idle fleet.
    beside_s = idle.cpu_s / idle.lasted_s
    return [
        Figure(
            figure=f"{plan.stations:,} idle stations: messages to their center",
            value=idle.messages / idle.lasted_s,
            unit="1/s",
            peer=expected,
            peer_name="docs/scale.md",
        ),
        Figure(figure="a message of them", value=idle.cpu_s / idle.messages * 1e6, unit="CPU us"),
        Figure(
            figure="their bytes, both ways",
            value=(idle.received_bytes + idle.sent_bytes) / idle.lasted_s / _KIB,
            unit="KiB/s",
            peer=expected * 1200 / _KIB,
            peer_name="1,200 a message",
        ),
        Figure(
            figure="reads of the registry, a message",
            value=idle.reads / idle.messages,
            unit="",
            peer=3.0,
            peer_name="docs/scale.md",
        ),
        Figure(
            figure="a publication, a station",
            value=(publication.cpu_s - beside_s * publication.lasted_s) / published * 1e6,
            unit="CPU us",
        ),
        Figure(
            figure="until a station knows it, median",
            value=median(figures.known_after_s) * 1e3,
            unit="virtual ms",
            peer=REGISTER_EVERY_S * 1e3 / 2,
            peer_name="the mean of a poll every 2 s",
        ),
        Figure(
            figure="a location, with all that a distribution takes",
            value=(distribution.cpu_s - beside_s * distribution.lasted_s) / added * 1e6,
            unit="CPU us",
        ),
        Figure(
            figure="messages a location",
            value=distribution.said[ADD_LOCATIONS.path] / added,
            unit="",
            peer=1.0,
            peer_name="docs/scale.md",
        ),
        Figure(
            figure=f"{plan.stations:,} stations arrive",
            value=figures.arrived_after_s,
            unit="virtual s",
            peer=REGISTER_EVERY_S,
            peer_name="they come within",
        ),
        Figure(figure="the center's CPU for it, a station", value=arrival.cpu_s / plan.stations * 1e3, unit="CPU ms"),
        Figure(
            figure="the center is killed and started: all are back",
            value=figures.back_after_s,
            unit="virtual s",
            peer=2 * REGISTER_EVERY_S,
            peer_name="two intervals",
        ),
    ]


if __name__ == "__main__":
    main(replace(PLAN, stations=int(sys.argv[1])) if len(sys.argv) > 1 else PLAN)
