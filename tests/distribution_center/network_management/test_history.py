"""History: rings that keep what they say they keep, in a file that does not grow for ever."""

import random
import threading
from collections import defaultdict

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distribution_center.network_management.alarms import AlarmState, NetworkAlarm
from distribution_center.network_management.cause import AlarmSeverity, AlarmSource, Cause
from distribution_center.network_management.history import RINGS, History, HistoryError, Sample

BEGIN = 1_767_225_600.0


def heat(value, part="CPU"):
    return Sample("north/3", "temperature_c", part, value)


@pytest.fixture
def history(tmp_path):
    opened = History(tmp_path / "history.sqlite")
    yield opened
    opened.close()


def test_a_reading_is_in_every_ring(history):
    for second, value in ((0, 40.0), (5, 50.0), (70, 60.0)):
        history.add([heat(value)], [], BEGIN + second)
    for ring in RINGS:
        points = history.graph("north/3", "temperature_c", BEGIN, BEGIN + ring.span_s - 1)["CPU"]
        assert max(point.greatest for point in points) == 60.0
    by_minute = history.graph("north/3", "temperature_c", BEGIN, BEGIN + RINGS[1].span_s - 1)["CPU"]
    assert [tuple(point) for point in by_minute] == [(BEGIN, 45.0, 40.0, 50.0), (BEGIN + 60, 60.0, 60.0, 60.0)]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1 << 30), st.sampled_from(range(len(RINGS))))
