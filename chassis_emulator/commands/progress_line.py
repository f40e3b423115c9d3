"""One line on a terminal that says how far something is."""

from typing import TextIO


class ProgressLine:
    """The line; nothing where nobody watches."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._shown = False

    @property
    def watched(self) -> bool:
        """Whether anybody sees it."""
        return self._terminal.isatty()

    def show(self, text: str) -> None:
        """Show this instead of what was there."""
        if self.watched:
            self._terminal.write(f"\r\033[K{text[:79]}")
            self._terminal.flush()
            self._shown = True

    def end(self) -> None:
        """Leave an empty line behind."""
        if self._shown:
            self._terminal.write("\r\033[K")
            self._terminal.flush()
            self._shown = False
