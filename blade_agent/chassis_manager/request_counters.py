"""What a chassis manager counts of a line, for whoever manages the network. Its requester counts here; others read."""

from msgspec import Struct


class RequestCounters(Struct, kw_only=True):
    """What was asked over one line since the manager's start."""

    requests: int = 0
    """Each once, however often it was sent."""
    repeats: int = 0
    unanswered: int = 0
    """Given up."""
