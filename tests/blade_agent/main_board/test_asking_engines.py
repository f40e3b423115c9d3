"""What the answer to `START` is taken for: whoever may send is never taken for one that does not."""

import pytest

from blade_agent.main_board.asking_engines import outcome_of
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused


def test_done_is_taken():
    assert outcome_of(Done()) is StartOutcome.TAKEN


@pytest.mark.parametrize("reason", Reason)
def test_only_a_refusal_that_is_certain_is_refused(reason):
    doubtful = reason in {Reason.OVERDUE, Reason.UNKNOWN}
    assert outcome_of(Refused(reason)) is (StartOutcome.DOUBTFUL if doubtful else StartOutcome.REFUSED)