def test_a_ring_is_the_mean_least_and_greatest_of_what_was_read(seed, number):
    rng = random.Random(seed)
    history, ring = History(":memory:"), RINGS[number]
    kept = defaultdict(list)
    at = BEGIN
    for _ in range(60):
        at += rng.uniform(0, ring.step_s)
        value = round(rng.uniform(-50, 150), 3)
        history.add([heat(value)], [], at)
        kept[int(at) // ring.step_s * ring.step_s].append(value)
    since = at - ring.span_s + ring.step_s
    found = history.graph("north/3", "temperature_c", since, at)["CPU"]
    want = {start: values for start, values in kept.items() if start >= int(since)}
    assert [point.at for point in found] == sorted(want)
    for point in found:
        values = want[point.at]
        assert (point.least, point.greatest) == (min(values), max(values))
        assert point.mean == pytest.approx(sum(values) / len(values))
    history.close()


def test_the_file_has_an_end(history, tmp_path):
    """A ring that has gone round is written over."""
    ring = RINGS[0]
    for step in range(2 * ring.slots + 5):
        history.add([heat(float(step))], [], BEGIN + step * ring.step_s)
    plain = apsw.Connection(str(tmp_path / "history.sqlite"))
    rows = dict(plain.execute("SELECT ring, count(*) FROM samples GROUP BY ring"))
    plain.close()
    assert rows[0] == ring.slots
    assert all(rows[number] <= each.slots for number, each in enumerate(RINGS))
    end = BEGIN + 2 * ring.slots * ring.step_s
    oldest = history.graph("north/3", "temperature_c", end - ring.span_s, end)["CPU"][0]
    assert oldest.at >= end - ring.span_s


def test_blades_of_a_station_are_a_line_each(history):
    for blade, streams, hot in (("north/1", 3, 40.0), ("north/2", 5, 50.0)):
        samples = [Sample(blade, "streams", "", float(streams))]
        samples += [Sample(blade, "temperature_c", part, hot + n) for n, part in enumerate(("CPU", "board"))]
        history.add(samples, [], BEGIN)
    blades = ["north/1", "north/2", "north/9"]
    streams = history.graph_together(blades, "streams", BEGIN - 60, BEGIN + 60)
    assert {blade: points[0].mean for blade, points in streams.items()} == {"north/1": 3.0, "north/2": 5.0}
    heats = history.graph_together(blades, "temperature_c", BEGIN - 60, BEGIN + 60)
    assert {blade: points[0].mean for blade, points in heats.items()} == {"north/1": 41.0, "north/2": 51.0}


def alarm(number, state=AlarmState.ACTIVE, *, about="north/3", raised_at=1.0, changed_at=2.0):
    cause = Cause(
        component=about, source=AlarmSource.AGENT, kind="fan failed", severity=AlarmSeverity.MINOR, resource="é"
    )
    return NetworkAlarm(
        number=number,
        about=about,
        matter=cause.kind,
        resource=cause.resource,
        causes=(cause,),
        state=state,
        raised_at=raised_at,
        changed_at=changed_at,
        raises=(raised_at,),
    )


def test_alarms_are_there_again(tmp_path):
    history = History(tmp_path / "history.sqlite")
    history.add([], [alarm(1), alarm(2)], BEGIN)
    history.add([], [alarm(1, AlarmState.CLEARED)], BEGIN)
    history.close()
    history = History(tmp_path / "history.sqlite")
    assert history.alarms() == ([alarm(2)], 3)
    assert history.past_alarms(0, 10, 10) == [alarm(1, AlarmState.CLEARED)]
    history.close()


def test_past_alarms_are_those_of_the_span_and_of_the_component_the_last_first(history):
    spans = [("north/3", 10, 20), ("north", 15, 60), ("north-west/1", 30, 40), ("@center", 50, 70)]
    past = [
        alarm(number, AlarmState.CLEARED, about=about, raised_at=since, changed_at=until)
        for number, (about, since, until) in enumerate(spans, start=1)
    ]
    history.add([], past, BEGIN)

    def numbers(*span, most=9, **of):
        return [each.number for each in history.past_alarms(*span, most, **of)]

    assert numbers(0, 100) == [4, 2, 3, 1]
    assert numbers(0, 100, most=2) == [4, 2]
    assert numbers(21, 35) == [2, 3]
    assert numbers(0, 12) == [1]
    assert numbers(0, 100, component="north") == [2, 1]
    assert numbers(0, 100, component="north/3") == [1]


def test_a_file_of_before_keeps_its_readings(tmp_path):
    path = tmp_path / "history.sqlite"
    history = History(path)
    history.add([heat(40.0)], [alarm(1)], BEGIN)
    history.close()
    before = apsw.Connection(str(path))
    before.execute("DROP TABLE alarms; CREATE TABLE alarms (number INTEGER PRIMARY KEY, alarm BLOB, over INTEGER)")
    before.execute("INSERT INTO alarms VALUES (1, '{}', 0)")
    before.pragma("user_version", 1)
    before.close()
    history = History(path)
    assert history.alarms() == ([], 1)
    assert history.graph("north/3", "temperature_c", BEGIN, BEGIN + 60)["CPU"]
    history.add([], [alarm(1)], BEGIN)
    history.close()


def test_refuses_another_releases_file(tmp_path):
    path = tmp_path / "history.sqlite"
    other = apsw.Connection(str(path))
    other.pragma("user_version", 99)
    other.close()
    with pytest.raises(HistoryError, match="99"):
        History(path)


def test_it_is_closed_when_whoever_still_writes_has_finished(tmp_path):
    history = History(tmp_path / "history.sqlite")
    begun, go_on, outcomes = threading.Event(), threading.Event(), []

    def slowly():
        begun.set()
        go_on.wait(10)
        yield Sample("north/1", "temperature_c", "CPU", 40.0)

    def attempt(what):
        try:
            what()
        except apsw.Error as error:
            outcomes.append(error)

    writing = threading.Thread(target=attempt, args=(lambda: history.add(slowly(), (), 1000.0),))
    closing = threading.Thread(target=attempt, args=(history.close,))
    writing.start()
    assert begun.wait(10)
    closing.start()
    closing.join(0.05)
    go_on.set()
    writing.join()
    closing.join()
    assert outcomes == []
    again = History(tmp_path / "history.sqlite")
    assert len(again.graph("north/1", "temperature_c", 900, 1100)["CPU"]) == 1
    again.close()
