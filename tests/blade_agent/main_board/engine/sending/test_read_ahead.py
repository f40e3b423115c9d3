"""Reading ahead: whatever the order of reading and sending, the bytes are the segment's."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.engine.sending.read_ahead import ReadAhead, window_bytes
from media_network.packets import DATAGRAM_BYTES

RATE_BPS = 1_000_000


def fill(read_ahead, data, part):
    part.buffer[:] = data[part.offset : part.offset + len(part.buffer)]
    read_ahead.put(part)


def test_windows_are_whole_datagrams_within_bounds():
    for rate_bps in (1, 1_000_000, 8_000_000, 10**12):
        assert window_bytes(rate_bps) % DATAGRAM_BYTES == 0
        assert 48 * DATAGRAM_BYTES <= window_bytes(rate_bps) <= 800 * DATAGRAM_BYTES


def test_a_read_that_was_under_way_when_the_place_changed_is_ignored():
    data = bytes(range(256)) * 5875  # three windows and more
    read_ahead = ReadAhead(len(data), RATE_BPS)
    old = read_ahead.ask(len(data))
    read_ahead.seek(DATAGRAM_BYTES)
    new = read_ahead.ask(len(data))
    fill(read_ahead, data, old)
    assert not read_ahead.take(DATAGRAM_BYTES)
    fill(read_ahead, data, new)
    old.buffer[:] = bytes(len(old.buffer))
    assert read_ahead.take(DATAGRAM_BYTES) == data[DATAGRAM_BYTES : 2 * DATAGRAM_BYTES]


@settings(max_examples=60, deadline=None)
@given(packets=st.integers(1, 2000), first=st.floats(0, 0.999), preloaded=st.booleans(), seed=st.integers(0, 2**32))
def test_what_is_taken_is_the_segment_from_the_place_on(packets, first, preloaded, seed):
    rng = random.Random(seed)
    data = b"".join(number.to_bytes(4, "big") * 47 for number in range(packets))
    begin = int(packets * first) * 188
    read_ahead = ReadAhead(len(data), RATE_BPS)
    if preloaded:
        fill(read_ahead, data, read_ahead.ask(len(data)))
    read_ahead.seek(begin)
    taken, part = bytearray(), None
    while begin + len(taken) < len(data):
        part = part or read_ahead.ask(len(data))
        if part and rng.random() < 0.5:
            fill(read_ahead, data, part)
            part = None
        asked = rng.randint(1, 40) * DATAGRAM_BYTES
        batch = read_ahead.take(asked)
        taken += batch
        end = begin + len(taken)
        assert len(batch) in (0, asked) or end % DATAGRAM_BYTES == 0 or end == len(data)
    assert taken == data[begin:]
    assert read_ahead.ask(len(data)) is None


@settings(max_examples=60, deadline=None)
@given(packets=st.integers(1, 2000), block_packets=st.integers(1, 900), seed=st.integers(0, 2**32))
def test_nothing_is_read_beyond_what_may_be_and_all_of_it_is_read_in_the_end(packets, block_packets, seed):
    rng = random.Random(seed)
    data = b"".join(number.to_bytes(4, "big") * 47 for number in range(packets))
    read_ahead, taken, readable = ReadAhead(len(data), RATE_BPS), bytearray(), 0
    while len(taken) < len(data):
        part = read_ahead.ask(readable)
        if part is None:
            readable = min(len(data), readable + block_packets * 188)
        else:
            assert part.offset + len(part.buffer) <= readable
            fill(read_ahead, data, part)
        batch = read_ahead.take(rng.randint(1, 40) * DATAGRAM_BYTES)
        taken += batch
        assert len(batch) % DATAGRAM_BYTES == 0 or len(taken) == len(data)
    assert taken == data
