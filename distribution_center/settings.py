"""What a distribution center is told at its door."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct


class SettingsError(Exception):
    """A settings file that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class CenterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One distribution center."""

    name: str
    address: str
    """IPv4 address it answers at."""
    state: str
    """Folder of the registry and the spool."""
    home: str
    """Name of its home media station."""
    http_port: Annotated[int, Meta(ge=1, le=65535)] = 8080
    storing_patience_s: Annotated[float, Meta(gt=0)] = 60.0
    """How long the home media station may take no segment before an ingest is given up."""


def read_settings(path: Path) -> CenterSettings:
    """Read a TOML settings file. Raises SettingsError that names the key at fault."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=CenterSettings)
    except OSError as error:
        raise SettingsError(path, error.strerror or "cannot be read") from error
    except (msgspec.MsgspecError, ValueError) as error:
        raise SettingsError(path, str(error)) from error
