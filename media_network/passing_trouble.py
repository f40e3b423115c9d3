"""Trouble with what one can go on without: who looks on must never end who works."""

from logging import Logger
from types import TracebackType
from typing import Self


class PassingTrouble:
    """Goes on without what a disk does not take: `with trouble:`. The log has its beginning and its end, once each."""

    def __init__(self, logger: Logger, what: str) -> None:
        """`what` is done in vain, for the sentence: "what: No space left on device; going on without it"."""
        self._logger = logger
        self._what = what
        self.cause: str | None = None
        """What it is at present; None: nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if error is None and self.cause:
            self._logger.warning("%s: works again", self._what)
            self.cause = None
        if not isinstance(error, OSError):
            return False
        cause = error.strerror or str(error)
        if cause != self.cause:
            self._logger.error("%s: %s; going on without it", self._what, cause)
            self.cause = cause
        return True
