"""Who may do what, to read: SNMP-VIEW-BASED-ACM-MIB and SNMP-USER-BASED-SM-MIB (RFC 3415, 3414). Nothing is written.

Keys are not objects of these modules that can be read, and passwords are nowhere in them. Communities are known by
their security names only.
"""

from collections.abc import Callable, Iterator

from media_network.snmp.access import AccessEntry, AccessTables, Family
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.keys import AUTH_PROTOCOLS, NO_PRIV_PROTOCOL, PRIV_PROTOCOLS
from media_network.snmp.objects.arcs import NO_OBJECT, SNMP_MODULES
from media_network.snmp.objects.rows import READ_ONLY_STORAGE, ROW_ACTIVE, ROW_STATUS, STORAGE_TYPE
from media_network.snmp.objects.table import columns
from media_network.snmp.settings import UserSettings
from media_network.snmp.value import DISPLAY_STRING, INTEGER32, OBJECT_ID, OCTET_STRING, enumerated, string_index

_VACM = (*SNMP_MODULES, 16, 1)
_USM_USER = (*SNMP_MODULES, 15, 1, 2)
_EXACT, _PREFIX = 1, 2
_MATCH = enumerated(exact=1, prefix=2)
_FAMILY_TYPE = enumerated(included=1, excluded=2)


class AccessObjects:
    """Access control and users."""

    def __init__(
        self,
        tables: AccessTables,
        contexts: Callable[[], tuple[bytes, ...]],
        engine_id: bytes,
        users: tuple[UserSettings, ...],
    ) -> None:
        """`contexts` gives the names of the contexts that there are; they are taken when `refresh` is called."""
        self._contexts = contexts
        self._context_rows = Rows()
        self._groups = Rows(((model, *string_index(name)), group) for (model, name), group in tables.groups.items())
        self._access = Rows((_access_index(entry), entry) for entry in tables.entries)
        self._families = Rows(
            ((*string_index(view.name), len(family.subtree), *family.subtree), family)
            for view in tables.views.values()
            for family in view.families
        )
        self._users = Rows(((*string_index(engine_id), *string_index(user.user)), user) for user in users)
        self.refresh()

    def refresh(self) -> None:
        """Take note of the contexts that there are now."""
        wanted = {string_index(name): name for name in self._contexts()}
        if set(wanted) != set(self._context_rows.indexes):
            self._context_rows.replace(wanted.items())

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield from columns((*_VACM, 1, 1), self._context_rows, {1: (DISPLAY_STRING, lambda name: name)})
        yield from columns(
            (*_VACM, 2, 1),
            self._groups,
            {
                3: (DISPLAY_STRING, lambda group: group),
                4: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                5: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield from columns(
            (*_VACM, 4, 1),
            self._access,
            {
                4: (_MATCH, lambda entry: _PREFIX if entry.prefix else _EXACT),
                5: (DISPLAY_STRING, lambda entry: entry.read),
                6: (DISPLAY_STRING, lambda entry: entry.write),
                7: (DISPLAY_STRING, lambda entry: entry.notify),
                8: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                9: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield scalar((*_VACM, 5, 1), INTEGER32, lambda: 0)
        yield from columns(
            (*_VACM, 5, 2, 1),
            self._families,
            {
                3: (OCTET_STRING, _mask),
                4: (_FAMILY_TYPE, lambda family: 1 if family.included else 2),
                5: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                6: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield from self._user_objects()

    def _user_objects(self) -> Iterator[ObjectType]:
        yield scalar((*_USM_USER, 1), INTEGER32, lambda: 0)
        yield from columns(
            (*_USM_USER, 2, 1),
            self._users,
            {
                3: (DISPLAY_STRING, lambda user: user.user),
                4: (OBJECT_ID, lambda _: NO_OBJECT),
                5: (OBJECT_ID, lambda user: AUTH_PROTOCOLS[user.auth_protocol].oid),
                6: (OCTET_STRING, lambda _: b""),
                7: (OCTET_STRING, lambda _: b""),
                8: (OBJECT_ID, lambda user: PRIV_PROTOCOLS.get(user.priv_protocol, NO_PRIV_PROTOCOL)),
                9: (OCTET_STRING, lambda _: b""),
                10: (OCTET_STRING, lambda _: b""),
                11: (OCTET_STRING, lambda _: b""),
                12: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                13: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )


def _access_index(entry: AccessEntry) -> Oid:
    return (*string_index(entry.group), *string_index(entry.context), entry.model, int(entry.level))


def _mask(family: Family) -> bytes:
    """Bits of a family's mask, the first one highest; a mask that ends early goes on with ones (RFC 3415)."""
    octets = bytearray()
    for start in range(0, len(family.mask), 8):
        bits = [*family.mask[start : start + 8], *(True,) * 8][:8]
        octets.append(sum(0x80 >> place for place, bit in enumerate(bits) if bit))
    return bytes(octets)
