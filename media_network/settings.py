"""Settings at the door: read once from a TOML file, typed, and an error that names the key at fault."""

from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

Settings = TypeVar("Settings", bound=Struct)


class SettingsError(Exception):
    """A settings file that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


def read_settings(path: Path, kind: type[Settings]) -> Settings:
    """Read a TOML settings file. Raises SettingsError."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise SettingsError(path, error.strerror or "cannot be read") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsError(path, str(error)) from error
