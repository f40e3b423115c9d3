"""Multiplexes pictures and sound into a constant-rate MPEG transport stream."""

from collections.abc import Callable

from av.audio.stream import AudioStream

from distribution_center.content.errors import LostOnTheWay
from distribution_center.content.material import Material
from distribution_center.content.packetiser import Packetiser
from distribution_center.content.schedule import Schedule
from distribution_center.content.source import MediaPacket, time_us
from distribution_center.content.survey import OnProgress
from distribution_center.content.timeline import ticks_of
from media_network.transport_stream import TIME_STAMP_HZ

_BEGIN_US = 1_000_000
"""Where the program begins on the stream's clock: all times in it are positive."""
_MICROSECONDS = 1_000_000


def multiplex(
    material: Material,
    write: Callable[[bytes], object],
    *,
    name: str,
    rate_bps: int,
    length_us: int,
    thrifty: bool,
    on_progress: OnProgress,
) -> None:
    """Give the stream to `write` at `rate_bps`, null packets included, PAT and PMT before every random access point.

    A `thrifty` stream has fewer clock references, which leaves small decoders more room for pictures.
    Raises `IngestError`, `TooLate` if the rate is too low, and what `write` raises.
    """
    first_us = material.pictures.due_us[0]
    begin_us = _BEGIN_US - min(0, first_us, *material.sounds.due_us[:1])
    schedule = Schedule(
        rate_bps,
        material.picture_sizes,
        material.sound_sizes,
        first_due=(begin_us + first_us) * TIME_STAMP_HZ // _MICROSECONDS,
        thrifty=thrifty,
    )
    moves: dict[bool, int] = {}
    packetiser = Packetiser(material.video, material.audio, aspect=material.aspect)
    for packet in material.packets:
        on_progress(min(1.0, max(0.0, time_us(packet.dts, packet) / max(1, length_us))))
        is_sound = isinstance(packet.stream, AudioStream)
        if is_sound not in moves:
            moves[is_sound] = ticks_of(begin_us, packet.time_base)
        for unit in packetiser.feed(_moved(packet, moves[is_sound])):
            write(schedule.add(unit, packetiser.tables))
    for unit in packetiser.close():
        write(schedule.add(unit, packetiser.tables))
    write(schedule.close())
    _compare(name, "pictures", len(material.pictures.due_us), schedule.pictures)
    _compare(name, "sounds", len(material.sounds.due_us), schedule.sounds)


def _moved(packet: MediaPacket, by_ticks: int) -> MediaPacket:
    packet.dts = (packet.dts or 0) + by_ticks
    packet.pts = (packet.pts or 0) + by_ticks
    return packet


def _compare(name: str, what: str, went_in: int, came_out: int) -> None:
    """What was surveyed is what was sent."""
    if went_in != came_out:
        raise LostOnTheWay(name, what, went_in, came_out)
