from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.backplane.basic_mode import BasicMode, FrameFault, Reserved
from blade_agent.backplane.message import MAX_MESSAGE_BYTES
from blade_agent.backplane.rmcp import Rmcp

messages = st.binary(max_size=MAX_MESSAGE_BYTES)
reserved_heavy = st.lists(st.one_of(st.sampled_from([*Reserved, 0xB0, 0xB5, 0xB6, 0xBA]), st.integers(0, 255)))
noise = st.one_of(st.binary(max_size=400), reserved_heavy.map(bytes))


def in_pieces(framing, data, sizes):
    """Feed `data` cut at the given sizes, over and over."""
    messages, position = [], 0
    while position < len(data):
        size = sizes[0]
        sizes = [*sizes[1:], size]
        messages += framing.receive(data[position : position + size])
        position += size
    return messages


@settings(deadline=None)
@given(st.lists(messages, max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent, sizes):
    framing = BasicMode()
    assert in_pieces(framing, b"".join(map(BasicMode.encode, sent)), sizes) == sent
    assert not framing.faults


@settings(deadline=None)
@given(messages)
def test_no_reserved_byte_stands_bare_inside_a_frame(message):
    frame = BasicMode.encode(message)
    assert frame[0] == Reserved.START
    assert frame[-1] == Reserved.STOP
    assert not {Reserved.START, Reserved.STOP, Reserved.HANDSHAKE, Reserved.TERMINAL_ESCAPE} & set(frame[1:-1])


@settings(deadline=None)
@given(noise, messages, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_after_any_noise_the_next_good_frame_is_read(noise, message, sizes):
    framing = BasicMode()
    assert in_pieces(framing, noise + BasicMode.encode(message), sizes)[-1] == message


@settings(deadline=None)
@given(noise)
def test_noise_means_the_same_whole_and_one_byte_at_a_time(noise):
    whole, single = BasicMode(), BasicMode()
    assert whole.receive(noise) == in_pieces(single, noise, [1])
    assert whole.faults == single.faults


@settings(deadline=None)
@given(noise)
def test_every_byte_of_noise_is_a_handshake_in_a_frame_or_counted(noise):
    framing = BasicMode()
    frames = framing.receive(noise)
    assert all(len(frame) <= MAX_MESSAGE_BYTES for frame in frames)
    starts = noise.count(Reserved.START)
    dropped = framing.faults.total() - framing.faults[FrameFault.STRAY]
    assert len(frames) + dropped in (starts, starts - 1)  # the last one may still be open
    if not starts:
        assert framing.faults[FrameFault.STRAY] == len(noise) - noise.count(Reserved.HANDSHAKE)


@settings(deadline=None)
@given(st.integers(0, 3), messages)
def test_handshakes_before_a_frame_are_no_fault(handshakes, message):
    framing = BasicMode()
    assert framing.receive(bytes([Reserved.HANDSHAKE]) * handshakes + BasicMode.encode(message)) == [message]
    assert not framing.faults


def test_each_fault_has_its_name():
    framing = BasicMode()
    start, stop, escape, handshake = (
        bytes([code]) for code in (Reserved.START, Reserved.STOP, Reserved.ESCAPE, Reserved.HANDSHAKE)
    )
    framing.receive(b"x" + handshake + start + b"cut" + start + b"bad" + escape + b"x" + start + handshake)
    framing.receive(start + b"y" * (MAX_MESSAGE_BYTES + 1))
    assert framing.faults == {
        FrameFault.STRAY: 1,
        FrameFault.CUT_SHORT: 1,
        FrameFault.BAD_ESCAPE: 1,
        FrameFault.HANDSHAKE_INSIDE: 1,
        FrameFault.TOO_LONG: 1,
    }
    assert framing.receive(stop) == []
    assert framing.receive(BasicMode.encode(b"good")) == [b"good"]


def test_a_frame_without_end_takes_no_more_memory_than_the_longest_message():
    framing = BasicMode()
    framing.receive(bytes([Reserved.START]))
    for _ in range(100):
        framing.receive(b"z" * 1000)
    assert framing.faults[FrameFault.TOO_LONG] == 1
    assert framing.faults[FrameFault.STRAY] == 100 * 1000 - MAX_MESSAGE_BYTES - 1


@settings(deadline=None)
@given(messages)
def test_a_datagram_carries_one_message(message):
    framing = Rmcp()
    assert framing.receive(Rmcp.encode(message)) == [message]
    assert not framing.faults


@settings(deadline=None)
@given(st.lists(noise, max_size=5), messages)
def test_any_datagrams_are_counted_or_read_and_the_next_good_one_is_read(datagrams, message):
    framing = Rmcp()
    read = [taken for datagram in datagrams for taken in framing.receive(datagram)]
    assert len(read) + framing.faults[FrameFault.NOT_RMCP] == len(datagrams)
    assert framing.receive(Rmcp.encode(message)) == [message]


@settings(deadline=None)
@given(messages, st.integers(0, 400))
def test_a_datagram_that_was_cut_is_counted(message, cut):
    framing = Rmcp()
    datagram = Rmcp.encode(message)
    kept = datagram[: min(cut, len(datagram) - 1)]
    assert framing.receive(kept) == []
    assert framing.faults == {FrameFault.NOT_RMCP: 1}
