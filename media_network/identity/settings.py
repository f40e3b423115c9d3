"""What a party is told of its identity: where the files are, which may be anybody's who keeps certificates."""

from pathlib import Path

from msgspec import Struct

from media_network.fields import PathText

CREDENTIALS = "identity.pem"
AUTHORITY = "authority.pem"
REVOKED = "revoked.pem"


class IdentitySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[identity]`: PEM files, which are read again when they change."""

    credentials: PathText
    """The private key, its certificate, and those of intermediate authorities: one file, so that it changes at once."""
    authority: PathText
    """The certificates of the authorities whose word counts."""
    revoked: str = ""
    """The authority's list of certificates that count no more; empty: there is none."""

    @classmethod
    def in_folder(cls, folder: Path) -> "IdentitySettings":
        """The files as `distribution-center pki issue` names them."""
        return cls(
            credentials=str(folder / CREDENTIALS), authority=str(folder / AUTHORITY), revoked=str(folder / REVOKED)
        )
