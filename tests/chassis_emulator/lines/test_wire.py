from hypothesis import given, settings
from hypothesis import strategies as st

from chassis_emulator.lines.wire import Wire


@given(
    pushes=st.lists(st.tuples(st.floats(0, 0.1), st.binary(min_size=1, max_size=60)), min_size=1, max_size=20),
    looks=st.lists(st.floats(0, 0.05), max_size=40),
    baud_rate=st.sampled_from([9600, 115_200, 921_600]),
)
@settings(max_examples=60)
def test_a_wire_keeps_order_and_never_outruns_its_rate(pushes, looks, baud_rate):
    wire, sent, got, now, first = Wire(baud_rate), b"", b"", 0.0, None
    steps = [*pushes, *((pause, b"") for pause in looks)]
    for pause, data in sorted(steps, key=lambda step: len(step[1])):
        now += pause
        if data:
            first = now if first is None else first
            wire.push(data, now)
            sent += data
        got += wire.due(now)
        assert sent.startswith(got)
        if first is not None:
            assert len(got) <= (now - first) * baud_rate / 10 + 1e-3
    while (at := wire.next_at(now)) is not None:
        assert at > now
        now = at
        got += wire.due(now)
    assert got == sent
    assert wire.in_flight == 0


def test_a_burst_takes_ten_bits_a_byte():
    wire = Wire(115_200)
    wire.push(bytes(1152), now=5.0)
    assert wire.due(5.0) == b""
    assert len(wire.due(5.05)) == 576
    assert len(wire.due(5.1)) == 576
    wire.push(b"late", now=9.0)
    assert wire.due(9.0) == b"", "an idle line saves nothing up"
    assert wire.due(9.0 + 4 * 10 / 115_200) == b"late"
