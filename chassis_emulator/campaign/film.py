"""A small film for a campaign, rendered on the spot: a slope that wanders, each film another way."""

from fractions import Fraction
from pathlib import Path

import av

_WIDTH, _HEIGHT, _FPS, _SECONDS = 160, 96, 25, 5
_GROUP = 12
"""Pictures of a group: a segment may begin about twice a second."""


def render_film(path: Path, number: int) -> Path:
    """Write the film with this number; the same number gives the same film. Blocks for some tenths of a second."""
    with av.open(path, "w", options={"fflags": "+bitexact"}) as film:
        stream = film.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        stream.codec_context.gop_size = _GROUP
        for place in range(_SECONDS * _FPS):
            film.mux(stream.encode(_picture(place, number)))
        film.mux(stream.encode(None))
    return path


def _picture(place: int, number: int) -> av.VideoFrame:
    frame = av.VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
    slope = bytes(range(256)) * 2
    for plane, step in zip(frame.planes, (1, number % 200 + 2, number // 200 + 3), strict=True):
        begin = place * step % 256
        row = slope[begin:] + slope[:begin]
        plane.update((row * (plane.buffer_size // len(row) + 1))[: plane.buffer_size])
    frame.pts, frame.time_base = place, Fraction(1, _FPS)
    return frame
