"""Takes traps and informs, by pysnmp. What they say is not believed: their sender is polled at once, and asked itself.

A trap of SNMPv3 is authenticated for its sender's engine, whose id is learned from the poller; an inform for ours,
which stays the same for as long as the folder of the history does.
"""

import logging
from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.error import PySnmpError
from pysnmp.proto import rfc1902

from distribution_center.network_management.snmp_poller import AUTH, PRIV
from media_network.address import Address
from media_network.snmp.settings import UserSettings

_log = logging.getLogger(__name__)

_TRANSPORT = (*udp.DOMAIN_NAME, 1)


class NotificationReceiver:
    """Listens at an address until it is closed."""

    def __init__(
        self, address: Address, user: UserSettings, engine_id: bytes, on_sender: Callable[[bytes, str], None]
    ) -> None:
        """`on_sender` gets engine id and host of who sent something authentic. Raises OSError for an address in use."""
        self._user = user
        self._known: set[bytes] = set()
        self._engine = engine.SnmpEngine(snmpEngineID=rfc1902.OctetString(engine_id))
        try:
            transport = udp.UdpAsyncioTransport().open_server_mode((address.host, address.port))
            config.add_transport(self._engine, _TRANSPORT, transport)
        except PySnmpError as error:
            raise OSError(f"{address}: {error}") from error
        self._add_user({})
        self._on_sender = on_sender
        self.taken = 0
        ntfrcv.NotificationReceiver(self._engine, self._take)

    def close(self) -> None:
        """Listen no more."""
        self._engine.close_dispatcher()

    def know(self, engine_id: bytes) -> None:
        """Take traps of this engine from now on."""
        if engine_id and engine_id not in self._known:
            self._known.add(engine_id)
            self._add_user({"securityEngineId": rfc1902.OctetString(engine_id)})

    def _add_user(self, of_engine: dict[str, Any]) -> None:
        private = self._user.priv_protocol != "none"
        config.add_v3_user(
            self._engine,
            self._user.user,
            AUTH[self._user.auth_protocol],
            self._user.auth_password,
            PRIV[self._user.priv_protocol],
            self._user.priv_password if private else None,
            **of_engine,
        )

    def _take(self, snmp_engine: Any, reference: int, context_engine_id: Any, *_: Any) -> None:
        _, address = snmp_engine.message_dispatcher.get_transport_info(reference)
        self.taken += 1
        self._on_sender(bytes(context_engine_id), str(address[0]))
