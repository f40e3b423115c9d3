"""How ffmpeg reads a film: every picture and its time, every beep, the shape of the picture and its colours."""

import json
import subprocess
import sys
from array import array
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

COLUMNS, ROWS = 16, 8
_PIXELS_BYTES = COLUMNS * ROWS * 3
_CLEARLY_LIGHTER = 30
_LOUD = 0.3
_APART_S = 0.3
_SMALL = f"scale={COLUMNS}:{ROWS}:flags=area,format=rgb24"

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Reading:
    """What ffmpeg shows and plays of a film; times in seconds, on the film's own clock."""

    path: Path
    shown_s: tuple[float, ...]
    """When each picture is shown, in the order in which they are shown."""
    pixels: tuple[bytes, ...]
    """Each picture, made very small: rows of red, green and blue."""
    heard: tuple[tuple[float, float, float], ...]
    """Blocks of sound: when, how long, and the loudest sample from 0 to 1."""
    beeps_s: tuple[float, ...]
    probe: dict[str, object]

    @property
    def frames(self) -> int:
        return len(self.shown_s)

    @property
    def begin_s(self) -> float:
        """When the first picture is shown, or the first sound heard."""
        return min([*self.shown_s[:1], *[at for at, _, _ in self.heard[:1]]])

    @property
    def sound_s(self) -> float:
        """From the first to the end of the last sound."""
        return self.heard[-1][0] + self.heard[-1][1] - self.heard[0][0] if self.heard else 0.0

    @cached_property
    def flashes_s(self) -> tuple[float, ...]:
        """When the picture gets white."""
        white = [sum(pixels) > self._bright for pixels in self.pixels]
        return tuple(
            at for at, now, before in zip(self.shown_s, white, [False, *white], strict=False) if now and not before
        )

    @cached_property
    def _bright(self) -> float:
        """Between the lightest picture and the darkest one."""
        light = [sum(pixels) for pixels in self.pixels]
        return max((max(light) + min(light)) / 2, min(light) + _CLEARLY_LIGHTER * _PIXELS_BYTES)

    @cached_property
    def corners(self) -> tuple[Colour, ...]:
        """Colours of the quarters, row by row, of the first picture that is not white."""
        pixels = next(pixels for pixels in self.pixels if sum(pixels) < self._bright)
        return tuple(_average(pixels, row, column) for row in (0, 1) for column in (0, 1))

    @cached_property
    def shape(self) -> Fraction:
        """Width to height, as it is shown."""
        video = self.stream("video")
        across, _, down = str(video.get("sample_aspect_ratio", "1:1")).partition(":")
        pixel = Fraction(int(across), int(down)) if int(across) and int(down) else Fraction(1)
        shape = Fraction(int(video["width"]), int(video["height"])) * pixel
        turns = [int(data.get("rotation", 0)) for data in video.get("side_data_list", [])]
        return 1 / shape if any(turn % 180 for turn in turns) else shape

    def stream(self, kind: str) -> dict:
        return next(stream for stream in self.probe["streams"] if stream["codec_type"] == kind)


def _average(pixels: bytes, row: int, column: int) -> Colour:
    """Of the middle of a quarter: edges are mixed."""
    rows = range(row * ROWS // 2 + 1, (row + 1) * ROWS // 2 - 1)
    columns = range(column * COLUMNS // 2 + 2, (column + 1) * COLUMNS // 2 - 2)
    places = [(r * COLUMNS + c) * 3 for r in rows for c in columns]
    return tuple(sum(pixels[place + part] for place in places) // len(places) for part in range(3))


def read(
    film: Path,
    *,
    video: str = "0:v:0",
    audio: str | None = "0:a:0",
    filters: str = "",
    options: tuple[str, ...] = (),
) -> Reading:
    """Let ffmpeg decode a film, whole."""
    folder, probed = film.parent, probe(film)
    audio = audio if any(stream["codec_type"] == "audio" for stream in probed["streams"]) else None
    small = f"{filters},{_SMALL}" if filters else _SMALL
    outputs = [("v", ["-map", video, "-vf", small, "-c:v", "rawvideo"], "rawvideo")]
    if audio:
        outputs.append(("a", ["-map", audio, "-ac", "1", "-c:a", "pcm_s16le"], "s16le"))
    command = ["ffmpeg", "-nostdin", "-y", "-v", "error", "-copyts", *options, "-i", str(film)]
    for name, words, form in outputs:
        times = ["-fps_mode", "passthrough", "-enc_time_base", "-1"]
        command += [*words, *times, "-f", form, str(folder / f"{film.name}.{name}.raw")]
        command += [*words, *times, "-f", "framecrc", str(folder / f"{film.name}.{name}.crc")]
    subprocess.run(command, capture_output=True, check=False)
    raws = {name: folder / f"{film.name}.{name}.raw" for name, _, _ in outputs}
    times = {name: _times(folder / f"{film.name}.{name}.crc") for name, _, _ in outputs}
    picture_bytes = raws["v"].read_bytes()
    pixels = tuple(picture_bytes[at : at + _PIXELS_BYTES] for at in range(0, len(picture_bytes), _PIXELS_BYTES))
    heard, beeps_s = _sound(raws["a"], times["a"]) if times.get("a") else ((), ())
    shown_s = tuple(at for at, _, _ in times["v"])
    return Reading(film, shown_s, pixels, heard, beeps_s, probed)


def probe(film: Path) -> dict[str, object]:
    """What ffprobe says of the streams."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(film)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def _times(crc: Path) -> list[tuple[float, float, int]]:
    """When each block comes, how long it lasts, and its bytes."""
    base, rows = Fraction(1), []
    for line in crc.read_text().splitlines():
        if line.startswith("#tb"):
            base = Fraction(line.split()[-1])
        elif not line.startswith("#"):
            _, _, pts, duration, size, *_ = [part.strip() for part in line.split(",")]
            rows.append((float(int(pts) * base), float(int(duration) * base), int(size)))
    return rows


def _loudest(samples: array) -> int:
    return max(abs(max(samples)), abs(min(samples))) if samples else 0


def _sound(raw: Path, times: list[tuple[float, float, int]]) -> tuple[tuple, tuple[float, ...]]:
    samples = array("h", raw.read_bytes())
    if sys.byteorder == "big":
        samples.byteswap()
    threshold = _LOUD * max(1, _loudest(samples))
    heard, beeps, place = [], [], 0
    for at, lasts, size in times:
        block = samples[place : place + size // 2]
        place += size // 2
        loudest = _loudest(block)
        heard.append((at, lasts, loudest / 32768))
        for index, sample in enumerate(block) if loudest > threshold else ():
            if abs(sample) > threshold:
                when = at + lasts * index / max(1, len(block))
                if not beeps or when - beeps[-1][1] > _APART_S:
                    beeps.append([when, when])
                beeps[-1][1] = when
    return tuple(heard), tuple(begin for begin, _ in beeps)
