"""The file that a reception is written to."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from chassis_emulator.media_console.errors import OutputFailed


class OutputFile:
    """A file that is made when the first bytes come, so that a program that is not there spoils none; `-` is stdout."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            with self._naming_the_file():
                self._file.flush()
                self._opened.close()

    def write(self, data: bytes) -> None:
        """Append. Raises OutputFailed."""
        if self._path is None or not data:
            return
        with self._naming_the_file():
            if self._file is None:
                self._file = self._open(self._path)
            self._file.write(data)

    def _open(self, path: str) -> IO[bytes]:
        return sys.stdout.buffer if path == "-" else self._opened.enter_context(Path(path).open("wb"))

    @contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputFailed(str(self._path), error.strerror or "the disk fails") from error
