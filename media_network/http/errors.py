"""What can go wrong between two parties, as types with facts.

NetworkError
    Unreachable     nobody answered; `received` says whether the message may have arrived
    Unintelligible  somebody answered, but not in this language
"""

from media_network.address import Address


class NetworkError(Exception):
    """A message got no answer that can be used."""

    def __init__(self, peer: Address, verb: str) -> None:
        super().__init__(peer, verb)
        self.peer = peer
        self.verb = verb


class Unreachable(NetworkError):
    """Nobody answered.

    `received` is False only when it is certain that the message did not arrive: the connection was refused. Whoever
    must never do a thing twice takes True as "perhaps done". `refused` says that the last connection was refused: no
    process listens there any more, whatever the one before has received.
    """

    def __init__(self, peer: Address, verb: str, cause: str, *, received: bool) -> None:
        super().__init__(peer, verb)
        self.cause = cause
        self.received = received
        self.refused = not received

    def __str__(self) -> str:
        return f"{self.peer} did not answer {self.verb!r}: {self.cause}"


class Unintelligible(NetworkError):
    """An answer came that is not one of this verb's."""

    def __init__(self, peer: Address, verb: str, status: int, excerpt: str) -> None:
        super().__init__(peer, verb)
        self.status = status
        self.excerpt = excerpt

    def __str__(self) -> str:
        return f"{self.peer} answered {self.verb!r} with HTTP {self.status}: {self.excerpt!r}"
