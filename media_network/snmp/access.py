"""Who may see and set what: the view-based access control model (RFC 3415). What no entry allows is denied."""

from collections.abc import Iterable
from enum import Enum, IntEnum

from msgspec import Struct

from media_network.snmp.ber import Oid

ANY_MODEL = 0
V2C = 2
USM = 3


class Level(IntEnum):
    """Security levels, each more than the one before (RFC 3411, 3.4.3)."""

    NO_AUTH_NO_PRIV = 1
    AUTH_NO_PRIV = 2
    AUTH_PRIV = 3


class Purpose(Enum):
    """What a view is wanted for."""

    READ = "read"
    WRITE = "write"
    NOTIFY = "notify"


class Family(Struct, frozen=True):
    """A family of subtrees (RFC 3415, vacmViewTreeFamilyTable)."""

    subtree: Oid
    mask: tuple[bool, ...] = ()
    """Whether each sub-identifier has to be the same; those beyond have to be."""
    included: bool = True

    def fits(self, oid: Oid) -> bool:
        """Tell whether a name begins like this family, as far as the shorter of both goes."""
        return all(
            have == want or (position < len(self.mask) and not self.mask[position])
            for position, (have, want) in enumerate(zip(oid, self.subtree, strict=False))
        )


class MibView:
    """A part of all names. A name belongs to it if the longest family that fits it is included."""

    def __init__(self, name: str, families: Iterable[Family]) -> None:
        self.name = name
        self.families = tuple(sorted(families, key=lambda family: (len(family.subtree), family.subtree), reverse=True))

    def includes(self, oid: Oid) -> bool:
        """Tell whether a name is in the view."""
        fitting = (known for known in self.families if len(known.subtree) <= len(oid) and known.fits(oid))
        return next((known.included for known in fitting), False)

    def covers(self, oid: Oid) -> bool | None:
        """Tell whether all names below `oid` are in the view, or none; None if it depends on the rest of the name."""
        above = next((k.included for k in self.families if len(k.subtree) <= len(oid) and k.fits(oid)), False)
        below = (known for known in self.families if len(known.subtree) > len(oid) and known.fits(oid))
        return above if all(known.included is above for known in below) else None


class AccessEntry(Struct, frozen=True, kw_only=True):
    """What a group may do (RFC 3415, vacmAccessTable). A view that is not named is empty."""

    group: str
    context: bytes = b""
    prefix: bool = False
    """Whether `context` is only how the context's name has to begin."""
    model: int = ANY_MODEL
    level: Level = Level.AUTH_PRIV
    """The least that is asked for."""
    read: str = ""
    write: str = ""
    notify: str = ""

    def fits(self, context: bytes, model: int, level: Level) -> bool:
        """Tell whether the entry is for requests of this kind."""
        named = context.startswith(self.context) if self.prefix else context == self.context
        return named and self.model in {ANY_MODEL, model} and self.level <= level

    @property
    def rank(self) -> tuple[bool, bool, int, int]:
        """Give what makes one of several fitting entries the one that counts (RFC 3415, 4)."""
        return self.model != ANY_MODEL, not self.prefix, len(self.context), self.level


class AccessTables(Struct, frozen=True, kw_only=True):
    """The model's configuration, as SNMP-VIEW-BASED-ACM-MIB shows it."""

    groups: dict[tuple[int, str], str]
    """Group by security model and security name."""
    entries: tuple[AccessEntry, ...]
    views: dict[str, MibView]

    def view(self, who: tuple[int, str], level: Level, context: bytes, purpose: Purpose) -> MibView | None:
        """Give what `who` (security model and name) may see for a purpose; None if nothing at all."""
        group = self.groups.get(who)
        fitting = [entry for entry in self.entries if entry.group == group and entry.fits(context, who[0], level)]
        if group is None or not fitting:
            return None
        best = max(fitting, key=_rank)
        return self.views.get(getattr(best, purpose.value))


def _rank(entry: AccessEntry) -> tuple[bool, bool, int, int]:
    return entry.rank
