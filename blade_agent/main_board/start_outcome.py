"""What came of directing an engine to start a turn."""

from enum import Enum, auto


class StartOutcome(Enum):
    """As the director, or the engine before, sees it."""

    TAKEN = auto()
    REFUSED = auto()
    """It certainly does not send."""
    DOUBTFUL = auto()
    """The answer is missing: it may send."""
