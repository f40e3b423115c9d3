"""The keys of a terminal, as they come: whole, in parts, and among others."""

import pytest

from chassis_emulator.media_console.keys import Key, KeyReader
from chassis_emulator.media_console.screen import clock


@pytest.mark.parametrize(
    ("octets", "keys"),
    [
        (b" ", [Key.TOGGLE]),
        (b"\x1b[C\x1b[D", [Key.FORWARD, Key.BACK]),
        (b"\x1bOC\x1bOD", [Key.FORWARD, Key.BACK]),
        (b"\x1b[A\x1bOA\x1b[B\x1bOB", [Key.FASTER, Key.FASTER, Key.SLOWER, Key.SLOWER]),
        (b"x\x1b[H\x1b[C", [Key.FORWARD]),
        (b"\x1b\x1b[C", [Key.FORWARD]),
        (b"\x1b[1;5C \xff\x00", [Key.TOGGLE]),
        (b"CD[O", []),
    ],
)
def test_keys_are_told_from_what_is_none(octets, keys):
    assert KeyReader().feed(octets) == keys
    reader = KeyReader()
    assert [key for octet in octets for key in reader.feed(bytes((octet,)))] == keys


def test_time_is_shown_as_players_do():
    assert [clock(ms) for ms in (0, 59_999, 60_000, 3_599_000, 3_725_000)] == [
        "0:00",
        "0:59",
        "1:00",
        "59:59",
        "1:02:05",
    ]
