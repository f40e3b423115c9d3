"""What `explain` tells a person of how a source is chosen."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from blade_agent.main_board.director.copies.cost import Candidate, Wanted, copying_s, rank
from distribution_center.cli import main
from distribution_center.commands.explaining import _REASONS, in_words
from media_network.messages.sources import CostTerms, CostWeights, Explanation, PricedSource, Source

WANTED = Wanted(length_bytes=1_250_000, segments=100, anywhere=True)
ORDINARY = Source(station="home", director="127.1.1.1:8081", segments=100, silent_ms=0, load=0.25, free_bps=10**9)


def explanation(*sources, measured=(), **facts):
    """As a director explains these sources."""
    measured = dict(measured)
    candidates = [Candidate(source=each, measured_bps=measured.get(each.station)) for each in sources]
    priced = tuple(
        PricedSource(
            source=each.candidate.source,
            measured_bps=each.candidate.measured_bps,
            copying_s=copying_s(each.candidate, WANTED.length_bytes),
            terms=each.terms,
            cost=each.total,
        )
        for each in rank(candidates, WANTED, CostWeights())
    )
    said = Explanation(
        station="south",
        program="film",
        segment=3,
        length_bytes=WANTED.length_bytes,
        engines=0,
        sources=priced,
        weights=CostWeights(),
        said_ms=12_000,
    )
    return replace(said, **facts)


def last_line(said):
    return in_words(said).splitlines()[-1]


@pytest.mark.parametrize(
    ("worse", "measured", "sentence"),
    [
        ({"free_bps": 40_000_000}, (), "it has more bandwidth free than home (1000 Mbit/s against 40 Mbit/s)"),
        ({"distance_km": 255.0}, (), "it is nearer than home (0 km against 255 km)"),
        ({}, [("home", 5_000_000)], "a copy from there takes less time than from home (0.01 s against 2 s)"),
        ({"load": 0.75}, (), "it is less loaded than home (25% against 75%)"),
        ({"segments": 40}, (), "it holds more of the program than home (100 against 40)"),
        (
            {"stale": True, "silent_ms": 60_000},
            (),
            "home has not been heard for longer than its word holds (0 s against 60 s)",
        ),
        ({"station": "south"}, (), "south costs as much, and comes later by its name"),
    ],
)
def test_the_term_that_decides_is_named(worse, measured, sentence):
    said = explanation(replace(ORDINARY, **worse), replace(ORDINARY, station="north"), measured=measured)
    assert last_line(said) == f"north is chosen: {sentence}."


def test_every_term_has_its_words():
    assert set(_REASONS) == set(CostTerms.__struct_fields__)


def test_the_table_shows_readings_terms_and_the_cost():
    near = replace(ORDINARY, station="north", zone="hamburg", free_bps=400_000_000, load=0.75)
    home = replace(ORDINARY, zone="berlin", distance_km=255.0, home=True)
    lines = in_words(explanation(home, near)).splitlines()
    assert " ".join(lines[0].split()) == "SOURCE ZONE BANDWIDTH DISTANCE COPYING LOAD MISSING STALE COST"
    north = "north hamburg 400 Mbit/s +0.250 0 km +0.000 0.025 s +0.025 75% +1.500 +0.000 +0.000 1.775"
    assert " ".join(lines[1].split()) == north
    assert lines[2].endswith("home")


def test_the_document_shows_what_the_command_shows():
    sources = (
        replace(ORDINARY, station="north", zone="hamburg", free_bps=400_000_000, load=0.75),
        replace(ORDINARY, zone="berlin", distance_km=255.0, free_bps=1_600_000_000, load=0.0, home=True),
        replace(ORDINARY, station="west", zone="bremen", distance_km=95.0, free_bps=40_000_000, load=0.2),
    )
    shown = in_words(explanation(*sources, measured=[("north", 20_000_000)]))
    document = (Path(__file__).parents[2] / "docs" / "operations" / "sources.md").read_text()
    assert f"```\n{shown}\n```" in document, shown


def test_what_else_is_to_be_said():
    assert last_line(explanation()) == "No other station is known to hold segment 3 of film."
    alone = explanation(ORDINARY, engines=2, registry_away=True)
    assert in_words(alone).splitlines()[-3:] == [
        "Segment 3 of film is at 2 engines of south already.",
        "The registry does not answer: this it said 12 s ago.",
        "home is chosen: no other station is known to hold segment 3 of film.",
    ]
    never = explanation(engines=1, registry_away=True, said_ms=None)
    assert in_words(never).splitlines()[:2] == [
        "Segment 3 of film is at an engine of south already.",
        "The registry does not answer: it has said nothing yet.",
    ]
    dear = explanation(ORDINARY, replace(ORDINARY, station="north", distance_km=9000.0))
    best, rests = reversed(dear.sources)
    failed = replace(dear, sources=(best, replace(rests, resting=True)))
    assert last_line(failed) == "north is chosen: home has failed lately, and is asked after those that have not."
    assert "failed lately" in in_words(failed).splitlines()[2]


def test_a_station_or_segment_that_is_none_is_a_sentence():
    shown = CliRunner().invoke(main, ["explain", "film", "-1", "--station", "south"])
    assert shown.exit_code == 2
    assert "Error: " in shown.stderr
    shown = CliRunner().invoke(main, ["explain", "film", "3"])
    assert "--station" in shown.stderr
