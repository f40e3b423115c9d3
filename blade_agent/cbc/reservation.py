"""Reservations: who reads records piece by piece learns that they have changed meanwhile (IPMI 2.0, 31.4, 33.11)."""

_NUMBERS = 0xFFFF
_MOST_HELD = 64


class Reservation:
    """Reservations hold beside each other until the records change: readers do not disturb readers.

    Of those given since the last change the latest 64 hold.
    """

    def __init__(self) -> None:
        self._number = 0
        self._held = 0
        self._spared = 0

    def make(self) -> int:
        """Give a new one, 1 to FFFFh."""
        self._number = self._number % _NUMBERS + 1
        self._held = min(self._held + 1, _MOST_HELD)
        return self._number

    def cancel(self) -> None:
        """Let none that was given hold any longer."""
        self._held = self._spared = 0

    def cancel_others(self, number: int) -> None:
        """Let one alone hold: whoever changed the records may say so once more, if the answer got lost."""
        self._held, self._spared = 0, number

    def holds(self, number: int) -> bool:
        """Tell whether this is one of those that hold."""
        if number == self._spared != 0:
            return True
        return 0 < number <= _NUMBERS and (self._number - number) % _NUMBERS < self._held
