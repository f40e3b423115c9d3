"""Takes traps and informs, by pysnmp. What they say is not believed: their sender is polled at once, and asked itself.

A trap of SNMPv3 is authenticated for its sender's engine, whose id is learned from the poller; an inform for ours,
which stays the same for as long as the folder of the history does.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.error import PySnmpError
from pysnmp.proto import rfc1902

from media_network.address import Address
from media_network.snmp.objects.times import wall_clock
from media_network.snmp.settings import UserSettings
from media_network.snmp.usm import EngineIdentity

logger = logging.getLogger(__name__)

_TRANSPORT = (*udp.DOMAIN_NAME, 1)
_AUTH = {
    "SHA-224": config.USM_AUTH_HMAC128_SHA224,
    "SHA-256": config.USM_AUTH_HMAC192_SHA256,
    "SHA-384": config.USM_AUTH_HMAC256_SHA384,
    "SHA-512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {"AES": config.USM_PRIV_CFB128_AES, "none": config.USM_PRIV_NONE}


class NotificationReceiver:
    """Listens at an address until it is closed."""

    def __init__(
        self, address: Address, user: UserSettings, identity: EngineIdentity, on_sender: Callable[[bytes, str], None]
    ) -> None:
        """`on_sender` gets engine id and host of who sent something authentic. Raises OSError for an address in use."""
        self._user = user
        self._known: set[bytes] = set()
        self._engine = _open_engine(identity)
        try:
            self._transport = udp.UdpAsyncioTransport().open_server_mode((address.host, address.port))
            config.add_transport(self._engine, _TRANSPORT, self._transport)
        except PySnmpError as error:
            raise OSError(f"{address}: {error}") from error
        self._add_user({})
        self._on_sender = on_sender
        self.taken = 0
        ntfrcv.NotificationReceiver(self._engine, self._take)

    def close(self) -> None:
        """Listen no more."""
        self._transport.close_transport()
        # What pysnmp has received it looks at in the loop's next turn, and then needs its dispatcher.
        asyncio.get_running_loop().call_soon(self._engine.close_dispatcher)

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
            _AUTH[self._user.auth_protocol],
            self._user.auth_password,
            _PRIV[self._user.priv_protocol],
            self._user.priv_password if private else None,
            **of_engine,
        )

    def _take(self, snmp_engine: Any, reference: int, context_engine_id: Any, *_: Any) -> None:
        _, address = snmp_engine.message_dispatcher.get_transport_info(reference)
        self.taken += 1
        self._on_sender(bytes(context_engine_id), str(address[0]))


def _open_engine(identity: EngineIdentity) -> Any:
    """Make pysnmp's engine ours. Given an id it would keep boots of its own, in a folder that anybody can foresee."""
    opened = engine.SnmpEngine()
    names = ("snmpEngineID", "snmpEngineBoots", "snmpEngineTime")
    engine_id, boots, time = opened.get_mib_builder().import_symbols("__SNMP-FRAMEWORK-MIB", *names)
    engine_id.syntax = engine_id.syntax.clone(identity.engine_id)
    opened.snmpEngineID = engine_id.syntax
    boots.syntax = boots.syntax.clone(identity.boots)
    time.syntax = time.syntax.clone(int(wall_clock()))  # it keeps the date of the start, and gives the time since then
    return opened
