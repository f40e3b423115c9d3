from hypothesis import given
from hypothesis import strategies as st

from media_network.ticket import TicketKey

KEY = TicketKey(b"one director's term")
wild = st.text(st.characters(), max_size=20)
"""Any text, also with the surrogates that stand for bytes which are not UTF-8."""


@given(wild, wild)
def test_a_ticket_is_good_for_its_holder_and_program(holder, program):
    assert KEY.holder(KEY.sign(holder, program), program) == holder


@given(wild, wild, wild)
def test_no_other_program_and_no_other_key(holder, program, other):
    ticket = KEY.sign(holder, program)
    assert (KEY.holder(ticket, other) == holder) == (other == program)
    assert TicketKey(b"the next director's term").holder(ticket, program) is None


@given(wild)
def test_hostile_tickets_are_for_nobody(ticket):
    assert KEY.holder(ticket, "film") is None


def test_changed_tickets_are_for_nobody():
    ticket = KEY.sign("s-1", "film")
    for place in range(len(ticket)):
        changed = ticket[:place] + ("1" if ticket[place] == "0" else "0") + ticket[place + 1 :]
        assert KEY.holder(changed, "film") is None
    assert KEY.holder(ticket[:-1], "film") is None
    assert KEY.holder(ticket + "0", "film") is None


def test_a_holder_cannot_reach_into_the_program():
    assert KEY.holder(KEY.sign("a\nb", "c").replace("a\nb", "a"), "b\nc") is None
    assert KEY.holder(KEY.sign("a b", "c").replace("a b", "a"), "b c") is None
