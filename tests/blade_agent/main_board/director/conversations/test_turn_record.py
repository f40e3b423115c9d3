from blade_agent.main_board.director.conversations.turn_record import KEPT_MAX, TurnRecord
from media_network.messages.watching import TURNS_TOLD_MAX, PresentTurn, Served
from media_network.segment_table import Segment


def served(number):
    """Turns are numbered from 1, and every other number was of an offer that nobody took."""
    segment = Segment(number=number, length_bytes=188, duration_ticks=90_000, sha256="0" * 64)
    return Served(turn=2 * number + 1, segment=segment, packet=number % 3, engine="127.1.1.2:8080")


def record_of(count):
    record = TurnRecord()
    for number in range(count):
        record.add(served(number))
    return record


def numbers(untold):
    return [one.segment.number for one in untold.served]


def test_before_the_first_turn_there_is_nothing():
    record = TurnRecord()
    assert (record.count, record.present, record.since(None).served) == (0, None, ())


def test_a_console_is_told_what_it_does_not_know_and_until_it_says_so():
    record = record_of(3)
    for _ in range(2):
        assert numbers(record.since(None)) == [0, 1, 2]
    assert numbers(record.since(3)) == [2]
    assert numbers(record.since(5)) == []
    record.add(served(3))
    assert numbers(record.since(5)) == [3]
    assert (record.count, record.present) == (4, PresentTurn(turn=7, segment=3, packet=0))


def test_many_are_told_in_parts():
    record = record_of(TURNS_TOLD_MAX + 2)
    first = record.since(None)
    assert (numbers(first), first.more, first.missing) == (list(range(TURNS_TOLD_MAX)), True, 0)
    rest = record.since(first.served[-1].turn)
    assert (numbers(rest), rest.more, rest.missing) == ([TURNS_TOLD_MAX, TURNS_TOLD_MAX + 1], False, 0)


def test_of_a_console_that_never_asks_the_last_are_kept_and_how_many_are_missing_is_said():
    record = record_of(3600)
    assert record.count == 3600
    untold = record.since(None)
    assert untold.missing == 3600 - KEPT_MAX
    assert numbers(untold)[0] == 3600 - KEPT_MAX
    assert record.since(untold.served[-1].turn).missing == 0


def test_what_it_knew_is_not_missing():
    record = record_of(2)
    record.since(3)
    for number in range(2, 2 + KEPT_MAX):
        record.add(served(number))
    assert record.since(3).missing == 0
    record.add(served(2 + KEPT_MAX))
    assert record.since(3).missing == 1
