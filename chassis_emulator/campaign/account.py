"""The account of a round: what was done and what was seen, a line each, as it is told to a person."""

import time
from collections.abc import Callable


class Account:
    """Lines with the time since the round began. `show` hears of each as it is written."""

    def __init__(self, show: Callable[[str], None]) -> None:
        self._show = show
        self._began_s = time.monotonic()
        self._lines: list[str] = []

    def begin(self, round_number: int) -> None:
        """Another round: what was told of the one before is of no interest any more."""
        self._began_s = time.monotonic()
        self._lines = []
        self.tell(f"round {round_number} begins")

    @property
    def at_s(self) -> float:
        """Seconds since the round began."""
        return time.monotonic() - self._began_s

    def tell(self, sentence: str) -> None:
        """Write a line."""
        line = f"{self.at_s:8.3f} s  {sentence}"
        self._lines.append(line)
        self._show(line)

    @property
    def text(self) -> str:
        """All lines of the round."""
        return "\n".join(self._lines)
