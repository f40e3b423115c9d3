"""What goes wrong on one direction of a serial line: bytes of the sender in, what enters the wire out. Does no I/O.

Without a fault the bytes out are the bytes in, at once. Frames are those of IPMI serial Basic Mode (IPMI 2.0, 14.4);
what is in none (handshakes, stray bytes) is not held up by faults of frames. Times are seconds on any clock that does
not go back; all chance comes from each fault's seed.
"""

import math
import random
from collections import deque
from collections.abc import Sequence

from msgspec import Struct

from chassis_emulator.faults.kinds import (
    CutFrames,
    DelayedFrames,
    DoubledFrames,
    FrameFault,
    LineFault,
    LostFrames,
    Noise,
    NoiseBursts,
    StuckLine,
)

_START, _STOP = 0xA0, 0xA5
_FRAME_BYTES_MAX = 512
"""No frame is longer; what is, is none."""


class ImpairmentCounters(Struct):
    """What faults have done to one direction."""

    flipped_bits: int = 0
    burst_bytes: int = 0
    bursts: int = 0
    lost_frames: int = 0
    doubled_frames: int = 0
    cut_frames: int = 0
    delayed_frames: int = 0
    swallowed_bytes: int = 0
    """While the line was stuck."""


class Impairment:
    """The faults of one direction of a line."""

    def __init__(self) -> None:
        self.counters = ImpairmentCounters()
        self._faults: tuple[LineFault, ...] = ()
        self._noises: list[_Noise] = []
        self._bursts: list[_Bursts] = []
        self._on_frames: list[tuple[FrameFault, random.Random]] = []
        self._stuck = False
        self._frame = bytearray()
        self._held: deque[tuple[float, bytes]] = deque()
        self._held_bytes = 0

    @property
    def clear(self) -> bool:
        """Whether bytes pass as they are, at once."""
        return not self._faults and not self._held

    @property
    def held_bytes(self) -> int:
        """Bytes that came and are still to leave."""
        return self._held_bytes + len(self._frame)

    def suffer(self, faults: Sequence[LineFault], way: str, now: float) -> None:
        """Have these faults, and no others, from now on; one that was there already goes on as it is.

        `way` names line and direction: no two are to have the same chance.
        """
        before, self._faults = self._faults, tuple(faults)
        if before == self._faults:
            return
        keep = set(before) & set(faults)
        self._noises = [noise for noise in self._noises if noise.fault in keep]
        self._bursts = [burst for burst in self._bursts if burst.fault in keep]
        self._on_frames = [entry for entry in self._on_frames if entry[0] in keep]
        self._stuck = any(isinstance(fault, StuckLine) for fault in faults)
        for fault in faults:
            if fault not in keep:
                self._begin(fault, random.Random(f"{fault.seed}/{way}"), now)
        if not self._on_frames:
            self._let_go(now)

    def push(self, data: bytes, now: float) -> None:
        """Take what the sender sent."""
        if self._stuck:
            self.counters.swallowed_bytes += len(data)
            return
        if not self._on_frames:
            self._hold(data, now)
            return
        for byte in data:
            self._take(byte, now)

    def due(self, now: float) -> bytes:
        """What enters the wire by now."""
        out = bytearray()
        while self._held and self._held[0][0] <= now:
            out += self._held.popleft()[1]
        self._held_bytes -= len(out)
        for noise in self._noises:
            self.counters.flipped_bits += noise.flip(out)
        for burst in self._bursts:
            extra = burst.due(now)
            self.counters.bursts += len(extra)
            self.counters.burst_bytes += sum(map(len, extra))
            out += b"".join(extra)
        return b"" if self._stuck else bytes(out)

    def next_at(self) -> float | None:
        """When to call `due` again; None while nothing is to come."""
        times = [burst.next_at for burst in self._bursts]
        if self._held:
            times.append(self._held[0][0])
        return min(times, default=None)

    def _begin(self, fault: LineFault, rng: random.Random, now: float) -> None:
        match fault:
            case Noise():
                self._noises.append(_Noise(fault, rng))
            case NoiseBursts():
                self._bursts.append(_Bursts(fault, rng, now))
            case LostFrames() | DoubledFrames() | CutFrames() | DelayedFrames():
                self._on_frames.append((fault, rng))
            case _:
                return

    def _take(self, byte: int, now: float) -> None:
        if byte == _START:
            self._let_go(now)
            self._frame.append(byte)
        elif not self._frame:
            self._hold(bytes([byte]), now)
        else:
            self._frame.append(byte)
            if byte == _STOP:
                frame = bytes(self._frame)
                self._frame.clear()
                self._befall(frame, now)
            elif len(self._frame) > _FRAME_BYTES_MAX:
                self._let_go(now)

    def _let_go(self, now: float) -> None:
        """What has begun like a frame and did not end passes as it is."""
        if self._frame:
            self._hold(bytes(self._frame), now)
            self._frame.clear()

    def _befall(self, frame: bytes, now: float) -> None:
        frames, delay_s = [frame], 0.0
        for fault, rng in self._on_frames:
            if rng.random() >= fault.share or not frames:
                continue
            match fault:
                case LostFrames():
                    frames = []
                    self.counters.lost_frames += 1
                case DoubledFrames():
                    frames *= 2
                    self.counters.doubled_frames += 1
                case CutFrames():
                    frames = [whole[: rng.randint(1, max(1, len(whole) - 1))] for whole in frames]
                    self.counters.cut_frames += 1
                case DelayedFrames():
                    delay_s += fault.delay_ms / 1000
                    self.counters.delayed_frames += 1
        for treated in frames:
            self._hold(treated, now + delay_s)

    def _hold(self, data: bytes, until: float) -> None:
        """A line keeps order: what comes after a delayed frame waits with it."""
        if self._held:
            until = max(until, self._held[-1][0])
        self._held.append((until, data))
        self._held_bytes += len(data)


class _Noise:
    """Bits that flip: from one to the next it is so many bits, as chance has it."""

    def __init__(self, fault: Noise, rng: random.Random) -> None:
        self.fault = fault
        self._rng = rng
        self._bits_to_next = self._draw()

    def flip(self, data: bytearray) -> int:
        """Flip what is to be flipped; returns how many bits were."""
        bits, at, flipped = 8 * len(data), self._bits_to_next, 0
        while at < bits:
            data[at // 8] ^= 1 << at % 8
            flipped += 1
            at += 1 + self._draw()
        self._bits_to_next = at - bits
        return flipped

    def _draw(self) -> int:
        """Bits that stay as they are before the next one flips (geometric distribution)."""
        return int(math.log(1 - self._rng.random()) / math.log1p(-self.fault.bit_error_rate))


class _Bursts:
    """Bytes out of nothing, at random moments (a Poisson process)."""

    def __init__(self, fault: NoiseBursts, rng: random.Random, now: float) -> None:
        self.fault = fault
        self._rng = rng
        self.next_at = now
        self._advance()

    def due(self, now: float) -> list[bytes]:
        """The bursts up to now."""
        bursts = []
        while self.next_at <= now:
            bursts.append(self._rng.randbytes(self._rng.randint(1, self.fault.burst_bytes)))
            self._advance()
        return bursts

    def _advance(self) -> None:
        # A long time without a look is not made up for by more bytes than a line could carry: `due` is asked often.
        self.next_at += self._rng.expovariate(self.fault.bursts_per_s / 2)
