"""Where one run of a stream ends and the next begins, though it carries no numbers."""

from hashlib import sha256

import pytest

from chassis_emulator.media_console.runs import Runs
from media_network.messages.watching import Jump, ProgramPoint
from media_network.transport_stream import NULL_PACKET
from media_network.trick import Trick
from tests.chassis_emulator.media_console.scripted_station import film

PROGRAM, BODIES = film(30, 14, 25)
DATAGRAM = 7 * 188


def place(segment, packet=0):
    packets = sum(PROGRAM.segments.packets(number) for number in range(segment)) + packet
    return ProgramPoint(segment=segment, packet=packet, packets=packets, at_ms=0)


def datagrams(segment, packets=None):
    body = BODIES[segment][: None if packets is None else packets * 188]
    return [body[begin : begin + DATAGRAM] for begin in range(0, len(body), DATAGRAM)]


def fed(runs, parts):
    for datagram in parts:
        assert runs.feed(datagram, "engine:1")
    return b"".join(parts)


def told(runs):
    return [(one.number, one.bytes, one.intact) for one in runs.segments]


@pytest.mark.parametrize("arrived", [0, 1, 3])
def test_what_comes_while_a_jump_is_under_way_is_counted_to_the_run_that_it_is_of(arrived):
    runs = Runs(PROGRAM.header)
    runs.tell(PROGRAM.segments[0])
    first, second = datagrams(0, 21), datagrams(2)
    came = fed(runs, first[:arrived])
    runs.hold()
    came += fed(runs, first[arrived:]) + fed(runs, second[:2])
    runs.jump(Jump(left=place(0, 21), begins=place(2)))
    runs.tell(PROGRAM.segments[2])
    came += fed(runs, second[2:])
    assert runs.is_whole
    runs.finish(stopped=False)
    assert told(runs) == [(0, 21 * 188, None), (2, 25 * 188, True)]
    assert (runs.jumps, runs.bytes, runs.sha256) == (1, len(came), sha256(came).hexdigest())


def test_a_stream_may_go_back_and_send_the_same_again():
    runs = Runs(PROGRAM.header)
    runs.tell(PROGRAM.segments[0])
    runs.tell(PROGRAM.segments[1])
    came = fed(runs, datagrams(0)) + fed(runs, datagrams(1, 7))
    runs.hold()
    runs.jump(Jump(left=place(1, 7), begins=place(0)))
    for number in range(3):
        runs.tell(PROGRAM.segments[number])
        came += fed(runs, datagrams(number))
    assert runs.is_whole
    runs.finish(stopped=False)
    assert told(runs) == [
        (0, 30 * 188, True),
        (1, 7 * 188, None),
        (0, 30 * 188, True),
        (1, 14 * 188, True),
        (2, 25 * 188, True),
    ]
    assert runs.sha256 == sha256(came).hexdigest()


def test_a_jump_that_came_to_nothing_leaves_all_as_it_was():
    runs = Runs(PROGRAM.header)
    for segment in PROGRAM.segments:
        runs.tell(segment)
    fed(runs, datagrams(0))
    runs.hold()
    fed(runs, datagrams(1) + datagrams(2))
    assert not runs.is_whole
    runs.release()
    assert runs.is_whole
    runs.finish(stopped=False)
    assert [one.intact for one in runs.segments] == [True, True, True]
    assert runs.sha256 == PROGRAM.header.sha256


def test_where_something_was_lost_the_new_run_begins_with_what_a_segment_begins_with():
    runs = Runs(PROGRAM.header)
    runs.tell(PROGRAM.segments[0])
    runs.hold()
    fed(runs, datagrams(0, 21)[:2] + datagrams(2)[:2])
    runs.jump(Jump(left=place(0, 21), begins=place(2)))
    runs.tell(PROGRAM.segments[2])
    fed(runs, datagrams(2)[2:])
    runs.finish(stopped=False)
    assert told(runs) == [(0, 14 * 188, False), (2, 25 * 188, True)]


def test_what_cannot_be_of_the_stream_is_not_taken_while_it_is_held():
    runs = Runs(PROGRAM.header)
    runs.hold()
    assert not runs.feed(b"", "engine:1")
    assert not runs.feed(b"\x47" * 100, "engine:1")
    assert (runs.strays, runs.bytes) == (2, 0)


def test_after_a_run_at_another_speed_the_next_one_begins_where_a_segment_does():
    runs = Runs(PROGRAM.header)
    runs.tell(PROGRAM.segments[0])
    fed(runs, datagrams(0, 14))
    trick = Trick(scale=2, entered=14, packets=40, clock=14, before=0)
    runs.hold()
    runs.jump(Jump(left=place(0, 14), begins=place(0, 14)), trick)
    fed(runs, [NULL_PACKET * 7] * 2)
    # So much of it is missing, as far as can be told, as the first datagram of what comes next has.
    runs.hold()
    first, *others = datagrams(0)
    fed(runs, [first])
    runs.jump(Jump(left=place(2, 4), begins=place(0)))
    for number in range(3):
        runs.tell(PROGRAM.segments[number])
    fed(runs, [*others, *datagrams(1), *datagrams(2)])
    runs.finish(stopped=False)
    assert told(runs)[-3:] == [(number, len(BODIES[number]), True) for number in range(3)]
