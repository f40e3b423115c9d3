"""What subscriber management and billing are told at their door."""

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from media_network.address import Ipv4Text
from media_network.fields import PathText
from media_network.identity.settings import IdentitySettings


class AccountsSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One subscriber management with its billing."""

    state: PathText
    """Folder of its status, and of the database where `database` names no other place; nobody else may read it."""
    address: Ipv4Text = "127.0.0.1"
    """IPv4 address at which stations are answered."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 8085
    identity: IdentitySettings | None = None
    """Who it is to other machines, and whose word counts for who they are; None: nobody shows who he is."""
    database: str = ""
    """Path of the database, or a `postgresql://` DSN without its password; empty: `accounts.sqlite` in `state`."""

    @property
    def database_place(self) -> str:
        """Where the database is: a path, or a DSN."""
        return self.database or str(Path(self.state) / "accounts.sqlite")
