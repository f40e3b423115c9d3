"""Channels that a film lists in an order of its own come out of the loudspeakers that they are for."""

import struct

from av.audio.frame import AudioFrame

from distribution_center.content.loudspeakers import ChannelOrder

_SAMPLES = 4


def test_each_channel_goes_to_its_place() -> None:
    """A film has left, center, right, two behind, and the deep one last; the layout has the center third."""
    frame = AudioFrame("s16p", "5.1", _SAMPLES)
    frame.sample_rate = 48_000
    for number, plane in enumerate(frame.planes):
        plane.update(struct.pack("<h", number).ljust(plane.buffer_size, b"\0"))
    even = ChannelOrder(frame, (0, 2, 1, 5, 3, 4)).sorted(frame)
    assert [struct.unpack_from("<h", bytes(plane))[0] for plane in even.planes] == [0, 2, 1, 5, 3, 4]
    assert (even.layout.name, even.samples) == ("5.1", _SAMPLES)
