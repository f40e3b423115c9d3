"""What an engine takes the answer to `START` for: whoever may send is never taken for one that does not."""

import pytest

from blade_agent.main_board.engine.turns.hand_over import StartOutcome
from blade_agent.main_board.engine.turns.neighbours import _outcome
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused


def test_done_is_taken():
    assert _outcome(Done()) is StartOutcome.TAKEN


@pytest.mark.parametrize("reason", Reason)
def test_only_a_refusal_that_is_certain_is_refused(reason):
    doubtful = reason in {Reason.OVERDUE, Reason.UNKNOWN}
    assert _outcome(Refused(reason)) is (StartOutcome.DOUBTFUL if doubtful else StartOutcome.REFUSED)
