"""Films with damage that every player survives, and what can be no film at all."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from distribution_center.content.errors import (
    DamagedSource,
    EncryptedSource,
    IngestError,
    NotAFile,
)
from media_network.packets import TS_PACKET_BYTES
from tests.distribution_center.content.judging import judge, named
from tests.distribution_center.content.odd_films import AAC, COPY, H264, Cinema, Odd, Workshop, take_in

pytestmark = pytest.mark.peer("ffmpeg", "ffprobe")

VIDEO_PID = 0x100
DAMAGED = ("damaged in the film",)


def packets(change: Callable[[list[bytearray], list[int]], None]):
    """A transport stream whose packets are changed; `change` gets them and the places of video packets."""

    def make(shop: Workshop, path: Path) -> None:
        shop.run("-i", shop.base, "-vf", "noise=alls=12:allf=t", *H264, "-level", "3.1", "-g", "10", *AAC, path)
        data = path.read_bytes()
        found = [bytearray(data[at : at + TS_PACKET_BYTES]) for at in range(0, len(data), TS_PACKET_BYTES)]
        video = [n for n, one in enumerate(found) if int.from_bytes(one[1:3], "big") & 0x1FFF == VIDEO_PID]
        change(found, video)
        path.write_bytes(b"".join(found))

    return make


def inside(found: list[bytearray], video: list[int]) -> int:
    """Where a packet in the middle of a picture is, half way through."""
    return next(n for n in video[len(video) // 2 :] if not found[n][1] & 0x40)


def lose(found: list[bytearray], video: list[int]) -> None:
    del found[inside(found, video)]


def flag(found: list[bytearray], video: list[int]) -> None:
    found[inside(found, video)][1] |= 0x80


def jump(found: list[bytearray], video: list[int]) -> None:
    for number in [n for n in video if n >= inside(found, video)]:
        found[number][3] = found[number][3] & 0xF0 | (found[number][3] + 3) & 0xF


def cut_short(shop: Workshop, path: Path) -> None:
    shop.run("-i", shop.h264, *COPY, path)
    path.write_bytes(path.read_bytes()[:-100])


def headless(shop: Workshop, path: Path) -> None:
    """A recording that was begun somewhere in a group of pictures."""
    shop.run("-i", shop.base, "-vf", "noise=alls=12:allf=t", *H264, "-level", "3.1", "-g", "10", "-bf", "0", *AAC, path)
    data = path.read_bytes()
    path.write_bytes(data[:564] + data[564 + 20 * TS_PACKET_BYTES :])


def latin_tag(shop: Workshop, path: Path) -> None:
    shop.run("-i", shop.h264, *COPY, "-metadata", "title=CAFEX", "-metadata:s:a", "title=SOUNDX", path)
    path.write_bytes(path.read_bytes().replace(b"CAFEX", b"CAF\xc9\xff").replace(b"SOUNDX", b"S\xd6UND\xff"))


def empty_packets(shop: Workshop, path: Path) -> None:
    """AVI says by a chunk without bytes that the picture stays; two chunks become such ones."""
    shop.run("-i", shop.base, "-c:v", "mjpeg", "-q:v", "2", "-an", path)
    data = bytearray(path.read_bytes())
    begin = data.index(b"movi")
    index = data.index(b"idx1", begin)
    rows = range(index + 8, len(data) - 15, 16)
    for row in (rows[10], rows[11]):
        data[row + 12 : row + 16] = bytes(4)
    path.write_bytes(data)


ODDS = (
    Odd("lost-packet.ts", packets(lose), "va", DAMAGED),
    Odd("flagged-packet.ts", packets(flag), "va", DAMAGED),
    Odd("counter-jumps.ts", packets(jump), "va", DAMAGED),
    Odd("cut-short.ts", cut_short, "va", ("ends inside a packet",)),
    Odd("latin.mkv", latin_tag, "va"),
    Odd("latin.mp4", latin_tag, "va"),
    Odd("empty-packets.avi", empty_packets, "", compare="frames shape colour"),
)


@pytest.fixture(scope="module")
def cinema(tmp_path_factory: pytest.TempPathFactory) -> Cinema:
    return Cinema(tmp_path_factory.mktemp("odd-damage"))


@pytest.mark.parametrize("odd", ODDS, ids=named(ODDS))
def test_what_goes_in_comes_out(odd: Odd, cinema: Cinema) -> None:
    judge(cinema.watch(odd))


def test_pictures_that_cannot_be_decoded_are_said(cinema: Cinema, tmp_path: Path) -> None:
    film = cinema.shop.film("headless.ts", lambda path: headless(cinema.shop, path))
    program, _ = take_in(film, tmp_path / "program")
    assert any("can be shown" in sentence or "damaged" in sentence for sentence in program.header.warnings)


def test_a_name_that_is_no_text(cinema: Cinema, tmp_path: Path) -> None:
    film = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    film.write_bytes(cinema.shop.h264.read_bytes())
    program, _ = take_in(film, tmp_path / "program")
    assert program.header.warnings == ()


def directory(shop: Workshop, path: Path) -> None:
    path.mkdir()


def pipe(shop: Workshop, path: Path) -> None:
    os.mkfifo(path)


def common_encryption(shop: Workshop, path: Path) -> None:
    keys = (
        "-encryption_key",
        "00112233445566778899aabbccddeeff",
        "-encryption_kid",
        "00112233445566778899aabbccddeeff",
    )
    shop.run("-i", shop.h264, *COPY, "-encryption_scheme", "cenc-aes-ctr", *keys, path)


def scrambled(shop: Workshop, path: Path) -> None:
    def scramble(found: list[bytearray], video: list[int]) -> None:
        for number in video:
            found[number][3] |= 0x80

    packets(scramble)(shop, path)


def scrambled_disc(shop: Workshop, path: Path) -> None:
    """Sectors of a DVD that say they are scrambled (ISO/IEC 13818-1, PES_scrambling_control)."""
    shop.run("-i", shop.base, "-c:v", "mpeg2video", "-c:a", "ac3", path)
    data = bytearray(path.read_bytes())
    place = data.find(b"\0\0\1\xe0")
    while place >= 0:
        data[place + 6] |= 0x10
        place = data.find(b"\0\0\1\xe0", place + 4)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("make", "name", "error", "words"),
    [
        (directory, "film.mp4", NotAFile, "is a directory"),
        (pipe, "film.ts", NotAFile, "is a named pipe"),
        (common_encryption, "cenc.mp4", EncryptedSource, "is encrypted"),
        (scrambled, "scrambled.ts", EncryptedSource, "is encrypted"),
        (scrambled_disc, "scrambled.vob", EncryptedSource, "is encrypted"),
    ],
)
def test_what_can_be_no_film_is_refused(
    make: Callable[[Workshop, Path], None],
    name: str,
    error: type[IngestError],
    words: str,
    cinema: Cinema,
    tmp_path: Path,
) -> None:
    film = tmp_path / name
    make(cinema.shop, film)
    with pytest.raises(error, match=words) as caught:
        take_in(film, tmp_path / "program")
    assert str(caught.value).startswith(name)
    assert not isinstance(caught.value, DamagedSource)
