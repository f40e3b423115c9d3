"""Settings of an SNMP agent: where it listens, whom it answers, and what they may see. Nobody, unless named."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, Struct

from media_network.address import IpText
from media_network.secret import Secret
from media_network.snmp.access import USM, V2C, AccessEntry, AccessTables, Family, Level, MibView
from media_network.snmp.keys import MIN_PASSWORD_OCTETS
from media_network.snmp.message import MAX_NAME_OCTETS
from media_network.snmp.value import parse_oid

PORT = 161
"""SNMP's registered port."""

READ_ONLY, READ_WRITE = "read-only", "read-write"
ALL = "all"
"""The view that shows everything."""

AuthProtocolName: TypeAlias = Literal["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
"""SHA-1 (RFC 3414, 7) is for users whose tools know no newer one, such as perl's Net::SNMP; nobody has it unasked."""
PrivProtocolName: TypeAlias = Literal["AES", "none"]


class UserSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user of SNMPv3. One with privacy is denied everything in requests that are not encrypted.

    Raises ValueError for a name or a password that cannot be used.
    """

    user: str
    auth_protocol: AuthProtocolName = "SHA-256"
    auth_password: Secret
    priv_protocol: PrivProtocolName = "AES"
    """AES-128, or none."""
    priv_password: Secret = ""
    group: str = READ_ONLY

    def __post_init__(self) -> None:
        if not 0 < len(self.user.encode()) <= MAX_NAME_OCTETS:
            raise ValueError(f"{self.user!r} cannot name an SNMP user: 1 to {MAX_NAME_OCTETS} octets")
        private = [self.priv_password] if self.priv_protocol != "none" else []
        if any(len(password.encode()) < MIN_PASSWORD_OCTETS for password in (self.auth_password, *private)):
            raise ValueError(f"SNMP user {self.user}: a password has {MIN_PASSWORD_OCTETS} or more octets")

    def __repr__(self) -> str:
        """Show everything but the passwords: settings end up in logs."""
        return f"UserSettings(user={self.user!r}, group={self.group!r})"


class CommunitySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A community of SNMPv2c, which anybody on the way can read and use. Raises ValueError for one that is too long."""

    community: Secret
    group: str = READ_ONLY
    context: str = ""

    def __post_init__(self) -> None:
        if not 0 < len(self.community.encode()) <= 255:
            raise ValueError("an SNMP community has 1 to 255 octets")

    def __repr__(self) -> str:
        """Show everything but the community itself."""
        return f"CommunitySettings(group={self.group!r})"


class ViewSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of all objects: subtrees such as `1.3.6.1.2.1.2.2.1.*.3`, where `*` is any number."""

    include: tuple[str, ...]
    exclude: tuple[str, ...] = ()


class GroupSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What users and communities of a group may see and set, in contexts whose name begins with one of `contexts`."""

    read: str = ""
    write: str = ""
    notify: str = ""
    contexts: tuple[str, ...] = ("",)


def _groups() -> dict[str, GroupSettings]:
    return {
        READ_ONLY: GroupSettings(read=ALL, notify=ALL),
        READ_WRITE: GroupSettings(read=ALL, write=ALL, notify=ALL),
    }


class SnmpSettings(Struct, frozen=True, kw_only=True):
    """An SNMP agent's settings. Without users and communities it answers nobody."""

    host: IpText = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = PORT
    users: tuple[UserSettings, ...] = ()
    communities: tuple[CommunitySettings, ...] = ()
    groups: dict[str, GroupSettings] = {}
    """Besides `read-only` and `read-write`, which may be given another meaning."""
    views: dict[str, ViewSettings] = {}
    """Besides `all`."""

    def access_tables(self) -> AccessTables:
        """Give the access control that follows. Raises ValueError for a group or view that there is not."""
        views = {ALL: MibView(ALL, [Family((1,))])}
        views |= {name: MibView(name, _families(view)) for name, view in self.views.items()}
        groups = _groups() | self.groups
        for name, group in groups.items():
            for view in (group.read, group.write, group.notify):
                if view and view not in views:
                    raise ValueError(f"SNMP group {name}: there is no view {view!r}")
        named = {user.group for user in self.users} | {known.group for known in self.communities}
        if unknown := named - set(groups):
            raise ValueError(f"there is no SNMP group {min(unknown)!r}")
        members = {(USM, user.user): user.group + _OF_USER[user.priv_protocol][0] for user in self.users}
        members |= {(V2C, security_name(n)): known.group + _OF_COMMUNITY for n, known in enumerate(self.communities, 1)}
        entries = [entry for name, group in groups.items() for entry in _entries(name, group)]
        kept = tuple(entry for entry in entries if entry.group in members.values())
        return AccessTables(groups=members, entries=kept, views=views)


_OF_USER = {"AES": ("", Level.AUTH_PRIV), "none": ("-unencrypted", Level.AUTH_NO_PRIV)}
"""VACM knows a group once for each way in which its members prove who they are, so that nobody may prove less."""
_OF_COMMUNITY = "-community"


def _entries(name: str, group: GroupSettings) -> list[AccessEntry]:
    kinds = [(name + suffix, USM, level) for suffix, level in _OF_USER.values()]
    kinds.append((name + _OF_COMMUNITY, V2C, Level.NO_AUTH_NO_PRIV))
    return [
        AccessEntry(
            group=group_name,
            context=context.encode(),
            prefix=True,
            model=model,
            level=level,
            read=group.read,
            write=group.write,
            notify=group.notify,
        )
        for group_name, model, level in kinds
        for context in group.contexts
    ]


def security_name(number: int) -> str:
    """Give the security name of a community by its place in the settings: the community itself is a secret."""
    return f"community-{number}"


def _families(view: ViewSettings) -> list[Family]:
    return [_family(text, included=True) for text in view.include] + [
        _family(text, included=False) for text in view.exclude
    ]


def _family(text: str, *, included: bool) -> Family:
    parts = text.removeprefix(".").split(".")
    subtree = parse_oid(".".join("0" if part == "*" else part for part in parts))
    mask = tuple(part != "*" for part in parts)
    return Family(subtree, () if all(mask) else mask, included)
