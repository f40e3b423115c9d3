"""What is remembered of turns that are over."""

from blade_agent.main_board.engine.turns.turn_memory import TurnMemory
from media_network.messages.streaming import StreamCursor


def test_turns_up_to_a_ceased_one_are_over_and_later_ones_not():
    memory = TurnMemory()
    memory.cease("s", 4)
    memory.cease("s", 2)
    assert [memory.is_over("s", turn) for turn in (0, 2, 4, 5)] == [True, True, True, False]
    assert not memory.is_over("t", 0)


def test_turns_before_a_started_one_are_over_and_it_is_known_again():
    memory = TurnMemory()
    memory.start("s", 4)
    assert memory.is_over("s", 3)
    assert not memory.is_over("s", 4)
    assert memory.was_started("s", 4)
    memory.start("s", 6)
    assert not memory.was_started("s", 4)
    assert memory.is_over("s", 4)


def test_a_cursor_answers_for_its_own_turn_only():
    memory = TurnMemory()
    cursor = StreamCursor(session="s", turn=4, segment=2, packet=9)
    memory.end(cursor)
    memory.end(StreamCursor(session="s", turn=3, segment=1, packet=50))
    assert memory.cursor("s", 4) == cursor
    assert memory.cursor("s", 3) is None
    assert memory.cursor("s", 5) is None


def test_memory_is_bounded_and_forgets_the_longest_unheard_of():
    memory = TurnMemory(sessions_max=3)
    for session in "abc":
        memory.cease(session, 1)
    memory.cease("a", 2)
    memory.cease("d", 1)
    assert [memory.is_over(session, 1) for session in "abcd"] == [True, False, True, True]
