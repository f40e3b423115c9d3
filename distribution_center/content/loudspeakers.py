"""Which loudspeaker each channel of a film's sound is for.

Containers may list channels in any order. PyAV frees such a list with every look at it (av/audio/layout.py shares it
with the decoder), which ends the process at the second one: so it is read once, and the decoder is told of the same
loudspeakers in libavutil's own order, of which there is no list. The samples are put into that order here.
"""

from dataclasses import dataclass

from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.stream import AudioStream
from av.filter import Graph

_ORDER = (
    *("FL", "FR", "FC", "LFE", "BL", "BR", "FLC", "FRC", "BC", "SL", "SR", "TC", "TFL", "TFC", "TFR", "TBL"),
    *("TBC", "TBR", "DL", "DR", "WL", "WR", "SDL", "SDR", "LFE2", "TSL", "TSR", "BFC", "BFL", "BFR"),
)
"""Of libavutil/channel_layout.h."""
_USUAL = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What so many channels mostly are, where nobody says it."""


@dataclass(frozen=True)
class Loudspeakers:
    """Of a track whose decoder has been told of them."""

    named: str
    """As the film has them."""
    channels: int
    order: tuple[int, ...] = ()
    """Where each channel of the decoder's layout stands in the film; empty: in its place."""


def settle_loudspeakers(audio: AudioStream) -> Loudspeakers:
    """Read them, before anything else does and before the decoder is opened; and tell the decoder what it must know."""
    context = audio.codec_context
    told = context.layout
    name, channels = told.name, told.nb_channels
    listed = [channel.name for channel in told.channels] if "(" in name and "+" in name else []
    if listed:
        known = len(set(listed)) == channels and set(listed) <= set(_ORDER)
        even = sorted(listed, key=_ORDER.index) if known else []
        context.layout = AudioLayout("+".join(even) if known else _usual(channels))
        order = tuple(map(listed.index, even))
        return Loudspeakers(name, channels, () if order == tuple(range(channels)) else order)
    if name == f"{channels} channels":
        context.layout = AudioLayout(_usual(channels))
    return Loudspeakers(name, channels)


class ChannelOrder:
    """Frames of one form in, the same samples out, each channel where the frame's layout has it."""

    def __init__(self, form: AudioFrame, order: tuple[int, ...]) -> None:
        self._graph = Graph()
        layout, rate_hz = form.layout.name, form.sample_rate
        source = self._graph.add(
            "abuffer",
            f"sample_rate={rate_hz}:sample_fmt={form.format.name}:channel_layout={layout}:time_base=1/{rate_hz}",
        )
        sorter = self._graph.add("channelmap", f"map={'|'.join(map(str, order))}:channel_layout={layout}")
        self._sink = self._graph.add("abuffersink")
        source.link_to(sorter)
        sorter.link_to(self._sink)
        self._graph.configure()

    def sorted(self, frame: AudioFrame) -> AudioFrame:
        """A frame of that form, sorted."""
        self._graph.push(frame)
        even = self._sink.pull()
        return even if isinstance(even, AudioFrame) else frame


def _usual(channels: int) -> str:
    return _USUAL.get(channels, f"{channels} channels")
