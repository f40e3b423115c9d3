"""What a poll says: rates from counters, sensors in their units, text that is safe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution_center.network_management.component import Component, Kind
from distribution_center.network_management.objects import SEEN, Looked
from distribution_center.network_management.readings import PolledCounters, causes, engines, samples, slots, text

BLADE = Component(component="north/3", kind=Kind.BLADE, label="north slot 3", parent="north", slot=3)


def read(before, at, uptime, **scalars):
    looked = Looked({"sysUpTime": uptime, **scalars}, {})
    return {sample.metric: sample.value for sample in samples(BLADE, looked, {}, before, at)}


def test_a_rate_begins_with_the_second_poll_and_sums_pull_and_push():
    before = PolledCounters()
    assert "sent_bps" not in read(before, 100.0, 1, mssPullBytes=1000, mssPushBytes=5)
    assert read(before, 110.0, 2, mssPullBytes=2000, mssPushBytes=255)["sent_bps"] == pytest.approx(1000.0)


def test_a_restart_is_no_burst():
    before = PolledCounters()
    read(before, 100.0, 50_000, mssPullBytes=10**12, mssPushBytes=0)
    assert "sent_bps" not in read(before, 110.0, 10, mssPullBytes=10**13, mssPushBytes=0)
    assert read(before, 120.0, 1010, mssPullBytes=10**13 + 10, mssPushBytes=0)["sent_bps"] == pytest.approx(8.0)


def test_a_poll_right_after_another_keeps_the_rate():
    before = PolledCounters()
    read(before, 100.0, 1, mssPullBytes=0)
    rate = read(before, 110.0, 1001, mssPullBytes=1000)["sent_bps"]
    assert read(before, 110.01, 1002, mssPullBytes=2000)["sent_bps"] == rate
    assert read(before, 120.0, 2001, mssPullBytes=2000)["sent_bps"] == pytest.approx(rate)


def test_sensors_are_in_their_units_and_those_that_do_not_work_are_left_out():
    names = {
        (n,): {"entPhysicalName": b"s%d" % n, "entPhySensorType": kind, "entPhySensorScale": scale, **places}
        for n, kind, scale, places in (
            (1, 8, 8, {"entPhySensorPrecision": 0}),
            (2, 8, 9, {"entPhySensorPrecision": 1}),
            (3, 8, 9, {}),
            (4, 10, 9, {}),
            (6, 8, 9, {"entPhySensorPrecision": -(2**40)}),
        )
    }
    rows = {
        (n,): {"entPhySensorValue": value} for n, value in ((1, 48_250), (2, 505), (3, 60), (4, 2300), (5, 7), (6, 1))
    }
    rows[3,]["entPhySensorOperStatus"] = 2
    found = samples(BLADE, Looked({}, {"sensors": rows}), names, PolledCounters(), 1.0)
    assert {(each.metric, each.part): each.value for each in found} == {
        ("temperature_c", "s1"): pytest.approx(48.25),
        ("temperature_c", "s2"): pytest.approx(50.5),
        ("fan_rpm", "s4"): 2300.0,
    }


VALUES = st.one_of(
    st.integers(-(2**63), 2**64), st.binary(max_size=40), st.lists(st.integers(0, 2**32 - 1), max_size=5).map(tuple)
)
INDEXES = st.lists(st.integers(0, 2**32 - 1), max_size=3).map(tuple)


@given(st.data(), st.sampled_from(sorted(SEEN)))
def test_an_agent_may_say_anything(data, kind):
    """Any value of any type in any object gives readings or nothing."""
    sight = SEEN[Kind(kind)]
    scalars = data.draw(st.dictionaries(st.sampled_from(sorted(sight.scalars)), VALUES))
    tables = {
        name: data.draw(
            st.dictionaries(INDEXES, st.dictionaries(st.sampled_from(sorted(table.columns)), VALUES), max_size=3)
        )
        for name, table in (sight.tables | sight.rarely).items()
    }
    looked = Looked(scalars, tables)
    before = PolledCounters()
    for at in (10.0, 20.0):
        for sample in samples(BLADE, looked, tables.get("names", {}), before, at):
            assert isinstance(sample.value, int | float)
            assert sample.part.isprintable()
    for cause in causes(BLADE, looked):
        assert cause.text.isprintable()
    slots(looked)
    engines(looked)


def test_text_is_made_safe():
    assert text(b"CPU \xc2\xb0C") == "CPU °C"
    assert text(b"\x1b[31m\xff\n") == "\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    assert text(7) == ""
