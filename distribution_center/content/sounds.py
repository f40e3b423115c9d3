"""Sound that is decoded and encoded: AAC with the channels it has, in time with the film however roughly that keeps it.

It has no holes: where the film's sound has one there is silence.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.frame import Frame

from distribution_center.content.damage import Damage
from distribution_center.content.loudspeakers import ChannelOrder, Loudspeakers
from distribution_center.content.source import MediaPacket

_RATES_HZ = frozenset({32_000, 44_100, 48_000})
_USUAL_RATE_HZ = 48_000
_BITS_A_CHANNEL = {1: 96_000, 2: 80_000}
_BITS_A_CHANNEL_OF_MANY = 64_000
_FRAME_SAMPLES = 1024
_JITTER_S = Fraction(1, 20)
"""Containers round time stamps: less than this is no hole and no overlap."""
_NOTICED_S = Fraction(1, 10)
_KEPT_LAYOUTS = {
    "mono": "mono",
    "stereo": "stereo",
    "3.0": "3.0",
    "4.0": "4.0",
    "5.0": "5.0",
    "5.0(side)": "5.0",
    "5.1": "5.1",
    "5.1(side)": "5.1",
}
"""Layouts that ADTS has a number for (ISO/IEC 13818-7, table 42), and players a decoder."""


class SoundEncoder:
    """Packets of the film in, an MP4 file of AAC out. Times count from the beginning of the program."""

    def __init__(self, source: str, audio: AudioStream, loudspeakers: Loudspeakers, target: Path) -> None:
        self.samples_in = self.samples_out = 0
        """Decoded, in samples of the program's rate; and encoded, silence included."""
        self.damage = Damage(source, "sounds")
        self._context = audio.codec_context
        self._time_base = audio.time_base or Fraction(1, _USUAL_RATE_HZ)
        rate_hz = self._context.sample_rate
        self.rate_hz = rate_hz if rate_hz in _RATES_HZ else _USUAL_RATE_HZ
        self._layout = _kept_layout(self._context.layout)
        self._loudspeakers = loudspeakers
        self._mixed = loudspeakers.channels != AudioLayout(self._layout).nb_channels
        self._out = av.open(str(target), "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = self._out.add_stream("aac", rate=self.rate_hz, layout=self._layout)
        channels = AudioLayout(self._layout).nb_channels
        self._stream.bit_rate = channels * _BITS_A_CHANNEL.get(channels, _BITS_A_CHANNEL_OF_MANY)
        self._fifo = AudioFifo()
        self._resampler: AudioResampler | None = None
        self._order: ChannelOrder | None = None
        self._form: tuple[str, str, int] | None = None
        self._begin_s: Fraction | None = None
        self._silence_s = self._dropped_s = Fraction(0)

    @property
    def warnings(self) -> list[str]:
        """What people should know of it."""
        sentences = self.damage.sentences()
        if self._mixed:
            sentences.append(f"sound in {self._loudspeakers.named} was mixed to {self._layout}")
        if self._silence_s > _NOTICED_S:
            sentences.append(f"holes in the sound, {float(self._silence_s):.1f} s in all, are silence")
        if self._dropped_s > _NOTICED_S:
            sentences.append(f"{float(self._dropped_s):.1f} s of sound overlap other sound and were left out")
        return sentences

    def feed(self, packet: MediaPacket) -> None:
        """The next packet."""
        if packet.size:
            self._read(self.damage.survive(self._context, packet))

    def close(self) -> None:
        """There are no more. Raises `DamagedSource`."""
        self._read(self.damage.survive(self._context, None))
        self._change_form(None)
        if self._begin_s is not None:
            self._encode(partial=True)
            self._out.mux(self._stream.encode(None))
        self._out.close()
        self.damage.refuse_ruin()

    def abandon(self) -> None:
        """Leave the file as it is."""
        self._out.close()

    def _read(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if isinstance(frame, AudioFrame) and self._fits(frame):
                form = (frame.format.name, frame.layout.name, frame.sample_rate)
                if form != self._form:
                    self._change_form(form)
                    order = self._loudspeakers.order
                    self._order = ChannelOrder(frame, order) if len(order) == frame.layout.nb_channels else None
                self._resample(frame if self._order is None else self._order.sorted(frame))
                self._encode(partial=False)

    def _fits(self, frame: AudioFrame) -> bool:
        """Fill the hole before it, if there is one; False if it is really earlier than what has been heard."""
        lasts_s = Fraction(frame.samples, frame.sample_rate)
        given_s = None if frame.pts is None else frame.pts * (frame.time_base or self._time_base)
        if self._begin_s is None:
            self._begin_s = given_s or Fraction(0)
        elif given_s is not None:
            hole_s = given_s - self._begin_s - Fraction(self.samples_in, self.rate_hz)
            if hole_s < -_JITTER_S:
                self._dropped_s += lasts_s
                return False
            if hole_s > _JITTER_S:
                self._be_silent(hole_s)
        return True

    def _be_silent(self, hole_s: Fraction) -> None:
        self._silence_s += hole_s
        left = round(hole_s * self.rate_hz)
        while left:
            samples = min(left, _FRAME_SAMPLES)
            silence = AudioFrame("fltp", self._layout, samples)
            silence.sample_rate = self.rate_hz
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            self._take(silence)
            self._encode(partial=False)
            left -= samples

    def _change_form(self, form: tuple[str, str, int] | None) -> None:
        """Sound in another form comes; what the resampler still has comes before it."""
        if self._resampler is not None:
            self._resample(None)
        self._form = form
        self._resampler = AudioResampler("fltp", self._layout, self.rate_hz) if form else None

    def _resample(self, frame: AudioFrame | None) -> None:
        if frame is not None:
            frame.pts = None  # we count ourselves
        if self._resampler is not None:
            for even in self._resampler.resample(frame):
                self._take(even)

    def _take(self, frame: AudioFrame) -> None:
        frame.pts = None
        self.samples_in += frame.samples
        self._fifo.write(frame)

    def _encode(self, *, partial: bool) -> None:
        while frame := self._fifo.read(_FRAME_SAMPLES, partial):
            begin = round((self._begin_s or 0) * self.rate_hz)
            frame.sample_rate, frame.time_base = self.rate_hz, Fraction(1, self.rate_hz)
            frame.pts = begin + self.samples_out
            self.samples_out += frame.samples
            self._out.mux(self._stream.encode(frame))


def _kept_layout(layout: AudioLayout) -> str:
    """The layout itself where AAC and players have it; else stereo of two channels and 5.1 of more."""
    return _KEPT_LAYOUTS.get(layout.name, {1: "mono", 2: "stereo"}.get(layout.nb_channels, "5.1"))
