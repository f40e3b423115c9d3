from chassis_emulator.media_console.reception import ConsoleReception, ReceivedSegment
from chassis_emulator.media_console.report import report

GOOD = ReceivedSegment(number=0, engine="127.1.2.2:8080", bytes=376_000, sha256="ab" * 32, intact=True)
TORN = ReceivedSegment(
    number=10, engine="127.1.2.3:8080", bytes=188, sha256="cd" * 32, intact=False, earlier=("127.1.2.2:8080",)
)


def test_intact():
    reception = ConsoleReception(
        program="film", sha256="ef" * 32, bytes=376_000, segments=(GOOD,), intact=True, hand_overs=2
    )
    assert report(reception).splitlines() == [
        "segment  engine            bytes  sha256",
        "      0  127.1.2.2:8080  376,000  abababababababab  intact",
        f"film: 376,000 bytes, 2 hand-overs, sha256 {'ef' * 32}",
        "intact: these are the bytes that were published",
    ]


def test_incomplete():
    reception = ConsoleReception(
        program="film", sha256="ef" * 32, bytes=376_188, segments=(GOOD, TORN), intact=False, expected_bytes=377_504,
        strays=3,
    )  # fmt: skip
    lines = report(reception).splitlines()
    assert lines[2] == "     10  127.1.2.2:8080 then 127.1.2.3:8080      188  cdcdcdcdcdcdcdcd  incomplete"
    assert lines[-2:] == [
        "3 stray datagrams were not written",
        "INCOMPLETE: 1,316 bytes are missing; damaged segments, by number: 10",
    ]


def test_stopped_and_elsewhere():
    assert report(ConsoleReception(program="film", sha256="ef" * 32, bytes=0, segments=(), stopped=True)).endswith(
        "stopped before the end"
    )
    elsewhere = ReceivedSegment(number=0, engine="127.1.2.2:8080", bytes=0, sha256="")
    lines = report(
        ConsoleReception(program="film", sha256="", bytes=0, segments=(elsewhere,), hand_overs=1)
    ).splitlines()
    assert lines == [
        "segment  engine          bytes  sha256",
        "      0  127.1.2.2:8080      -  -",
        "film: sent to another player, 1 hand-overs",
    ]
