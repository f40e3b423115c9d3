"""A file that a person wrote, read strictly: an error names the file, the key at fault and what it may be."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from media_network.document_error import DocumentError
from media_network.strict_reading import StrictReader, below

__all__ = ["Document", "DocumentError", "NotTheGrammar", "below", "parse_toml"]

_Read = TypeVar("_Read", bound=Struct)


class NotTheGrammar(Exception):
    """A text that is not of its language; `str()` says where."""


class Document(StrictReader):
    """One file. `error` is made of its path, the path of the key at fault and the reason."""

    def __init__(
        self, path: Path, what: str, error: type[DocumentError], parse: Callable[[str], object], language: str
    ) -> None:
        super().__init__(what, self.wrong)
        self.path = path
        self._error = error
        self._parse = parse
        self._language = language

    def load(self) -> object:
        """Read it. Raises the document's error."""
        try:
            return self._parse(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise self.wrong("", f"cannot be read ({(error.strerror or 'no reason given').lower()})") from error
        except UnicodeDecodeError as error:
            raise self.wrong("", "is not UTF-8 text") from error
        except (NotTheGrammar, RecursionError) as error:
            where = str(error) if isinstance(error, NotTheGrammar) else "brackets in brackets without end"
            raise self.wrong("", f"is not {self._language}: {where}") from error

    def whole(self, kind: type[_Read]) -> _Read:
        """Read all of it as one structure. Raises the document's error."""
        return self.struct(kind, self.load(), "")

    def wrong(self, key: str, reason: str) -> DocumentError:
        """Make the error to raise."""
        return self._error(self.path, key, reason)


_PLACE = re.compile(r"line (\d+), column (\d+)")


def parse_toml(text: str) -> dict[str, Any]:
    """Read TOML. Raises NotTheGrammar, which says the place: the library's reason is not for persons."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        where = f"line {place[1]}, near column {place[2]}" if place else "its end comes too early"
        raise NotTheGrammar(f"{where}; a line is `key = value`, text stands in quotes") from error
