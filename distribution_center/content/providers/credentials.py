"""How the center makes itself known to a provider: a file of its own, which nobody else may read."""

import os
import stat
from pathlib import Path

import msgspec
from msgspec import Struct

from media_network.settings import SettingsError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BYTES_MAX = 64 * 1024


class Credentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of it a provider wants depends on its protocol."""

    user: str = ""
    password: str = ""
    token: str = ""
    """For the web: sent as `Authorization: Bearer`."""
    key: str = ""
    """For SFTP: path of a private key."""
    passphrase: str = ""
    """Of the key."""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""
    """For S3."""

    def __repr__(self) -> str:
        return "Credentials()"


def read_credentials(path: Path) -> Credentials:
    """Read them. Raises SettingsError: they cannot be read or used, or others could read them."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & _OTHERS or found.st_uid not in {os.getuid(), 0}:
                raise SettingsError(
                    path, "", "others may read these credentials: `chmod 600` it, and have it be your own"
                )
            return msgspec.toml.decode(file.read(_BYTES_MAX), type=Credentials)
    except OSError as error:
        raise SettingsError(path, "", (error.strerror or "it cannot be read").lower()) from error
    except (msgspec.MsgspecError, ValueError):
        # What the reader says may have a secret in it.
        legal = ", ".join(Credentials.__struct_fields__)
        raise SettingsError(path, "", f"it is no TOML with some of {legal}, each a text") from None
