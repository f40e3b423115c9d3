"""Settings at the door: read once from a TOML file, typed, and an error that names the key at fault."""

import shlex
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from media_network.document import Document, DocumentError, parse_toml
from media_network.strict_reading import ThoroughReader, WrongKey
from media_network.toml_lines import line_of, lines_of

Settings = TypeVar("Settings", bound=Struct)

_WHAT = "settings file"
_READABLE = "is a secret, and everybody on this machine may read the file"


class SettingsError(DocumentError):
    """A settings file that cannot be used."""


class SettingsReadable(SettingsError):
    """A settings file with secrets that others may read."""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(path, key, reason)
        self.hint = f"chmod o= {shlex.quote(str(path))}"


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML settings file. Raises SettingsError, also for one with secrets that everybody may read."""
    document = Document(path, _WHAT, SettingsError, parse_toml, "TOML")
    settings = document.whole(kind)
    if document.secrets and _is_readable_by_others(path):
        raise SettingsReadable(path, document.secrets[0], _READABLE)
    return settings


class SettingsFault(Struct, frozen=True):
    """One thing that is wrong with a settings file."""

    line: int | None
    """Where it stands, from 1; of what is missing, where its table begins; None for what has no place."""
    key: str
    """Path of the key; empty for the whole file."""
    sentence: str
    """Which key it is, why it is wrong, and what it may be."""


def check_settings(
    path: Path, kind: type[Struct], further: Callable[[Mapping[str, Any]], Iterable[WrongKey]]
) -> list[SettingsFault]:
    """Find everything that is wrong with a settings file; `further` sees what types cannot say.

    Raises SettingsError: it is no TOML, or cannot be read.
    """
    lines: dict[str, int] = {}

    def parse(text: str) -> Mapping[str, Any]:
        parsed = parse_toml(text)
        lines.update(lines_of(text))
        return parsed

    content: Any = Document(path, _WHAT, SettingsError, parse, "TOML").load()
    reader = ThoroughReader(_WHAT)
    wrong = [*reader.all_wrong(kind, content), *further(content)]
    if _is_readable_by_others(path):
        wrong += [WrongKey(key, _READABLE) for key in reader.secrets]
    return [
        SettingsFault(line_of(lines, error.at), error.at.removesuffix(":"), f"{error.at} {error.reason}.".lstrip())
        for error in wrong
    ]


def _is_readable_by_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False
