"""Films whose pictures are odd: turned, of strange shapes, sizes, colours and codecs."""

from pathlib import Path

import pytest

from tests.distribution_center.content.judging import judge, named
from tests.distribution_center.content.odd_films import AAC, COPY, H264, Cinema, Odd, Workshop, copied, encoded

pytestmark = pytest.mark.peer("ffmpeg", "ffprobe")

_SDR = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable,zscale=t=bt709:m=bt709:r=tv,format=yuv420p"
)


def mirrored(shop: Workshop, path: Path) -> None:
    """A matrix that no option of ffmpeg's sets: left and right change places (ISO/IEC 14496-12, 8.3.2)."""
    film = bytearray(shop.h264.read_bytes())
    unity = b"".join(part.to_bytes(4, "big") for part in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    place = film.index(unity, film.index(b"tkhd"))
    film[place : place + 4] = (-0x10000 & 0xFFFFFFFF).to_bytes(4, "big")
    path.write_bytes(film)


def hdr(transfer: str, *words: str) -> tuple[str, ...]:
    x265 = f"log-level=error:repeat-headers=1:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    sdr = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
    light = f"{sdr},zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020"
    made = f"{light},zscale=t={transfer}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
    tags = ("-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc")
    return ("-vf", made, "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", x265, *tags, *AAC, *words)


INTERLACED = ("-vf", "fps=50,interlace=lowpass=off", "-flags", "+ildct+ilme")
ODDS = (
    Odd("rotated-90.mp4", copied(*COPY, "-metadata:s:v", "rotate=90"), "a"),
    Odd("rotated-180.mp4", copied(*COPY, "-metadata:s:v", "rotate=180"), "a"),
    Odd("rotated-270.mov", copied(*COPY, "-metadata:s:v", "rotate=270"), "a"),
    Odd("rotated-wide.mp4", copied(*COPY, "-metadata:s:v", "rotate=90", "-aspect", "2.35"), "a"),
    Odd("mirrored.mp4", mirrored, "a"),
    Odd("container-16-9.mp4", copied(*COPY, "-aspect", "16:9"), "va"),
    Odd("container-4-3.mkv", copied(*COPY, "-aspect", "4:3"), "va"),
    Odd("container-wide.mov", copied(*COPY, "-aspect", "2.35"), "va"),
    Odd("coded-4-3.ts", encoded("-vf", "setdar=4/3", *H264, *AAC), "va"),
    Odd("container-encoded.mkv", encoded("-c:v", "mpeg4", "-q:v", "2", *AAC, "-aspect", "4:3"), "a"),
    Odd("anamorphic.mpg", encoded("-c:v", "mpeg2video", "-q:v", "2", "-aspect", "16:9", "-c:a", "mp2")),
    Odd("odd-both.mkv", encoded("-vf", "scale=161:97,format=yuv444p", "-c:v", "ffv1", *AAC), "a"),
    Odd("odd-wide.avi", encoded("-vf", "scale=163:96,format=yuv444p", "-c:v", "huffyuv", "-pix_fmt", "rgb24")),
    Odd("odd-high.mov", encoded("-vf", "scale=160:95,format=rgb24", "-c:v", "png", *AAC), "a"),
    Odd("tiny.mkv", encoded("-vf", "scale=32:32", "-c:v", "ffv1", *AAC), "a"),
    Odd("tall.mp4", encoded("-vf", "scale=48:320", *H264, *AAC), "va"),
    Odd("interlaced-top.mpg", encoded(*INTERLACED, "-c:v", "mpeg2video", "-q:v", "2", "-c:a", "mp2")),
    Odd(
        "interlaced-bottom.mkv",
        encoded("-vf", "fps=50,interlace=scan=bff", "-c:v", "ffv1", "-field_order", "bb", *AAC),
        "a",
    ),
    Odd("interlaced-copied.ts", encoded(*INTERLACED, *H264, *AAC), "va"),
    Odd("ten-bits.mp4", encoded("-pix_fmt", "yuv420p10le", *H264, *AAC), "a"),
    Odd("four-two-two.mp4", encoded("-pix_fmt", "yuv422p", *H264, *AAC), "a"),
    Odd("four-four-four.mkv", encoded("-pix_fmt", "yuv444p", *H264, *AAC), "a"),
    Odd("rgb.mkv", encoded("-pix_fmt", "bgr0", "-c:v", "ffv1", *AAC), "a"),
    Odd("gray.mkv", encoded("-pix_fmt", "gray", "-c:v", "ffv1", *AAC), "a"),
    Odd("alpha.mov", encoded("-pix_fmt", "rgba", "-c:v", "png", *AAC), "a"),
    Odd("full-range.mp4", encoded("-vf", "scale=out_range=pc", "-color_range", "pc", *H264, *AAC), "va"),
    Odd("full-range.avi", encoded("-vf", "scale=out_range=pc", "-c:v", "mjpeg", "-q:v", "2")),
    Odd(
        "bt709.mkv",
        encoded(
            "-vf",
            "scale=out_color_matrix=bt709",
            "-colorspace",
            "bt709",
            "-color_primaries",
            "bt709",
            "-color_trc",
            "bt709",
            "-c:v",
            "ffv1",
            *AAC,
        ),
        "a",
    ),
    Odd(
        "pal.mkv",
        encoded(
            "-vf",
            "scale=out_color_matrix=bt470bg",
            "-colorspace",
            "bt470bg",
            "-color_primaries",
            "bt470bg",
            "-c:v",
            "ffv1",
            *AAC,
        ),
        "a",
    ),
    Odd("hdr10.mkv", encoded(*hdr("smpte2084")), "a", filters=_SDR, tolerance=70),
    Odd("hlg.ts", encoded(*hdr("arib-std-b67")), "a", filters=_SDR, tolerance=70),
    Odd("hevc.mp4", encoded("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error", *AAC), "a"),
    Odd("vp9.webm", encoded("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")),
    Odd("av1.mkv", encoded("-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", *AAC), "a"),
    Odd("theora.ogv", encoded("-c:v", "libtheora", "-q:v", "9", "-c:a", "libvorbis")),
    Odd("prores.mov", encoded("-c:v", "prores", "-c:a", "pcm_s24le")),
    Odd("wmv.asf", encoded("-c:v", "wmv2", "-q:v", "2", "-c:a", "wmav2")),
    Odd("flash.flv", encoded("-c:v", "flv1", "-q:v", "2", "-c:a", "libmp3lame", "-ar", "44100")),
    Odd("mpeg1.mpg", encoded("-c:v", "mpeg1video", "-q:v", "2", "-c:a", "mp2")),
    Odd("mpeg2.mxf", encoded("-c:v", "mpeg2video", "-q:v", "2", "-ac", "1", "-c:a", "pcm_s16le")),
    Odd("divx.avi", encoded("-c:v", "mpeg4", "-bf", "2", "-q:v", "2", "-c:a", "libmp3lame")),
    Odd("long-group.mp4", encoded(*H264, "-g", "250", *AAC), "va"),
    Odd(
        "too-long-group.mp4",
        encoded(*H264, "-g", "250", *AAC),
        "a",
        settings={"segment_ms": 400, "longest_segment_ms": 1000},
    ),
    Odd(
        "open-groups.mp4",
        encoded(*H264, "-g", "20", "-bf", "3", "-x264-params", "open-gop=1", *AAC),
        "a",
        settings={"longest_segment_ms": 2000},
    ),
    Odd(
        "small-level.mp4",
        encoded("-vf", "scale=112:64", *H264, "-level", "1.1", "-maxrate", "150k", "-bufsize", "300k", *AAC),
        "va",
    ),
)


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Cinema:
    return Cinema(tmp_path_factory.mktemp("odd-pictures"))


@pytest.mark.parametrize("odd", ODDS, ids=named(ODDS))
def test_what_goes_in_comes_out(odd: Odd, cinema: Cinema) -> None:
    judge(cinema.watch(odd))
