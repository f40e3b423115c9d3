"""Interlaced pictures that are encoded show one moment each: no comb at the edge of what moves."""

import subprocess
from pathlib import Path

import pytest

from tests.distribution_center.content.odd_films import Workshop, take_in

pytestmark = pytest.mark.peer("ffmpeg")

WIDTH, HEIGHT = 160, 96
_BAR = (
    f"color=c=black:s={WIDTH}x{HEIGHT}:r=50:d=1,format=yuv420p,geq=lum='16+200*lt(mod(X-N*8\\,80)\\,40)':cb=128:cr=128"
)


def comb(film: Path) -> float:
    """How much each line differs from the mean of its neighbours, on average."""
    words = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), "-pix_fmt", "gray", "-f", "rawvideo", "-"]
    data = subprocess.run(words, capture_output=True, check=True).stdout
    frames = len(data) // (WIDTH * HEIGHT)
    assert frames >= 25
    total = count = 0
    for frame in range(5, 20, 5):
        begin = frame * WIDTH * HEIGHT
        for row in range(20, HEIGHT - 20, 4):
            above, here, below = (data[begin + (row + n) * WIDTH :][:WIDTH] for n in (-1, 0, 1))
            total += sum(abs(2 * b - a - c) for a, b, c in zip(above, here, below, strict=True))
            count += WIDTH
    return total / count


@pytest.mark.parametrize("scan", ["tff", "bff"])
def test_encoded_pictures_are_not_combed(scan: str, tmp_path: Path) -> None:
    shop, film = Workshop(tmp_path), tmp_path / "fields.mpg"
    fields = f"{_BAR},interlace=scan={scan}:lowpass=off"
    shop.run("-f", "lavfi", "-i", fields, "-c:v", "mpeg2video", "-q:v", 2, "-flags", "+ildct+ilme", film)
    _, stream = take_in(film, tmp_path / "program")
    result = tmp_path / "result.ts"
    result.write_bytes(stream)
    assert comb(film) > 5 * comb(result)
