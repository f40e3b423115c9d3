"""Films whose sound is odd: early, late, in other channels, codecs and rates, in several tracks and programs."""

from pathlib import Path

import pytest

from tests.distribution_center.content.judging import judge, named
from tests.distribution_center.content.odd_films import AAC, COPY, H264, Cinema, Odd, Workshop, copied, encoded

pytestmark = pytest.mark.peer("ffmpeg", "ffprobe")

_TONE = "aevalsrc=exprs=0.1*sin(2*PI*300*t):s=48000:d={}"
LEFT_OUT = ("1 more audio track is",)


def shifted(sound_s: float):
    """Sound comes so much later than its pictures; or earlier."""
    inputs = ("-i", "{film}", "-itsoffset", sound_s, "-i", "{film}") if sound_s > 0 else (
        "-itsoffset", -sound_s, "-i", "{film}", "-i", "{film}")  # fmt: skip

    def make(shop: Workshop, path: Path) -> None:
        words = [shop.h264 if word == "{film}" else word for word in inputs]
        shop.run(*words, "-map", "0:v", "-map", "1:a", *COPY, path)

    return make


def with_tone(*words: object, seconds: float = 2.6):
    """A second sound beside the film's own."""
    return lambda shop, path: shop.run("-i", shop.h264, "-f", "lavfi", "-i", _TONE.format(seconds), *words, path)


def tone_first(marked: str, *, own: str):
    """A second sound stands before the film's own, each with a disposition."""
    maps = ("-map", "0:v", "-map", "1:a", "-map", "0:a")
    return with_tone(*maps, "-c:v", "copy", *AAC, "-disposition:a:0", marked, "-disposition:a:1", own)


def song(shop: Workshop, path: Path) -> None:
    cover = shop.film("cover.png", lambda png: shop.run("-i", shop.base, "-frames:v", 1, png))
    tone = ("-f", "lavfi", "-i", _TONE.format(9))
    shop.run(*tone, "-i", cover, "-map", 0, "-map", 1, *AAC, "-c:v", "copy", "-disposition:v", "attached_pic", path)


def two_programs(shop: Workshop, path: Path) -> None:
    """The sound that stands first in the file belongs to the other program, which is a radio station."""
    maps = ("-map", "1:a", "-map", "0:v", "-map", "0:a")
    programs = ("-program", "title=radio:st=0", "-program", "title=film:st=1:st=2")
    shop.run("-i", shop.h264, "-f", "lavfi", "-i", _TONE.format(2.6), *maps, "-c:v", "copy", *AAC, *programs, path)


def changing(shop: Workshop, path: Path) -> None:
    """Stereo, then mono at another rate, in one stream."""
    parts = []
    for number, form in enumerate((("-ac", "2", "-ar", "48000"), ("-ac", "1", "-ar", "44100"))):
        part = shop.folder / f"changing.{number}.ts"
        shop.run("-i", shop.h264, "-c:v", "copy", "-c:a", "mp2", *form, part)
        parts.append(part.read_bytes())
    path.write_bytes(b"".join(parts))


