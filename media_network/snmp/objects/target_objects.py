"""Who is told of what happens, to read: SNMP-TARGET-MIB and SNMP-NOTIFICATION-MIB (RFC 3413). Nothing is written.

Communities of targets are secrets: they are shown by the target's number.
"""

import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

from media_network.address import Address
from media_network.snmp.access import USM, V2C, Level
from media_network.snmp.ber import Oid
from media_network.snmp.index import ObjectType, Rows, scalar
from media_network.snmp.objects.arcs import SNMP_MODULES
from media_network.snmp.objects.rows import READ_ONLY_STORAGE, ROW_ACTIVE, ROW_STATUS, STORAGE_TYPE
from media_network.snmp.objects.table import columns
from media_network.snmp.targets import AgentSettings, TargetSettings
from media_network.snmp.value import DISPLAY_STRING, INTEGER32, OBJECT_ID, OCTET_STRING, enumerated, string_index

_TARGET = (*SNMP_MODULES, 12, 1)
_NOTIFY = (*SNMP_MODULES, 13, 1)
_UDP_DOMAIN: Oid = (1, 3, 6, 1, 6, 1, 1)
_VERSION_2C, _VERSION_3 = 1, 3
"""SnmpMessageProcessingModel."""
_NOTIFY_TYPE = enumerated(trap=1, inform=2)
_LEVEL = enumerated(noAuthNoPriv=1, authNoPriv=2, authPriv=3)


class _Target(NamedTuple):
    number: int
    settings: TargetSettings
    level: Level

    @property
    def name(self) -> str:
        return f"target-{self.number}"


class TargetObjects:
    """The targets of an agent."""

    def __init__(self, settings: AgentSettings) -> None:
        targets = [
            _Target(number, target, _level(settings, target)) for number, target in enumerate(settings.targets, 1)
        ]
        self._targets = Rows((string_index(target.name, implied=True), target) for target in targets)

    def objects(self) -> Iterator[ObjectType]:
        """See `ObjectProvider`."""
        yield scalar((*_TARGET, 1), INTEGER32, lambda: 0)
        yield from columns(
            (*_TARGET, 2, 1),
            self._targets,
            {
                2: (OBJECT_ID, lambda _: _UDP_DOMAIN),
                3: (OCTET_STRING, lambda target: _octets(target.settings)),
                4: (INTEGER32, lambda target: round(target.settings.timeout_s * 100)),
                5: (INTEGER32, lambda target: target.settings.retries),
                6: (OCTET_STRING, lambda target: target.name.encode()),
                7: (OCTET_STRING, lambda target: target.name.encode()),
                8: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                9: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield from columns(
            (*_TARGET, 3, 1),
            self._targets,
            {
                2: (INTEGER32, lambda target: _VERSION_3 if target.settings.user else _VERSION_2C),
                3: (INTEGER32, lambda target: USM if target.settings.user else V2C),
                4: (DISPLAY_STRING, lambda target: target.settings.user or target.name),
                5: (_LEVEL, lambda target: int(target.level)),
                6: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                7: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )
        yield from columns(
            (*_NOTIFY, 1, 1),
            self._targets,
            {
                2: (OCTET_STRING, lambda target: target.name.encode()),
                3: (_NOTIFY_TYPE, lambda target: 2 if target.settings.inform else 1),
                4: (STORAGE_TYPE, lambda _: READ_ONLY_STORAGE),
                5: (ROW_STATUS, lambda _: ROW_ACTIVE),
            },
        )


def _level(settings: AgentSettings, target: TargetSettings) -> Level:
    if not target.user:
        return Level.NO_AUTH_NO_PRIV
    private = settings.user_of(target).priv_protocol != "none"
    return Level.AUTH_PRIV if private else Level.AUTH_NO_PRIV


def _octets(target: TargetSettings) -> bytes:
    address = Address.parse(target.address)
    return transport_address(address.host, address.port)


def transport_address(host: str, port: int) -> bytes:
    """TAddress of snmpUDPDomain: 4 octets of address and 2 of port; of a host that is no IPv4 address, nothing."""
    try:
        return socket.inet_aton(host) + struct.pack(">H", port)
    except OSError:
        return b""
