"""Notifications: what each of them carries, and one that has happened. No I/O; who sends them is `notifying`.

The table of a module's notifications is checked against the module itself by a test.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from media_network.snmp.ber import Oid
from media_network.snmp.objects.arcs import SNMP_MODULES
from media_network.snmp.value import Syntax

SYS_UP_TIME: Oid = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SNMP_TRAP_OID: Oid = (*SNMP_MODULES, 1, 1, 4, 1, 0)


class Carried(Struct, frozen=True):
    """An object of a notification."""

    name: str
    oid: Oid
    """Without an instance."""
    syntax: Syntax
    scalar: bool = False
    """Its instance is 0, whatever the notification is about."""


class NotificationType(Struct, frozen=True):
    """A notification of a module."""

    name: str
    oid: Oid
    objects: tuple[Carried, ...] = ()


class VarBind(Struct, frozen=True):
    """A variable that a notification carries."""

    oid: Oid
    syntax: Syntax
    value: Any
    """What the syntax takes."""


class Notification(Struct, frozen=True, kw_only=True):
    """Something that has happened."""

    kind: NotificationType
    varbinds: tuple[VarBind, ...] = ()
    """In the order of the module, without sysUpTime and snmpTrapOID."""
    context: bytes = b""


def notification(kind: NotificationType, instance: Oid, values: Mapping[str, Any]) -> Notification:
    """Make a notification about an instance, from the values by object name. Raises KeyError if one is not there."""
    return Notification(
        kind=kind,
        varbinds=tuple(
            VarBind((*carried.oid, *((0,) if carried.scalar else instance)), carried.syntax, values[carried.name])
            for carried in kind.objects
        ),
    )


COLD_START = NotificationType("coldStart", (*SNMP_MODULES, 1, 1, 5, 1))
AUTHENTICATION_FAILURE = NotificationType("authenticationFailure", (*SNMP_MODULES, 1, 1, 5, 5))
STANDARD = (COLD_START, AUTHENTICATION_FAILURE)
"""Of SNMPv2-MIB: they carry nothing but when and what they are."""
