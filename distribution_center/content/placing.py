"""The packets of a film on the program's own clock, which begins with its first picture or sound."""

from collections.abc import Iterator

from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from distribution_center.content.source import MediaPacket, MediaSource
from distribution_center.content.survey import PICTURES, SOUNDS, SourceSurvey
from distribution_center.content.timeline import ticks_of


def placed(
    source: MediaSource, plan: SourceSurvey, *streams: VideoStream | AudioStream | None
) -> Iterator[MediaPacket]:
    """The packets of `streams`, all of them, with times that count from the beginning of the program."""
    shifts = {PICTURES: plan.timeline.follow(PICTURES), SOUNDS: plan.timeline.follow(SOUNDS)}
    moves: dict[tuple[int, int], int] = {}  # reckoning with fractions for each packet takes longer than all the rest
    for packet in source.packets(*streams):
        number = SOUNDS if isinstance(packet.stream, AudioStream) else PICTURES
        shift_us = shifts[number].next_us()
        by_ticks = moves.get((number, shift_us))
        if by_ticks is None:
            by_ticks = moves[number, shift_us] = ticks_of(shift_us - plan.begin_us, packet.time_base)
        if packet.pts is not None:
            packet.pts += by_ticks
        if packet.dts is not None:
            packet.dts += by_ticks
        yield packet
