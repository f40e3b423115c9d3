"""Odd films, made by ffmpeg when a test asks for them; and what became of them.

All come from one film of 2.6 s that flashes and beeps at 1 s and at 2 s, with a colour in each quarter of the picture.
"""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from distribution_center.content.ingest_process import produce
from distribution_center.content.ingest_report import SEGMENTS, IngestOrder, uri_of
from media_network.callback import do_nothing
from media_network.program import Program
from tests.distribution_center.content.reading import Reading, read

FPS = 25
SECONDS = 2.6
WIDTH, HEIGHT = 160, 96
_QUARTERS = (("red", "0", "0"), ("0x00a000", "iw/2", "0"), ("blue", "0", "ih/2"), ("0xc0c0c0", "iw/2", "ih/2"))
_BEEPS = "0.8*sin(2*PI*1000*t)*lt(mod(t\\,1)\\,0.1)*gte(t\\,1)"

Make = Callable[["Workshop", Path], None]


@dataclass(frozen=True)
class Odd:
    """An odd film and what is right for it."""

    name: str
    """Ends in what its container is called."""
    make: Make
    copied: str = ""
    """"v" and "a" for what needs no encoding."""
    says: tuple[str, ...] = ()
    """Part of each warning that must be given; there are no others."""
    extra: int = 0
    """Pictures added to fill stills, as is said."""
    compare: str = "frames seconds sync shape colour"
    """What ffmpeg's reading of the source is a measure for."""
    filters: str = ""
    """How ffmpeg must look at the source to see what a viewer shall see."""
    options: tuple[str, ...] = ()
    """How ffmpeg must read the source."""
    video: str = "0:v:0"
    audio: str = "0:a:0"
    settings: dict[str, int] | None = None
    tolerance: int = 12
    """Of colours."""


class Workshop:
    """A folder in which films are made, once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: object) -> None:
        """Run ffmpeg."""
        command = ["ffmpeg", "-nostdin", "-y", "-v", "error", *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @property
    def base(self) -> Path:
        """The film that others are made from: nothing is lost in it."""
        return self.film("base.mkv", self._make_base)

    def film(self, name: str, make: Callable[[Path], None]) -> Path:
        path = self.folder / name
        if not path.exists():
            make(path)
        return path

    def _make_base(self, path: Path) -> None:
        source = f"color=c=gray:s={WIDTH}x{HEIGHT}:r={FPS}:d={SECONDS},format=yuv420p"
        for colour, x, y in _QUARTERS:
            source += f",drawbox=x={x}:y={y}:w=iw/2:h=ih/2:c={colour}:t=fill"
        source += f",drawbox=c=white:t=fill:enable='eq(n\\,{FPS})+eq(n\\,{2 * FPS})'"
        sound = f"aevalsrc=exprs={_BEEPS}:s=48000:d={SECONDS}:c=mono"
        self.run(
            *("-f", "lavfi", "-i", source, "-f", "lavfi", "-i", sound),
            *("-c:v", "ffv1", "-c:a", "pcm_s16le", "-ac", "2", path),
        )

    @property
    def h264(self) -> Path:
        """It in H.264 and AAC, the usual way."""
        return self.film("usual.mp4", lambda path: self.run("-i", self.base, *H264, *AAC, path))


H264 = ("-c:v", "libx264", "-preset", "veryfast", "-threads", "1")
AAC = ("-c:a", "aac", "-b:a", "128k")
COPY = ("-c", "copy")


def encoded(*words: object) -> Make:
    """Made from the film by these options."""
    return lambda shop, path: shop.run("-i", shop.base, *words, path)


def copied(*words: object) -> Make:
    """Made from the usual H.264 film by these options."""
    return lambda shop, path: shop.run("-i", shop.h264, *words, path)


@dataclass(frozen=True)
class Watched:
    """A film, its program, and what ffmpeg sees of both."""

    odd: Odd
    film: Path
    program: Program
    stream: bytes
    source: Reading
    result: Reading


class Cinema:
    """Makes, ingests and watches each film once."""

    def __init__(self, folder: Path) -> None:
        self.shop = Workshop(folder)
        self._watched: dict[str, Watched] = {}

    def watch(self, odd: Odd) -> Watched:
        if odd.name not in self._watched:
            self._watched[odd.name] = self._watch(odd)
        return self._watched[odd.name]

    def _watch(self, odd: Odd) -> Watched:
        film = self.shop.film(odd.name, lambda path: odd.make(self.shop, path))
        program, stream = take_in(film, self.shop.folder / f"{odd.name}.program", **(odd.settings or {}))
        result = self.shop.folder / f"{odd.name}.ts"
        result.write_bytes(stream)
        source = read(film, video=odd.video, audio=odd.audio, filters=odd.filters, options=odd.options)
        return Watched(odd, film, program, stream, source, read(result))


def take_in(
    film: Path, folder: Path, *, segment_ms: int = 2000, longest_segment_ms: int = 12_000
) -> tuple[Program, bytes]:
    """Ingest a film in this process; the program and its bytes. Raises `IngestError`."""
    folder.mkdir()
    order = IngestOrder(
        path=uri_of(film),
        name=film.name,
        folder=str(folder),
        title="film",
        segment_ms=segment_ms,
        longest_segment_ms=longest_segment_ms,
    )
    program = produce(order, do_nothing).program
    parts = [(folder / SEGMENTS / f"{segment.number}.ts").read_bytes() for segment in program.segments]
    return program, b"".join(parts)
