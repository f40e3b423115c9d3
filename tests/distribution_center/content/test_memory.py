"""A film of any length is ingested in bounded memory."""

import os
import subprocess
import sys

import msgspec
import pytest

from distribution_center.content.ingest_report import IngestOrder, Produced, Report

MIB = 1024 * 1024
SHORT_S, LONG_S = (60, 7200) if "SOAK" in os.environ else (20, 200)
FOR_A_SEGMENT_BYTES = 10 * 1024
"""Its row, in several forms: a program of two hours has 3,600."""


def film_of(path, seconds):
    source = ("-f", "lavfi", "-i", f"testsrc2=s=96x72:r=5:d={seconds}")
    sound = ("-f", "lavfi", "-i", f"sine=d={seconds}:r=16000")
    codecs = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-b:v", "60k", "-c:a", "aac", "-b:a", "32k")
    subprocess.run(["ffmpeg", "-v", "error", *source, *sound, *codecs, str(path)], check=True)
    return path


def peak_bytes(film, folder):
    """What its ingest takes at most, and the segments that it makes."""
    folder.mkdir()
    order = IngestOrder(
        path=str(film), name="a film", folder=str(folder), title="a film", segment_ms=2000, longest_segment_ms=12_000
    )
    command = [sys.executable, "-m", "distribution_center.content.ingest_process", msgspec.json.encode(order).decode()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with process.stdout:
        told = process.stdout.readlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    made = msgspec.json.decode(told[-1], type=Report)
    assert isinstance(made, Produced), made
    return usage.ru_maxrss * 1024, made.program.header.segments


@pytest.mark.peer("ffmpeg")
def test_a_long_film_takes_hardly_more_memory_than_a_short_one(tmp_path):
    short, few = peak_bytes(film_of(tmp_path / "short.mp4", SHORT_S), tmp_path / "a")
    long, many = peak_bytes(film_of(tmp_path / "long.mp4", LONG_S), tmp_path / "b")
    # The encoder sets key pictures where scenes change, too: a segment may become longer than was wished.
    assert LONG_S / 2 >= many > LONG_S / 2 * 0.95
    assert long < short + (many - few) * FOR_A_SEGMENT_BYTES + 4 * MIB, (short, long)
