"""pysnmp's own agent, with the objects and the users of our own."""

from typing import Any

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp, context
from pysnmp.proto import rfc1902

from benchmarks.served import Control
from benchmarks.snmp_specimen import COMMUNITY, USER, Specimen
from media_network.address import Address

_VIEW = (1, 3, 6)
_SYNTAXES = {
    "Integer32": rfc1902.Integer32,
    "DisplayString": rfc1902.OctetString,
    "Gauge32": rfc1902.Gauge32,
    "TimeTicks": rfc1902.TimeTicks,
    "Counter32": rfc1902.Counter32,
    "Counter64": rfc1902.Counter64,
}


async def serve_pysnmp(control: Control) -> None:
    """Answer until told to end."""
    engine = SnmpEngine()
    transport = udp.UdpAsyncioTransport().open_server_mode(("127.0.0.1", 0))
    config.add_transport(engine, udp.DOMAIN_NAME, transport)
    config.add_v1_system(engine, COMMUNITY, COMMUNITY)
    config.add_vacm_user(engine, 2, COMMUNITY, "noAuthNoPriv", _VIEW, ())
    config.add_v3_user(
        engine,
        USER.user,
        config.USM_AUTH_HMAC192_SHA256,
        USER.auth_password,
        config.USM_PRIV_CFB128_AES,
        USER.priv_password,
    )
    config.add_vacm_user(engine, 3, USER.user, "authPriv", _VIEW, ())
    _add_objects(engine)
    where = context.SnmpContext(engine)
    for responder in (cmdrsp.GetCommandResponder, cmdrsp.NextCommandResponder, cmdrsp.BulkCommandResponder):
        responder(engine, where)
    await transport._lport  # noqa: SLF001 - pysnmp has no other way to wait for its socket
    host, port = transport.transport.get_extra_info("sockname")
    await control.report(Address(host, port))
    engine.close_dispatcher()


def _add_objects(engine: Any) -> None:
    """Add the specimen, which is read when somebody asks."""
    builder = engine.get_mib_builder()
    scalar, instance = builder.import_symbols("SNMPv2-SMI", "MibScalar", "MibScalarInstance")

    class Live(instance):  # type: ignore[misc, valid-type]
        """An instance that is read."""

        def __init__(self, name: Any, index: Any, syntax: Any, read: Any) -> None:
            super().__init__(name, index, syntax)
            self._read = read

        def getValue(self, name: Any, **context: Any) -> Any:  # noqa: ARG002, N802 - pysnmp's names
            return self.syntax.clone(self._read())

    symbols = []
    for known in Specimen().objects():
        syntax = _SYNTAXES[known.syntax.name]
        symbols.append(scalar(known.oid, syntax()).setMaxAccess("read-only"))
        for index, row in known.rows:
            live = Live(known.oid, index, syntax(known.read(row)), lambda known=known, row=row: known.read(row))
            symbols.append(live)
    builder.export_symbols("SPECIMEN", **{f"s{number}": symbol for number, symbol in enumerate(symbols)})
