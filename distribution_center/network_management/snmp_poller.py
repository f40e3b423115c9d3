"""Polls SNMP agents: a GET of all scalars, and each table by GETBULK, mostly in one request."""

from collections.abc import Mapping
from random import Random

from distribution_center.network_management.agent_socket import AgentSocket, WhomToAskAs
from distribution_center.network_management.objects import Looked, Row, Sight, Table
from distribution_center.network_management.poll_error import PollError
from media_network.address import Address
from media_network.snmp.ber import BerError, Oid
from media_network.snmp.question import Question, Value, Variable, index_of, written

_ROWS_EXPECTED = 8
_VARIABLES_MAX = 120
"""In one answer: some kilobytes."""
_REQUESTS_MAX = 50
"""Of one table: no agent keeps us for ever with rows that it makes up."""


class SnmpPoller:
    """Asks as users of SNMPv3."""

    def __init__(self, users: WhomToAskAs, *, timeout_s: float, retries: int, rng: Random) -> None:
        """Open the socket, in the running loop."""
        self._socket = AgentSocket(users, timeout_s=timeout_s, retries=retries, rng=rng)
        self._rows: dict[tuple[Address, str], int] = {}
        """How many rows a table had: the next poll asks for one more, and sees the end with the same request."""

    def close(self) -> None:
        """Ask no more."""
        self._socket.close()

    def keep_only(self, agents: set[Address]) -> None:
        """Forget all other agents."""
        self._socket.keep_only(agents)
        self._rows = {key: rows for key, rows in self._rows.items() if key[0] in agents}

    async def look(self, agent: Address, sight: Sight, *, also_rarely: bool) -> Looked:
        """One poll. Raises `PollError`."""
        scalars = await self._get(agent, sight.scalars)
        tables = sight.tables | (sight.rarely if also_rarely else {})
        return Looked(scalars, {name: await self._walk(agent, name, table) for name, table in tables.items()})

    async def _get(self, agent: Address, scalars: Mapping[str, Oid]) -> dict[str, Value]:
        answer = await self._socket.ask(agent, Question(names=[written(oid) for oid in scalars.values()]))
        named = zip(scalars, answer, strict=True)
        return {name: value for name, (_, value) in named if value is not None}

    async def _walk(self, agent: Address, name: str, table: Table) -> dict[Oid, Row]:
        walk = _Walk(table)
        expected = self._rows.get((agent, name), _ROWS_EXPECTED) + 1
        for _ in range(_REQUESTS_MAX):
            if not walk.columns:
                break
            repetitions = max(1, min(_VARIABLES_MAX // len(walk.columns), expected - len(walk.rows)))
            cursors = [column.cursor for column in walk.columns]
            try:
                walk.take(await self._socket.ask(agent, Question(names=cursors, repetitions=repetitions)))
            except BerError as error:
                raise PollError(agent, f"a table with {error}", refused=True) from error
            expected = max(expected, 2 * len(walk.rows) + 1)
        self._rows[agent, name] = len(walk.rows)
        return walk.rows


class _Column:
    """A column, and how far it has been read."""

    def __init__(self, name: str, oid: Oid) -> None:
        self.name = name
        self.prefix = self.cursor = written(oid)
        self.last: Oid = ()
        self.open = True


class _Walk:
    """A table that is being read."""

    def __init__(self, table: Table) -> None:
        self.columns = [_Column(name, oid) for name, oid in table.columns.items()]
        """Those with rows that are still to be read."""
        self.rows: dict[Oid, Row] = {}

    def take(self, answer: list[Variable]) -> None:
        """Enter the answer to a GETBULK. Raises BerError."""
        columns = self.columns
        for place, (name, value) in enumerate(answer):
            column = columns[place % len(columns)]
            if not column.open:
                continue
            if value is None or not name.startswith(column.prefix):
                column.open = False
                continue
            index = index_of(name[len(column.prefix) :])
            if index <= column.last:
                column.open = False  # an agent that goes round in circles
                continue
            column.last, column.cursor = index, name
            self.rows.setdefault(index, {})[column.name] = value
        self.columns = [column for column in columns if column.open] if answer else []
