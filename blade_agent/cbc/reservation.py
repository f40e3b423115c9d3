"""A reservation: who reads records piece by piece learns that somebody else came between (IPMI 2.0, 31.4)."""


class Reservation:
    """The last reservation given is the one that holds, until it is cancelled."""

    def __init__(self) -> None:
        self._number = 0
        self._holds = False

    def make(self) -> int:
        """Give a new one, 1 to FFFFh; it takes the place of the one before."""
        self._number = self._number % 0xFFFF + 1
        self._holds = True
        return self._number

    def cancel(self) -> None:
        """Let the one given hold no longer."""
        self._holds = False

    def holds(self, number: int) -> bool:
        """Tell whether this is the one that holds."""
        return self._holds and number == self._number
