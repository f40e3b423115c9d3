"""Films whose time is odd: joined, wrapped, jumping, standing still, with sound before and after the pictures."""

from pathlib import Path

import pytest

from distribution_center.content.errors import DamagedSource
from tests.distribution_center.content.judging import judge, named
from tests.distribution_center.content.odd_films import (
    AAC,
    COPY,
    FPS,
    H264,
    SECONDS,
    Cinema,
    Odd,
    Workshop,
    copied,
    encoded,
    take_in,
)

pytestmark = pytest.mark.peer("ffmpeg", "ffprobe")

JOINED = ("time jumps once",)
BOTH = "frames seconds shape colour"


def joined(*parts: tuple[object, ...], name: str = "part.ts"):
    """Files made by these options from the usual film, one behind the other."""

    def make(shop: Workshop, path: Path) -> None:
        films = []
        for number, words in enumerate(parts):
            film = shop.folder / f"{path.name}.{number}.{name}"
            shop.run("-i", shop.h264, *words, film)
            films.append(film.read_bytes())
        path.write_bytes(b"".join(films))

    return make


def with_still(seconds: int, *words: object):
    """The picture stands still between 1.5 s and so much later."""
    return encoded(
        "-vf", f"setpts=PTS+gt(T\\,1.5)*{seconds}/TB", "-af", f"apad=pad_dur={seconds}", "-fps_mode", "vfr", *words
    )


MPEG2 = ("-c:v", "mpeg2video", "-q:v", "2", "-c:a", "ac3")
ODDS = (
    Odd("joined.ts", joined(COPY, COPY), "va", JOINED, compare="joined shape colour"),
    Odd("joined.vob", joined(MPEG2, MPEG2, name="part.vob"), "", JOINED, compare="joined shape colour"),
    Odd("joined-thrice.ts", joined(COPY, COPY, COPY), "va", ("time jumps 2 times",), compare="joined shape colour"),
    Odd(
        "joined-later.ts",
        joined(COPY, (*COPY, "-output_ts_offset", "500")),
        "va",
        JOINED,
        compare="joined shape colour",
    ),
    Odd(
        "joined-earlier.ts",
        joined((*COPY, "-output_ts_offset", "500"), COPY),
        "va",
        JOINED,
        compare="joined shape colour",
    ),
    Odd("joined-silent.ts", joined((*COPY, "-an"), (*COPY, "-an")), "v", JOINED, compare="joined shape colour"),
    Odd(
        "joined-sizes.ts",
        joined((*MPEG2,), ("-s", "128x96", *MPEG2)),
        "",
        (*JOINED, "change their size"),
        compare="joined",
    ),
    Odd("wrapped.ts", copied(*COPY, "-output_ts_offset", "95441.5"), "va"),
    Odd("wrapped-joined.ts", joined((*COPY, "-output_ts_offset", "95441.5"), COPY), "va", JOINED, compare="joined"),
    Odd("wrapped.vob", encoded(*MPEG2, "-f", "vob", "-output_ts_offset", "95441.5"), ""),
    Odd("late-clock.ts", copied(*COPY, "-output_ts_offset", "40000"), "va"),
    Odd("blu-ray.m2ts", copied(*COPY, "-f", "mpegts", "-mpegts_m2ts_mode", "1"), "va"),
    Odd(
        "variable.mp4",
        encoded(
            "-vf", "select='not(mod(n\\,3))+lt(t\\,1.05)*gt(t\\,0.9)+gt(t\\,1.9)'", "-fps_mode", "vfr", *H264, *AAC
        ),
        "va",
    ),
    Odd(
        "variable.mkv",
        encoded("-vf", "select='not(mod(n\\,3))+gt(t\\,0.9)'", "-fps_mode", "vfr", "-c:v", "mpeg4", "-q:v", "2", *AAC),
        "a",
    ),
    Odd("film-rate.mp4", encoded("-vf", "fps=24000/1001", *H264, *AAC), "va"),
    Odd("double-rate.mkv", encoded("-vf", "fps=60000/1001", *H264, *AAC), "va"),
    Odd("slow-rate.mp4", encoded("-vf", "framestep=5", *H264, *AAC), "va"),
    Odd("slow-rate-encoded.avi", encoded("-vf", "framestep=5", "-c:v", "mpeg4", "-q:v", "2", "-c:a", "pcm_s16le")),
    Odd("fragments.mp4", copied(*COPY, "-movflags", "frag_keyframe+empty_moov"), "va"),
    Odd("reordered.mkv", encoded(*H264, "-bf", "3", "-g", "12", *AAC), "va"),
    Odd("standing-9.mp4", with_still(9, *H264, "-bf", "0", *AAC), "va"),
    Odd(
        "standing-15.mp4",
        with_still(15, *H264, *AAC),
        "a",
        ("8 pictures were added",),
        extra=8,
        compare="frames seconds shape colour",
    ),
    Odd(
        "standing-15.mkv",
        with_still(15, "-c:v", "mpeg4", "-q:v", "2", *AAC),
        "a",
        ("8 pictures were added",),
        extra=8,
        compare="frames seconds shape colour",
    ),
    Odd(
        "standing-12.ts",
        with_still(12, *H264, *AAC),
        "a",
        ("6 pictures were added",),
        extra=6,
        compare="frames seconds shape colour",
    ),
    Odd("raw.h264", encoded("-an", *H264), "", ("no time stamps",), compare="frames shape colour"),
    Odd(
        "raw.hevc",
        encoded("-an", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error"),
        "",
        ("no time stamps",),
        compare="frames shape colour",
    ),
    Odd("begins-inside.mp4", lambda shop, path: shop.run("-ss", "0.9", "-i", shop.h264, *COPY, path), "a"),
    Odd("single.mp4", encoded("-frames:v", "1", "-an", *H264), "v", compare="frames seconds shape colour"),
    Odd(
        "single-mpeg2.mkv",
        encoded("-frames:v", "1", "-an", "-c:v", "mpeg2video", "-q:v", "2"),
        "",
        compare="frames shape colour",
    ),
)


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Cinema:
    return Cinema(tmp_path_factory.mktemp("odd-times"))


@pytest.mark.parametrize("odd", ODDS, ids=named(ODDS))
def test_what_goes_in_comes_out(odd: Odd, cinema: Cinema) -> None:
    judge(cinema.watch(odd))


def test_a_single_picture_lasts_its_frame_time(cinema: Cinema) -> None:
    odd = next(odd for odd in ODDS if odd.name == "single.mp4")
    assert [segment.duration_ms for segment in cinema.watch(odd).program.segments] == [1000 // FPS]


def test_an_hour_of_nothing_is_refused(cinema: Cinema, tmp_path: Path) -> None:
    """It would be filled with null packets, as long as a hostile time stamp likes."""
    film = tmp_path / "hour.mkv"
    cinema.shop.run(
        "-i",
        cinema.shop.base,
        "-an",
        "-vf",
        "setpts=PTS+gt(T\\,1.5)*3600/TB",
        "-fps_mode",
        "vfr",
        "-c:v",
        "mpeg4",
        film,
    )
    with pytest.raises(DamagedSource, match=r"no picture and no sound for 3600\.\d s"):
        take_in(film, tmp_path / "program")


def test_joined_films_are_as_long_as_their_parts(cinema: Cinema) -> None:
    odd = next(odd for odd in ODDS if odd.name == "joined-thrice.ts")
    assert abs(cinema.watch(odd).program.header.duration_ms / 1000 - 3 * SECONDS) < 0.2
