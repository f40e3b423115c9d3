"""Processes of one center on one PostgreSQL server: they hear each other by LISTEN and NOTIFY, over a connection of its
own that also has the locks of whoever serves.

A notification is sent when its transaction is made, so whoever hears of a change can read it. What was said while the
connection was lost was not heard: when it is there again, all is looked at once.

Three advisory locks, each of a schema, are held for as long as the connection lasts:

    in use      shared by all that serve; whoever moves or migrates the tables wants it alone
    home        shared under the name of the home station: a registry has one
    leading     of whoever carries out orders and deletions
"""

import asyncio
import logging
import random
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import msgspec
from msgspec import Struct

from distribution_center.registry.neighbours import Neighbours
from distribution_center.registry.repository import RepositoryError, RepositoryUnfit
from media_network.messages.registry import RegisterStation

logger = logging.getLogger(__name__)

_TELL_EVERY_S = 0.5
_UNLOCKED_WITHIN_S = 1.0
_WORD_BYTES_MAX = 7000
"""A notification has fewer than 8000."""
_STATION_BYTES_MAX = 2000
"""A registration has some 300."""
_LOOK_EVERY = 4
"""Of these rounds in one the server is asked something, be there something to tell or not: a silent line is noticed."""


class _Word(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is said in a notification."""

    by: str
    """The process."""
    grows: bool = False
    """The feed has grown."""
    work: bool = False
    """See `Neighbours.worked`."""
    stations: tuple[RegisterStation, ...] = ()
    shunned: tuple[str, str] | None = None
    """Program and station: see `Neighbours.shunned`."""


_WORD = msgspec.json.Decoder(_Word)


class PostgresqlNeighbours(Neighbours):
    """Tells and hears, until it is ended."""

    def __init__(
        self,
        server: str,
        connect: Callable[[], Awaitable[Any]],
        errors: Callable[[], AbstractAsyncContextManager[None]],
    ) -> None:
        """`server` is what it is called in a log; `connect` opens a connection; what goes wrong within `errors` is a
        `RepositoryError`."""
        super().__init__()
        self.leads = False
        self._server = server
        self._connect = connect
        self._errors = errors
        self._name = f"{random.SystemRandom().getrandbits(64):016x}"
        self._schema = ""
        self._home = ""
        self._alone = False
        self._untold: dict[str, RegisterStation] = {}
        self._shunned: list[tuple[str, str]] = []
        self._work = False
        self._connection: Any = None
        self._keeping: asyncio.Task[None] | None = None

    async def begin(self, home: str, *, alone: bool) -> None:
        """Be one of the processes of a center that has this home station; or have the registry alone.

        Raises `RepositoryError`: others are there that must not be.
        """
        self._home, self._alone = home, alone
        async with self._errors():
            await self._join()
        self._keeping = asyncio.get_running_loop().create_task(self._keep(), name="hear other centers")

    async def end(self) -> None:
        """Tell and hear no more; others take over at once."""
        if self._keeping:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        if self._connection is not None and not self._connection.is_closed():
            # The server finds out in its own time that a line is gone, and holds what was locked until then.
            with suppress(RepositoryError):
                async with self._errors():
                    await self._connection.execute("SELECT pg_advisory_unlock_all()", timeout=_UNLOCKED_WITHIN_S)
        self._leave()

    def note_registration(self, message: RegisterStation) -> None:
        """See `Neighbours`."""
        self._untold[message.station] = message

    def note_shunned(self, program: str, station: str) -> None:
        """See `Neighbours`."""
        self._shunned.append((program, station))

    def note_work(self) -> None:
        """See `Neighbours`."""
        self._work = True

    @property
    def growing(self) -> tuple[str, str]:
        """What a transaction notifies of that makes the feed grow: channel and word."""
        return self._channel, msgspec.json.encode(_Word(by=self._name, grows=True)).decode()

    @property
    def _channel(self) -> str:
        return f"media_station_{_number(self._schema):08x}"

    async def _join(self) -> None:
        connection = self._connection = await self._connect()
        self._schema = await connection.fetchval("SELECT current_schema()") or ""
        await self._take_locks(connection)
        await connection.add_listener(self._channel, self._hear)
        self.leads = await self._may_lead(connection)

    async def _may_lead(self, connection: Any) -> bool:
        """Whether nobody else does; who asks does from then on."""
        return bool(await connection.fetchval("SELECT pg_try_advisory_lock($1, $2)", *self._lock("leading")))

    async def _take_locks(self, connection: Any) -> None:
        how = "pg_try_advisory_lock" if self._alone else "pg_try_advisory_lock_shared"
        if not await connection.fetchval(f"SELECT {how}($1, $2)", *in_use(self._schema)):
            by = "a center" if self._alone else "a command that moves it"
            raise RepositoryUnfit(self._server, f"{by} has it open: end that first")
        if self._alone:
            return
        kind, _ = self._lock("home")
        await connection.execute("SELECT pg_advisory_lock_shared($1, $2)", kind, _signed(_number(self._home)))
        others = await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = $1 AND objid <> $2 AND objsubid = 2",
            kind & 0xFFFFFFFF,
            _number(self._home),
        )
        if others:
            raise RepositoryUnfit(
                self._server, f"a center with another home station than {self._home} has it open: a registry has one"
            )

    def _lock(self, what: str) -> tuple[int, int]:
        return _lock_of(what, self._schema)

    def _leave(self) -> None:
        self.leads = False
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def _keep(self) -> None:
        rounds, lost = 0, False
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            rounds += 1
            try:
                async with self._errors():
                    await self._tell(look=rounds % _LOOK_EVERY == 0)
                lost = False
            except RepositoryError as error:
                if not lost:
                    logger.warning("%s; other centers on it are not heard until it is there again", error)
                lost = True
                self._leave()

    async def _tell(self, *, look: bool) -> None:
        """Say what there is to say."""
        if self._connection is None or self._connection.is_closed():
            self._leave()
            await self._join()
            # Something may have been said meanwhile.
            self.news.ring()
            self.worked()
        work, self._work = self._work, False
        untold, self._untold = self._untold, {}
        shunned, self._shunned = self._shunned, []
        for word in (*self._words(work=work, untold=untold), *map(self._shunning, shunned)):
            await self._connection.execute("SELECT pg_notify($1, $2)", self._channel, word)
        if look and not self.leads:
            if await self._may_lead(self._connection):
                self.leads = True
                logger.info("orders and deletions are carried out here from now on")
                self.worked()
        elif look:
            await self._connection.fetchval("SELECT 1")

    def _words(self, *, work: bool, untold: dict[str, RegisterStation]) -> Iterator[str]:
        left = iter(untold.values())
        while stations := _as_many_as_fit(left):
            yield msgspec.json.encode(_Word(by=self._name, work=work, stations=stations)).decode()
            work = False
        if work:
            yield msgspec.json.encode(_Word(by=self._name, work=True)).decode()

    def _shunning(self, shunned: tuple[str, str]) -> str:
        return msgspec.json.encode(_Word(by=self._name, shunned=shunned)).decode()

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: str) -> None:
        try:
            word = _WORD.decode(payload)
        except msgspec.MsgspecError:
            return  # somebody else's, or a newer release's
        if word.by == self._name:
            return
        for station in word.stations:
            self.heard(station)
        if word.shunned:
            self.shunned(*word.shunned)
        if word.grows:
            self.news.ring()
        if word.work:
            self.worked()


def in_use(schema: str) -> tuple[int, int]:
    """The lock of whoever uses the tables of a schema."""
    return _lock_of("in use", schema)


def _lock_of(what: str, schema: str) -> tuple[int, int]:
    return _signed(_number(f"media-station {what} {schema}")), 0


def _as_many_as_fit(left: Iterator[RegisterStation]) -> tuple[RegisterStation, ...]:
    """The next ones that one notification carries; one that none carries is left out."""
    taken: list[RegisterStation] = []
    weight = 0
    for station in left:
        more = len(msgspec.json.encode(station)) + 1
        if more > _STATION_BYTES_MAX:
            continue
        taken.append(station)
        weight += more
        if weight > _WORD_BYTES_MAX - _STATION_BYTES_MAX:
            break
    return tuple(taken)


def _number(text: str) -> int:
    return zlib.crc32(text.encode())


def _signed(number: int) -> int:
    """As PostgreSQL takes 32 bits."""
    return number - (1 << 32) if number >= 1 << 31 else number
