"""What must be true of the program of every odd film, by ffmpeg's reading of both and by the program's own words."""

import subprocess

from tests.distribution_center.content.decoder_model import Model
from tests.distribution_center.content.odd_films import Odd, Watched

_FRAME_S = 0.045
_SOUND_BLOCK_S = 0.05
_SYNC_S = 0.025
_FLASHES_A_PART = 2
_LONGEST_STEP_S = 0.12


def judge(watched: Watched) -> None:
    """All of it."""
    odd = watched.odd
    check_words(watched)
    for measure in odd.compare.split():
        {
            "frames": check_frames,
            "seconds": check_seconds,
            "sync": check_sync,
            "shape": check_shape,
            "colour": check_colour,
            "joined": check_joined,
        }[measure](watched)
    check_decoder(watched.stream)


def check_words(watched: Watched) -> None:
    """What was copied is what should be, and each warning is one that is due."""
    odd, program = watched.odd, watched.program
    copies = "".join(stream.kind[0] for stream in program.header.streams if not stream.encoded_because)
    assert copies == odd.copied, [stream.encoded_because for stream in program.header.streams]
    said = list(program.header.warnings)
    for words in odd.says:
        assert any(words in sentence for sentence in said), (words, said)
    assert len(said) == len(odd.says), said


def check_frames(watched: Watched) -> None:
    """As many pictures, at the same times."""
    source, result = watched.source, watched.result
    assert result.frames == source.frames + watched.odd.extra
    if watched.odd.extra:
        return
    for before, after in zip(source.shown_s[1:], result.shown_s[1:], strict=True):
        assert abs((before - source.begin_s) - (after - result.begin_s)) < _FRAME_S


def check_seconds(watched: Watched) -> None:
    """As long, for each stream."""
    source, result = watched.source, watched.result
    assert abs(source.sound_s - result.sound_s) < _SOUND_BLOCK_S
    ends = [reading.shown_s[-1] - reading.begin_s for reading in (source, result)]
    assert watched.odd.extra or abs(ends[0] - ends[1]) < _FRAME_S
    last_s = max(ends[0] + _FRAME_S, source.heard[-1][0] + source.heard[-1][1] - source.begin_s if source.heard else 0)
    assert abs(watched.program.header.duration_ms / 1000 - last_s) < 2 * _FRAME_S


def check_sync(watched: Watched) -> None:
    """Each flash and each beep comes when it came, and they come together as they did."""
    source, result = watched.source, watched.result
    assert source.flashes_s
    assert len(result.flashes_s) == len(source.flashes_s)
    assert len(result.beeps_s) == len(source.beeps_s)
    zero_s = result.flashes_s[0] - source.flashes_s[0]
    for before, after in zip(source.flashes_s, result.flashes_s, strict=True):
        assert abs(after - before - zero_s) < _SYNC_S
    for before, after in zip(source.beeps_s, result.beeps_s, strict=True):
        assert abs(after - before - zero_s) < _SYNC_S


def check_joined(watched: Watched) -> None:
    """Every picture of every part, its flashes and beeps; ffmpeg shows them when it keeps no time."""
    source, result = watched.source, watched.result
    assert result.frames == source.frames
    assert len(result.flashes_s) == len(source.flashes_s) >= _FLASHES_A_PART
    assert len(result.beeps_s) == (len(result.flashes_s) if source.heard else 0)
    assert abs(sum(lasts for _, lasts, _ in source.heard) - sum(lasts for _, lasts, _ in result.heard)) < _SOUND_BLOCK_S
    if result.beeps_s:
        for flash, beep in zip(result.flashes_s, result.beeps_s, strict=True):
            assert abs(flash - beep) < _SYNC_S
    steps = [after - before for before, after in zip(result.shown_s, result.shown_s[1:], strict=False)]
    assert max(steps) < _LONGEST_STEP_S
    assert min(steps) > 0


def check_shape(watched: Watched) -> None:
    """As wide as high."""
    assert abs(float(watched.result.shape / watched.source.shape) - 1) < 0.02


def check_colour(watched: Watched) -> None:
    """Each quarter has the colour it had, where it was."""
    for before, after in zip(watched.source.corners, watched.result.corners, strict=True):
        assert all(abs(one - two) <= watched.odd.tolerance for one, two in zip(before, after, strict=True)), (
            watched.source.corners,
            watched.result.corners,
        )


def check_decoder(stream: bytes) -> None:
    """No buffer of a decoder runs over or empty."""
    complaints = Model(stream).complaints[:5]
    assert complaints == []


def decodes(watched: Watched) -> bool:
    """Whether ffmpeg has nothing to say against the program."""
    film = watched.result.path
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", film, "-f", "null", "-"], capture_output=True, check=False
    )
    return done.returncode == 0 and not done.stderr


def named(odds: tuple[Odd, ...]) -> list[str]:
    """For parametrize."""
    return [odd.name for odd in odds]
