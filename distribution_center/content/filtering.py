"""Puts decoded pictures into the form in which they are encoded: turned, progressive, in SDR, with an even size.

Filters are libavfilter's. They are made anew whenever the pictures change their look, for instance where films were
joined; the size of the first picture is the size of all.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
from av.filter import Graph
from av.video.frame import VideoFrame

from distribution_center.content.look import UNSPECIFIED, Look, look_of

CLOCK_HZ = 90_000
"""Pictures are timed as they will be sent."""
_DEINTERLACE = "bwdif=mode=send_frame:parity=auto:deint=interlaced"
_TO_SDR = "scale=out_primaries=bt709:out_transfer=bt709:out_color_matrix=bt709:out_range=tv:intent=perceptual"
_FROM_RGB = "scale=out_color_matrix=bt709:out_range=tv"
_WIDE_PRIMARIES = "bt2020"
_RGB_MATRIX = 0


class PictureFilters:
    """Frames in, frames out: as many, in the same order, some later."""

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None
        """Of the frames that come out: known with the first one."""
        self._look: Look | None = None
        self._interlaced = False
        self._graph: Graph | None = None

    def push(self, frame: VideoFrame, at_ticks: int) -> list[VideoFrame]:
        """Take a frame that is shown at a time in 1 / `CLOCK_HZ`."""
        look = look_of(frame)
        ready: list[VideoFrame] = []
        if self._graph is None or look != self._look or frame.interlaced_frame > self._interlaced:
            ready += self.flush()
            self._look = look
            self._interlaced |= frame.interlaced_frame
            self.size = self.size or _even(_turned(look))
            self._graph = _graph(look, self.size, interlaced=self._interlaced)
        frame.pts, frame.time_base = at_ticks, Fraction(1, CLOCK_HZ)
        self._graph.vpush(frame)
        return [*ready, *_pull(self._graph)]

    def flush(self) -> list[VideoFrame]:
        """What is still inside; more may be pushed then."""
        graph, self._graph = self._graph, None
        if graph is None:
            return []
        graph.vpush(None)
        return list(_pull(graph))


def _pull(graph: Graph) -> Iterator[VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _turned(look: Look) -> tuple[int, int]:
    return (look.height, look.width) if look.turn.lies else (look.width, look.height)


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """4:2:0 halves both."""
    return size[0] + size[0] % 2, size[1] + size[1] % 2


def _graph(look: Look, size: tuple[int, int], *, interlaced: bool) -> Graph:
    graph = Graph()
    source = graph.add(
        "buffer",
        f"video_size={look.width}x{look.height}:pix_fmt={look.pixels}:time_base=1/{CLOCK_HZ}:pixel_aspect=1/1"
        f":colorspace={look.matrix}:range={look.range}",
    )
    nodes = [source]
    for description in (*_steps(look, size, interlaced=interlaced), "buffersink"):
        name, _, arguments = description.partition("=")
        nodes.append(graph.add(name, arguments or None))
        nodes[-2].link_to(nodes[-1])
    graph.configure()
    return graph


def _steps(look: Look, size: tuple[int, int], *, interlaced: bool) -> list[str]:
    steps = []
    if interlaced:
        steps.append(_DEINTERLACE)
    if look.is_hdr:
        primaries = f":in_primaries={_WIDE_PRIMARIES}" if look.primaries == UNSPECIFIED else ""
        steps.append(_TO_SDR + primaries)
    elif look.matrix == _RGB_MATRIX:
        steps.append(_FROM_RGB)
    steps.append("format=yuv420p")
    steps += look.turn.value.split(",") if look.turn.value else []
    return steps + _fitted(_turned(look), size)


def _fitted(turned: tuple[int, int], size: tuple[int, int]) -> list[str]:
    """Whole in a frame of `size`: a line is repeated at an odd edge, a picture of another size gets black borders."""
    width, height = size
    if turned == size:
        return []
    if _even(turned) == size:
        right, bottom = width - turned[0], height - turned[1]
        return [f"pad={width}:{height}", f"fillborders=right={right}:bottom={bottom}:mode=smear"]
    scaled = f"scale={width}:{height}:force_original_aspect_ratio=decrease"
    return [scaled, f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2"]
