"""Who a party is, as its certificate says: `spiffe://<trust domain>/<kind>/<name>...` (the SPIFFE-ID standard, 2)."""

import re
from dataclasses import dataclass
from enum import StrEnum

URI_CHARS_MAX = 2048
"""SPIFFE-ID, 2.3: an implementation has to take this much, and generates no more."""
_PREFIX = "spiffe://"
_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}", re.ASCII)
_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._-]{1,64}", re.ASCII)
_SLOT = re.compile(r"[1-9][0-9]{0,3}")
"""A part of a path (SPIFFE-ID, 2.2); the two that mean a folder are none."""


class BadIdentity(ValueError):
    """A text that is no identity of a party."""


class IdentityKind(StrEnum):
    """What a party is."""

    BLADE = "blade"
    """Director or engine, as its chassis manager has it: a certificate cannot know which."""
    CENTER = "center"
    HEADQUARTERS = "headquarters"
    ACCOUNTS = "accounts"
    """Subscriber management and billing."""
    OPERATOR = "operator"
    """A person with commands, and what watches for a person."""


_NAMES = {
    IdentityKind.BLADE: ("station", "slot"),
    IdentityKind.CENTER: ("name",),
    IdentityKind.HEADQUARTERS: (),
    IdentityKind.ACCOUNTS: (),
    IdentityKind.OPERATOR: ("name",),
}
"""What follows a kind in the path."""
FORMS = ", ".join("/".join((kind.value, *(name.upper() for name in names))) for kind, names in _NAMES.items())
"""As a person writes them."""


@dataclass(frozen=True)
class Identity:
    """Who a party is in a trust domain."""

    trust_domain: str
    kind: IdentityKind
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises BadIdentity: a name that no path may have, or too many of them."""
        if not _DOMAIN.fullmatch(self.trust_domain):
            raise BadIdentity(
                f"{self.trust_domain[:80]!r} is no trust domain: use lower case letters, digits and . _ -"
            )
        wanted = _NAMES[self.kind]
        if len(self.names) != len(wanted):
            raise BadIdentity(f"{'/'.join((self.kind, *self.names))[:80]!r} is none of {FORMS}")
        for name in self.names:
            if not _NAME.fullmatch(name):
                raise BadIdentity(f"{name[:80]!r} is no name: use at most 64 letters, digits and . _ -")
        if self.kind is IdentityKind.BLADE and not _SLOT.fullmatch(self.names[1]):
            raise BadIdentity(f"{self.names[1][:80]!r} is no slot: a slot is a number, without zeros in front")

    @classmethod
    def parse(cls, uri: str) -> "Identity":
        """Read what `uri` wrote. Raises BadIdentity."""
        if len(uri) > URI_CHARS_MAX or not uri.startswith(_PREFIX):
            raise BadIdentity(f"{uri[:80]!r} is no SPIFFE id")
        domain, _, path = uri.removeprefix(_PREFIX).partition("/")
        return cls.named(domain, path)

    @classmethod
    def named(cls, trust_domain: str, path: str) -> "Identity":
        """The one that a person calls `blade/north/2`. Raises BadIdentity."""
        kind, *names = path.split("/")
        try:
            known = IdentityKind(kind)
        except ValueError:
            raise BadIdentity(f"{path[:80]!r} is none of {FORMS}") from None
        return cls(trust_domain, known, tuple(names))

    @property
    def path(self) -> str:
        """`blade/north/2`."""
        return "/".join((self.kind, *self.names))

    @property
    def uri(self) -> str:
        """As a certificate has it."""
        return f"{_PREFIX}{self.trust_domain}/{self.path}"

    @property
    def station(self) -> str:
        """Of a blade; empty for everybody else."""
        return self.names[0] if self.kind is IdentityKind.BLADE else ""

    @property
    def slot(self) -> int | None:
        """Of a blade; None for everybody else."""
        return int(self.names[1]) if self.kind is IdentityKind.BLADE else None

    def __str__(self) -> str:
        return self.path
