"""What a viewer has in the hand: orders to the stream that is being pushed (claim 17)."""

from typing import Protocol

from media_network.address import Address
from media_network.messages.steering import SeekStyle, Steered
from media_network.refusal import Reason, Refused
from media_network.trick import SCALES

_NOTHING_PLAYS = Refused(Reason.NOT_READY, "nothing of the stream has come yet")


class Steerable(Protocol):
    """A stream that obeys."""

    async def pause(self) -> Steered | Refused:
        """Have nothing more sent."""
        ...

    async def resume(self) -> Steered | Refused:
        """Go on."""
        ...

    async def seek(self, to_ms: int, style: SeekStyle) -> Steered | Refused:
        """Go on elsewhere."""
        ...

    async def go(self, scale: float) -> Steered | Refused:
        """Go on so many times as fast, or backwards."""
        ...

    @property
    def scale(self) -> int:
        """The speed that it has, as far as is known."""
        ...

    @property
    def address(self) -> Address:
        """Where its datagrams come to."""
        ...

    @property
    def position_ms(self) -> int:
        """Of what comes next, from the beginning of the program."""
        ...

    @property
    def duration_ms(self) -> int:
        """Of the whole program."""
        ...

    @property
    def is_paused(self) -> bool:
        """Whether it was paused, as far as is known."""
        ...


class Remote:
    """Pauses, seeks, and changes the speed in whatever is played; each order is answered when it has had its effect."""

    def __init__(self) -> None:
        self.stream: Steerable | None = None
        """What is played; None before it has begun, and after it has ended."""

    async def toggle(self) -> Steered | Refused:
        """Pause, or go on."""
        if self.stream is None:
            return _NOTHING_PLAYS
        return await (self.stream.resume() if self.stream.is_paused else self.stream.pause())

    async def pause(self) -> Steered | Refused:
        """Have nothing more sent."""
        return await self.stream.pause() if self.stream else _NOTHING_PLAYS

    async def resume(self) -> Steered | Refused:
        """Go on."""
        return await self.stream.resume() if self.stream else _NOTHING_PLAYS

    async def seek(self, to_ms: int, style: SeekStyle = SeekStyle.PRIOR) -> Steered | Refused:
        """Go on at the random access point before, or after, a moment of the program."""
        return await self.stream.seek(to_ms, style) if self.stream else _NOTHING_PLAYS

    async def go(self, scale: float) -> Steered | Refused:
        """Go on so many times as fast, or backwards."""
        return await self.stream.go(scale) if self.stream else _NOTHING_PLAYS

    async def change_speed(self, by: int) -> Steered | Refused:
        """Go on at the next speed that there is, forward or backwards."""
        if self.stream is None:
            return _NOTHING_PLAYS
        place = SCALES.index(self.stream.scale) + by
        return await self.stream.go(SCALES[min(max(0, place), len(SCALES) - 1)])

    async def skip(self, by_ms: int) -> Steered | Refused:
        """Go on so much further on, or back: never the other way, however long the segments are."""
        if self.stream is None:
            return _NOTHING_PLAYS
        to_ms = min(max(0, self.stream.position_ms + by_ms), max(0, self.stream.duration_ms - 1))
        return await self.stream.seek(to_ms, SeekStyle.NEXT if by_ms > 0 else SeekStyle.PRIOR)