def noisy(*words: object):
    """Sound that fills its bit rate, so that it would fill a decoder's buffer if it were sent early."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=d=2.6:a=0.5:r=48000:seed=1")
    return lambda shop, path: shop.run(
        "-i", shop.h264, *noise, "-map", "0:v", "-map", "1:a", "-c:v", "copy", *words, path
    )


ODDS = (
    Odd("noise.mp4", noisy("-c:a", "aac", "-b:a", "256k", "-ac", "2"), "va", compare="frames seconds shape colour"),
    Odd("noise-surround.mkv", noisy("-c:a", "aac", "-b:a", "640k", "-ac", "6"), "va", compare="frames shape colour"),
    Odd(
        "noise-encoded.ts", noisy("-c:a", "ac3", "-b:a", "448k", "-ac", "2"), "v", compare="frames seconds shape colour"
    ),
    Odd("early.mkv", shifted(-1.5), "va", ("first picture stands 1.5 s longer",), compare="frames sync shape colour"),
    Odd("early.ts", shifted(-0.6), "va", ("first picture stands 0.6 s longer",), compare="frames sync shape colour"),
    Odd("late.mkv", shifted(1.5), "va", ("last picture stands 1.5 s longer",)),
    Odd("longer.mp4", encoded("-af", "apad=pad_dur=5", *H264, *AAC), "va", ("last picture stands 5.0 s longer",)),
    Odd(
        "much-longer.mp4",
        encoded("-af", "apad=pad_dur=14", *H264, *AAC),
        "a",
        ("last picture stands 14.0 s", "7 pictures were added"),
        extra=7,
        compare="frames sync shape colour",
    ),
    Odd("shorter.mp4", encoded("-af", "atrim=0:1.5", *H264, *AAC), "va"),
    Odd("song.m4a", song, "a", ("sound with a cover picture",), extra=4, compare="frames shape colour"),
    Odd("mono.mp4", encoded(*H264, *AAC, "-ac", "1"), "va"),
    Odd("mono.avi", encoded(*H264, "-bf", "0", "-c:a", "pcm_s16le", "-ac", "1", "-ar", "8000"), "v"),
    Odd("surround.mp4", encoded(*H264, *AAC, "-ac", "6"), "va"),
    Odd("surround-ac3.ts", encoded(*H264, "-c:a", "ac3", "-ac", "6"), "v"),
    Odd("surround-dts.mkv", encoded(*H264, "-c:a", "dca", "-strict", "-2", "-ac", "6"), "v"),
    Odd("seven-one.mkv", encoded(*H264, "-c:a", "pcm_s16le", "-ac", "8"), "v", ("was mixed to 5.1",)),
    Odd("seven-one-listed.mov", encoded(*H264, "-c:a", "pcm_s24le", "-ac", "8"), "v", ("BR) was mixed to 5.1",)),
    Odd("three-unnamed.mkv", encoded(*H264, "-c:a", "pcm_s16le", "-ac", "3"), "v"),
    Odd("cd-rate.mp4", encoded(*H264, *AAC, "-ar", "44100"), "va"),
    Odd("low-rate.mov", encoded(*H264, "-c:a", "pcm_s16be", "-ar", "22050"), "v"),
    Odd("high-rate.mkv", encoded(*H264, "-c:a", "flac", "-ar", "96000"), "v"),
    Odd("layer-2.ts", encoded(*H264, "-c:a", "mp2"), "v"),
    Odd("layer-3.mp4", encoded(*H264, "-c:a", "libmp3lame"), "v"),
    Odd("opus.mkv", encoded(*H264, "-c:a", "libopus"), "v"),
    Odd("vorbis.mkv", encoded(*H264, "-c:a", "libvorbis"), "v"),
    Odd("eac3.mp4", encoded(*H264, "-c:a", "eac3"), "v"),
    Odd("silent.mp4", copied("-an", *COPY), "v", compare="frames seconds shape colour"),
    Odd(
        "commentary.mkv",
        tone_first("comment", own="default"),
        "va",
        LEFT_OUT,
        audio="0:a:1",
    ),
    Odd(
        "commentary-only-marked.mkv",
        tone_first("comment", own="0"),
        "va",
        LEFT_OUT,
        audio="0:a:1",
    ),
    Odd(
        "described.mp4",
        tone_first("visual_impaired", own="default"),
        "va",
        LEFT_OUT,
        audio="0:a:1",
    ),
    Odd(
        "two-languages.mkv",
        with_tone("-map", "0:v", "-map", "0:a", "-map", "1:a", "-c:v", "copy", *AAC, "-metadata:s:a:1", "language=fra"),
        "va",
        ("(fra) left out",),
    ),
    Odd("two-programs.ts", two_programs, "va", LEFT_OUT, audio="0:a:1"),
    Odd("changing.ts", changing, "v", ("time jumps once",), compare="joined"),
)


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Cinema:
    return Cinema(tmp_path_factory.mktemp("odd-sounds"))


@pytest.mark.parametrize("odd", ODDS, ids=named(ODDS))
def test_what_goes_in_comes_out(odd: Odd, cinema: Cinema) -> None:
    judge(cinema.watch(odd))


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("mono.mp4", 1),
        ("mono.avi", 1),
        ("surround.mp4", 6),
        ("surround-ac3.ts", 6),
        ("surround-dts.mkv", 6),
        ("seven-one.mkv", 6),
        ("seven-one-listed.mov", 6),
        ("three-unnamed.mkv", 3),
    ],
)
def test_channels_stay(name: str, channels: int, cinema: Cinema) -> None:
    odd = next(odd for odd in ODDS if odd.name == name)
    assert cinema.watch(odd).result.stream("audio")["channels"] == channels


def test_a_hole_in_sound_that_is_encoded_is_silence(cinema: Cinema, tmp_path: Path) -> None:
    """What comes after it is heard when it was."""
    hole = "aselect='lt(t\\,1.2)+gt(t\\,1.8)'"
    odd = Odd(
        "hole.mkv", encoded(*H264, "-af", hole, "-c:a", "pcm_s16le"), "v", ("are silence",), compare="frames sync"
    )
    judge(cinema.watch(odd))


def test_subtitles_are_said_to_be_left_out(cinema: Cinema) -> None:
    def make(shop: Workshop, path: Path) -> None:
        words = shop.folder / "words.srt"
        words.write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n")
        shop.run("-i", shop.h264, "-i", words, "-map", 0, "-map", 1, *COPY, "-c:s", "srt", path)

    judge(cinema.watch(Odd("words.mkv", make, "va", ("1 subtitle track is left out",))))


@pytest.mark.parametrize("name", ["layer-3.mp4", "layer-2.ts", "opus.mkv", "surround-dts.mkv"])
def test_codecs_are_called_what_they_are_and_not_by_their_decoders(name: str, cinema: Cinema) -> None:
    watched = cinema.watch(next(odd for odd in ODDS if odd.name == name))
    sound = next(stream for stream in watched.program.header.streams if stream.kind == "audio")
    assert sound.codec == watched.source.stream("audio")["codec_name"]
    assert sound.encoded_because == (f"codec {sound.codec}",)
