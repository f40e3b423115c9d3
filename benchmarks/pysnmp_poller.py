"""Polls as the network management system does, by pysnmp: what ours is measured and checked against."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from pysnmp.entity.rfc3413 import cmdgen
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.hlapi.v3arch.asyncio.lcd import CommandGeneratorLcdConfigurator
from pysnmp.proto import errind
from pysnmp.proto.api import v2c

from distribution_center.network_management.objects import Looked, Row, Sight, Table
from distribution_center.network_management.poll_error import PollError
from media_network.address import Address
from media_network.snmp.ber import Oid
from media_network.snmp.question import Value
from media_network.snmp.settings import UserSettings

AUTH = {
    "SHA-1": hlapi.USM_AUTH_HMAC96_SHA,
    "SHA-224": hlapi.USM_AUTH_HMAC128_SHA224,
    "SHA-256": hlapi.USM_AUTH_HMAC192_SHA256,
    "SHA-384": hlapi.USM_AUTH_HMAC256_SHA384,
    "SHA-512": hlapi.USM_AUTH_HMAC384_SHA512,
}
PRIV = {"AES": hlapi.USM_PRIV_CFB128_AES, "none": hlapi.USM_PRIV_NONE}

_AGENTS_OF_AN_ENGINE = 50
_ON_THEIR_WAY_S = 0.2
_VARBINDS_MAX = 40
_REQUESTS_MAX = 200
"""Of one table: no agent keeps us for ever with rows that it makes up."""
_NAMES = CommandGeneratorLcdConfigurator()
_SILENCE = (errind.RequestTimedOut, errind.EmptyResponse)


class PysnmpPoller:
    """Asks as one user of SNMPv3."""

    def __init__(self, user: UserSettings, *, timeout_s: float, retries: int) -> None:
        """Make pysnmp's engine: a second of work the first time."""
        private = user.priv_protocol != "none"
        self._user = hlapi.UsmUserData(
            user.user,
            authKey=user.auth_password,
            privKey=user.priv_password if private else None,
            authProtocol=AUTH[user.auth_protocol],
            privProtocol=PRIV[user.priv_protocol],
        )
        self._timeout_s, self._retries = timeout_s, retries
        self._engines = [_Engine()]
        self._targets: dict[Address, tuple[_Engine, str]] = {}
        """Which engine asks an agent, and under which name it knows it."""

    async def close(self) -> None:
        """Close the sockets, when the answers that are still on their way have come: pysnmp stumbles over them."""
        await asyncio.sleep(_ON_THEIR_WAY_S)
        for each in self._engines:
            each.engine.close_dispatcher()

    async def look(self, agent: Address, sight: Sight, *, also_rarely: bool) -> Looked:
        """One poll. Raises `PollError`."""
        scalars = await self._get(agent, sight.scalars)
        tables = sight.tables | (sight.rarely if also_rarely else {})
        return Looked(scalars, {name: await self._walk(agent, table) for name, table in tables.items()})

    async def _get(self, agent: Address, scalars: Mapping[str, Oid]) -> dict[str, Value]:
        names = {oid: name for name, oid in scalars.items()}
        answer = await self._ask(agent, (), names)
        return {names[oid]: value for oid, value in answer if value is not None and oid in names}

    async def _walk(self, agent: Address, table: Table) -> dict[Oid, Row]:
        rows: dict[Oid, Row] = {}
        cursors = dict(table.columns)
        for _ in range(_REQUESTS_MAX):
            if not cursors:
                break
            repetitions = max(1, _VARBINDS_MAX // len(cursors))
            answer = await self._ask(agent, (0, repetitions), cursors.values())
            cursors = _take(rows, table, cursors, answer)
        return rows

    async def _ask(
        self, agent: Address, numbers: tuple[int, ...], oids: Iterable[Oid]
    ) -> list[tuple[Oid, Value | None]]:
        """By pysnmp's lower interface: the higher one loads a compiler of modules, a second of work, for nothing."""
        answered: asyncio.Future[tuple[Any, Any, Any]] = asyncio.get_running_loop().create_future()

        def take(*answer: Any) -> None:
            if not answered.done():
                answered.set_result((answer[2], answer[3], answer[5]))

        try:
            asking, target = self._targets.get(agent) or await self._add_target(agent)
            command = asking.bulk if numbers else asking.get
            bound = [(v2c.ObjectIdentifier(oid), v2c.null) for oid in oids]
            command.send_varbinds(asking.engine, target, None, b"", *numbers, bound, take)
            failure, status, bound = await answered
        except (PySnmpError, OSError) as error:
            raise PollError(agent, _sentence(error), refused=False) from error
        if failure:
            raise PollError(agent, str(failure).lower(), refused=not isinstance(failure, _SILENCE))
        if status:
            raise PollError(agent, f"it refused: {status.prettyPrint()}", refused=True)
        return [(tuple(name), _plain(value)) for name, value in bound]

    async def _add_target(self, agent: Address) -> tuple["_Engine", str]:
        transport = await hlapi.UdpTransportTarget.create(
            (agent.host, agent.port), timeout=self._timeout_s, retries=self._retries
        )
        if self._engines[-1].agents >= _AGENTS_OF_AN_ENGINE:
            self._engines.append(_Engine())
        asking = self._engines[-1]
        asking.agents += 1
        self._targets[agent] = asking, _NAMES.configure(asking.engine, self._user, transport, b"")[0]
        return self._targets[agent]


class _Engine:
    """One of pysnmp's. It reads all its agents anew whenever one is added: several small ones start sooner."""

    def __init__(self) -> None:
        self.engine = hlapi.SnmpEngine()
        self.get = cmdgen.GetCommandGenerator()
        self.bulk = cmdgen.BulkCommandGeneratorSingleRun()
        self.agents = 0


def _take(
    rows: dict[Oid, Row], table: Table, cursors: dict[str, Oid], answer: list[tuple[Oid, Value | None]]
) -> dict[str, Oid]:
    """Enter the answer to a GETBULK into rows; what is left to ask, and from where."""
    columns = list(cursors)
    ahead = dict(cursors)
    for place, (oid, value) in enumerate(answer):
        column = columns[place % len(columns)]
        if column not in ahead:
            continue
        base = table.columns[column]
        if value is None or oid[: len(base)] != base or oid <= ahead[column]:
            del ahead[column]  # the column's end, or an agent that goes round in circles
            continue
        ahead[column] = oid
        rows.setdefault(oid[len(base) :], {})[column] = value
    return ahead if answer else {}


def _plain(value: Any) -> Value | None:
    """What pysnmp gives, as Python has it; None for an exception in place of a value."""
    name = type(value).__name__
    if name in {"NoSuchObject", "NoSuchInstance", "EndOfMibView", "Null"}:
        return None
    if name == "ObjectIdentifier":
        return tuple(value)
    if name in {"OctetString", "IpAddress", "Opaque", "Bits"}:
        return bytes(value)
    return int(value)


def _sentence(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
