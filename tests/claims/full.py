"""A segment whose engine is full: the second console of claims 19 and 20, on a small network of its own."""

from dataclasses import dataclass

from tests.claims.redirects import redirected
from tests.claims.wire import Capture, capture
from tests.end_to_end.viewing import segments_of

CAPACITY_BPS = 24_000_000
"""Of an engine of `north`: enough for fifty consoles, and little enough to be filled by as many requests."""
FILLERS_MAX = 400


@dataclass
class SecondConsole:
    """What a console got whose first segment is at an engine that has reached its capacity."""

    program: dict
    first: dict
    """The engine that has the segment, and is full."""
    report: dict
    """What the console reports."""
    received: bytes
    wire: Capture


def engine_with(network, program, segment):
    """The engine of `north` that has a segment on its disks: there is one."""
    (row,) = (row for row in network.engines("north") if segment in network.stored(row, program["program"]))
    return row


def addresses(door, program):
    """The addresses of the segments in a playlist, and so in a session, of its own."""
    return segments_of(f"http://{door}/programs/{program['program']}/playlist.m3u8")


def fill(network, program, segment):
    """Ask for a segment, each time as another player, until its engine has no room for one more; returns the engine."""
    row, director = engine_with(network, program, segment), network.director("north")
    header = network.say(f"127.{network.number}.0.1:8081", "content/program", program=program["program"])
    for _ in range(FILLERS_MAX):
        view = network.say(director["control"], "director/station")
        engine = next(engine for engine in view["engines"] if engine["media"] == row["media"])
        if engine["load_bps"] + header["rate_bps"] > engine["capacity_bps"]:
            return row
        assert redirected(addresses(director["media"], program)[segment]).split("/")[2] == row["media"]
    raise AssertionError(f"{FILLERS_MAX} players have not filled {row['media']}")


def second_console(network, film, folder):
    """Have a console play what is at an engine that is full, and see what was said meanwhile."""
    program = network.publish(film(2), "north", segment_ms=1000, copies=1)
    first = fill(network, program, 0)
    with capture(network, folder) as wire:
        report = network.play(program["program"], "north", "push", folder / "film.ts")
        network.wait_until(lambda: len(copies_of(network, program, 0)) == 2, "the copy")
    return SecondConsole(program, first, report, (folder / "film.ts").read_bytes(), wire)


def copies_of(network, program, segment):
    """The engines of `north` that say to hold a segment."""
    rows = network.engines("north")
    return [row for row in rows if segment in network.stored(row, program["program"])]
