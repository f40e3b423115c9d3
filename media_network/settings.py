"""Settings at the door: read once from a TOML file, typed, and an error that names the key at fault."""

from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from media_network.document import Document, DocumentError, parse_toml

Settings = TypeVar("Settings", bound=Struct)


class SettingsError(DocumentError):
    """A settings file that cannot be used."""


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML settings file. Raises SettingsError."""
    return Document(path, "settings file", SettingsError, parse_toml, "TOML").whole(kind)
