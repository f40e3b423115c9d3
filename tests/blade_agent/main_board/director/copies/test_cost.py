"""The cost of a source (claim 15): each parameter in turn decides, and more of what is bad never costs less."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from blade_agent.main_board.director.copies.cost import Candidate, Wanted, rank
from blade_agent.main_board.director.copies.throughput import Throughput
from media_network.messages.sources import FARTHEST_KM, CostWeights, Source

WEIGHTS = CostWeights()
WANTED = Wanted(length_bytes=1_250_000, segments=100)
ANYWHERE = replace(WANTED, anywhere=True)
MBIT = 1_000_000


def candidate(station, measured_mbit=None, **facts):
    source = Source(station=station, director="127.1.1.1:8081", segments=100, silent_ms=0, load=0.25, free_bps=10**9)
    measured_bps = None if measured_mbit is None else measured_mbit * MBIT
    return Candidate(source=replace(source, **facts), measured_bps=measured_bps)


def first(*candidates, wanted=WANTED, weights=WEIGHTS):
    """Who is chosen, in whatever order they are named."""
    chosen = {rank(order, wanted, weights)[0].candidate.source.station for order in itertools.permutations(candidates)}
    assert len(chosen) == 1
    return chosen.pop()


DECIDES = {
    "bandwidth": ({"free_bps": 40 * MBIT}, {}, WANTED),
    "distance": ({"distance_km": 200.0}, {}, WANTED),
    "copying": ({"measured_mbit": 5}, {"measured_mbit": 50}, WANTED),
    "load": ({"load": 0.9}, {}, WANTED),
    "missing": ({"segments": 10}, {}, ANYWHERE),
    "stale": ({"stale": True}, {}, WANTED),
}


@pytest.mark.parametrize(("term", "worse", "better", "wanted"), [(name, *facts) for name, facts in DECIDES.items()])
def test_each_parameter_in_turn_decides(term, worse, better, wanted):
    """Two that are alike but for one thing; alike altogether, the name decides, and says so against the other here."""
    a, b = candidate("a", **worse), candidate("b", **better)
    assert first(candidate("a", **better), b, wanted=wanted) == "a"
    assert first(a, b, wanted=wanted) == "b"
    [best, other] = rank([a, b], wanted, WEIGHTS)
    differing = [name for name in DECIDES if getattr(best.terms, name) != getattr(other.terms, name)]
    assert term in differing
    assert differing in ([term], ["bandwidth", "copying"])  # what is free bounds the copy, too


@pytest.mark.parametrize(("term", "worse", "better", "wanted"), [(name, *facts) for name, facts in DECIDES.items()])
def test_a_weight_of_nothing_lets_the_next_thing_decide(term, worse, better, wanted):
    """Only by this the name that comes last is better; by the distance the other one is, a little."""
    a, b = candidate("a", **worse), candidate("b", **better)
    if term != "distance":
        b = replace(b, source=replace(b.source, distance_km=10.0))
    assert first(a, b, wanted=wanted) == "b"
    nothing = dict.fromkeys([term, *(["copying"] if term == "bandwidth" else [])], 0.0)
    assert first(a, b, wanted=wanted, weights=replace(WEIGHTS, **nothing)) == "a"


def test_the_example_of_the_document():
    north = candidate("north", 20, free_bps=400 * MBIT, load=0.75)
    home = candidate("home", free_bps=1600 * MBIT, load=0.0, distance_km=255.0)
    west = candidate("west", free_bps=40 * MBIT, load=0.2, distance_km=95.0)
    ranked = rank([west, home, north], WANTED, WEIGHTS)
    assert [each.candidate.source.station for each in ranked] == ["north", "home", "west"]
    assert [each.total for each in ranked] == pytest.approx([2.25, 2.61875, 4.1])
    assert first(replace(north, measured_bps=10.0 * MBIT), home, west) == "home"


counts = st.integers(0, 2**63 - 1)
rates = st.none() | st.floats(0, 1e300)
sources = st.builds(
    Source,
    station=st.sampled_from(["a", "b", "c", "d"]),
    director=st.just("127.1.1.1:8081"),
    distance_km=st.floats(0, FARTHEST_KM),
    load=st.floats(0, 1),
    free_bps=counts,
    segments=counts,
    silent_ms=counts,
    stale=st.booleans(),
)
candidates = st.builds(Candidate, source=sources, measured_bps=rates)
wanteds = st.builds(Wanted, length_bytes=counts, segments=counts, anywhere=st.booleans())
weights_of = st.floats(0, 1000)
weightings = st.builds(CostWeights, **dict.fromkeys(CostWeights.__struct_fields__, weights_of))


@given(st.lists(candidates, max_size=16, unique_by=lambda each: each.source.station), wanteds, weightings)
def test_the_order_is_total_and_every_term_a_finite_number(some, wanted, weights):
    ranked = rank(some, wanted, weights)
    assert rank(reversed(some), wanted, weights) == ranked
    assert len(ranked) == len(some)
    for each in ranked:
        for name in each.terms.__struct_fields__:
            term = getattr(each.terms, name)
            assert math.isfinite(term)
            assert term >= 0
    totals = [each.total for each in ranked]
    assert all(map(math.isfinite, totals))
    assert totals == sorted(totals)


def cost(one, wanted, weights):
    return rank([one], wanted, weights)[0].total


@given(candidates, candidates, wanteds, weightings)
def test_more_of_what_is_bad_never_costs_less(one, other, wanted, weights):
    """By each parameter by itself, all else as it is."""
    for name, more_is_worse in {
        "free_bps": False,
        "distance_km": True,
        "load": True,
        "segments": False,
        "stale": True,
    }.items():
        values = sorted([getattr(one.source, name), getattr(other.source, name)], reverse=not more_is_worse)
        better, worse = (replace(one, source=replace(one.source, **{name: value})) for value in values)
        assert cost(better, wanted, weights) <= cost(worse, wanted, weights)
    if None not in (one.measured_bps, other.measured_bps):
        slower, faster = sorted([one.measured_bps, other.measured_bps])
        costs = [cost(replace(one, measured_bps=bps), wanted, weights) for bps in (faster, slower)]
        assert costs == sorted(costs)
    lengths = sorted([wanted.length_bytes, wanted.segments])
    costs = [cost(one, replace(wanted, length_bytes=length), weights) for length in lengths]
    assert costs == sorted(costs)


def test_throughput_is_a_moving_average_that_is_forgotten():
    throughput = Throughput()
    assert throughput.bps("north", 0.0) is None
    throughput.measured("north", MBIT, 0.8, 0.0)
    assert throughput.bps("north", 1.0) == 10 * MBIT
    throughput.measured("north", MBIT, 8.0, 1.0)
    assert throughput.bps("north", 1.0) == pytest.approx(7.3 * MBIT)
    throughput.measured("north", 1000, 5.0, 1.0)  # too short to say anything
    throughput.measured("north", MBIT, 0.0, 1.0)
    assert throughput.bps("north", 1.0) == pytest.approx(7.3 * MBIT)
    assert throughput.bps("south", 1.0) is None
    assert throughput.bps("north", 700.0) is None
    for number in range(1000):
        throughput.measured(f"station-{number}", MBIT, 1.0, 700.0)
    assert len(throughput._of) == 256
    assert throughput.bps("station-999", 700.0) == 8 * MBIT
