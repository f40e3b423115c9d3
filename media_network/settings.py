"""Settings at the door: read once from a TOML file, typed, and an error that names the key at fault."""

import shlex
import stat
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from media_network.document import Document, DocumentError, parse_toml

Settings = TypeVar("Settings", bound=Struct)


class SettingsError(DocumentError):
    """A settings file that cannot be used."""


class SettingsReadable(SettingsError):
    """A settings file with secrets that others may read."""

    def __init__(self, path: Path, key: str, reason: str) -> None:
        super().__init__(path, key, reason)
        self.hint = f"chmod o= {shlex.quote(str(path))}"


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML settings file. Raises SettingsError, also for one with secrets that everybody may read."""
    document = Document(path, "settings file", SettingsError, parse_toml, "TOML")
    settings = document.whole(kind)
    if document.secrets and _is_readable_by_others(path):
        raise SettingsReadable(
            path, document.secrets[0], "is a secret, and everybody on this machine may read the file"
        )
    return settings


def _is_readable_by_others(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IRWXO)
    except OSError:
        return False
