"""The list of what is broken, what it may befall, and how it is offered."""

import math
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_emulator.chassis.fault_catalogue import fault_kinds, injected
from chassis_emulator.faults.book import FaultBook, row_of
from chassis_emulator.faults.kinds import KINDS, AnyFault, Crash, Hang, HotInlet, Noise, OverTemperature, SupplyFailure
from chassis_emulator.faults.targets import BadTarget, Targets
from chassis_emulator.topology.plan import plan_network
from chassis_emulator.topology.topology import find_topology, read_topology

DOCUMENT = Path(__file__).parents[3] / "docs/operations/emulator.md"
TARGETS = Targets(plan_network(read_topology(find_topology("two-stations")), Path("/state")))


@given(st.lists(st.tuples(st.floats(0, 50), st.none() | st.floats(0.1, 50)), max_size=20))
def test_faults_end_when_their_time_is_over_and_no_earlier(story):
    book, now, alive = FaultBook(), 0.0, {}
    for pause, for_s in story:
        now += pause
        ended = book.expire(now)
        assert {entry.id for entry in ended} == {name for name, until in alive.items() if until <= now}
        alive = {name: until for name, until in alive.items() if until > now}
        entry = book.begin(Crash(target="north/3"), now, for_s)
        assert entry.id not in alive
        alive[entry.id] = math.inf if for_s is None else now + for_s
        assert book.next_end == (None if math.isinf(min(alive.values())) else min(alive.values()))
    assert [entry.id for entry in book.entries] == list(alive)
    assert len(book.clear(alive)) == len(alive)
    assert book.clear(alive) == ()
    assert book.next_end is None


def test_a_row_says_what_is_on_and_how_long_still():
    book = FaultBook()
    entry = book.begin(Noise(target="north/3", bit_error_rate=0.01, seed=7), 10.0, 30.0)
    row = row_of(entry, 15.0)
    assert (row.kind, row.target, row.since_s, row.until_s) == ("noise", "north/3", 5.0, 25.0)
    assert row.facts == {"bit_error_rate": 0.01, "seed": 7, "direction": "both"}


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Noise(target="north/9"), "'north/9' is not a slot or a station; there are: home, north, south, home/1"),
        (Noise(target="north/manager"), "is not a slot or a station"),
        (Crash(target="west"), "'west' is not a process or a station"),
        (HotInlet(target="north/1"), "'north/1' is not a station; there are: home, north, south"),
        (SupplyFailure(target="north"), "'north' is not a power supply; there are: home/supply-1, home/supply-2"),
    ],
)
def test_a_fault_that_cannot_befall_its_target_is_refused_with_what_there_is(fault, sentence):
    with pytest.raises(BadTarget) as error:
        TARGETS.befallen(fault)
    assert sentence in str(error.value)


def test_what_each_kind_may_befall():
    for target in ("north/manager", "center", "north/2", "north"):
        TARGETS.befallen(Hang(target=target))
    TARGETS.befallen(SupplyFailure(target="north/supply-2"))
    assert TARGETS.blades("north") == ("north/1", "north/2", "north/3", "north/4")


@pytest.mark.parametrize("kind", fault_kinds(), ids=lambda kind: kind.kind)
def test_what_the_panel_offers_can_be_injected(kind):
    for value in ("default", "highest"):
        numbers = {parameter.name: getattr(parameter, value) for parameter in kind.parameters}
        fault = msgspec.convert({"kind": kind.kind, "target": "north/1", **numbers}, AnyFault, strict=False)
        assert type(fault) is KINDS[kind.kind]
        assert injected("fault-1", fault).text
    assert all(parameter.lowest <= parameter.default <= parameter.highest < math.inf for parameter in kind.parameters)


@pytest.mark.parametrize("kind", fault_kinds(), ids=lambda kind: kind.kind)
def test_the_document_has_every_kind_with_its_numbers(kind):
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| `") and f"`{kind.kind}`" in line]
    assert len(rows) == 1
    for parameter in kind.parameters:
        assert f"`--{parameter.name.replace('_', '-')}` ({parameter.default:g}" in rows[0]


def test_an_injected_fault_reads_like_a_sentence():
    text = injected("fault-2", OverTemperature(target="north/3", rise_k=40.0)).text
    assert text == "A blade's heat sink is loose: its processor is hotter than its board, rise 40.0 K"
