"""Subscribers, what they may see, and the keys of tokens: a SQLite file that its owner alone can read.

The server and the commands use it at the same time; what a command has changed counts from then on.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import apsw
import msgspec

from distribution_center.authentication.key_ring import KeptKey, KeyPlace, KeyRing
from distribution_center.authentication.subscribers import EntitledProgram, Subscriber
from media_network.fields import ProgramId
from media_network.files import make_durable_folder
from media_network.messages.subscribers import ANY_PROGRAM, FOR_EVER_MS
from media_network.os_trouble import in_words
from media_network.sqlite_file import set_damaged_aside, sqlite_in_words
from media_network.tokens.keys import KeysUnreadable, SigningKey

_VERSION = 1
_TABLES = """
CREATE TABLE subscribers (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,
    generation INTEGER NOT NULL,
    suspended INTEGER NOT NULL DEFAULT 0,
    stations TEXT NOT NULL DEFAULT '[]'
) STRICT, WITHOUT ROWID;
CREATE TABLE entitlements (
    subscriber TEXT NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE,
    what TEXT NOT NULL,
    package INTEGER NOT NULL,
    from_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (subscriber, package, what)
) STRICT, WITHOUT ROWID;
CREATE TABLE packages (
    package TEXT NOT NULL,
    program TEXT NOT NULL,
    PRIMARY KEY (package, program)
) STRICT, WITHOUT ROWID;
CREATE TABLE signing_keys (
    place TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    made_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""
_ENTITLED = f"""
SELECT program, max(until_ms) FROM (
    SELECT what AS program, until_ms, from_ms FROM entitlements WHERE subscriber = ?1 AND NOT package
    UNION ALL
    SELECT packages.program, until_ms, from_ms FROM entitlements JOIN packages ON packages.package = what
    WHERE subscriber = ?1 AND entitlements.package
)
WHERE from_ms <= ?2 AND ?2 < until_ms AND (?3 IS NULL OR program IN (?3, '{ANY_PROGRAM}'))
GROUP BY program ORDER BY program LIMIT ?4
"""  # noqa: S608 -- of constants
_BUSY_TIMEOUT_MS = 5000
_FILE = "subscribers.sqlite"
_ID_BYTES = 8


class SubscribersUnfit(Exception):
    """The file cannot be used, for instance because another release wrote it."""


class NameTaken(Exception):
    """There is a subscriber of that name."""


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """What was granted to a subscriber."""

    what: str
    """A program, a package, or `ANY_PROGRAM`."""
    package: bool
    from_ms: int
    until_ms: int


class SubscriberFile:
    """The file in a folder, open. Made with its folder if there is none."""

    def __init__(self, folder: Path, *, check: bool = False) -> None:
        """`check`: read all of it first, and set a damaged one aside. Raises SubscribersUnfit."""
        path = folder / _FILE
        try:
            make_durable_folder(folder, 0o700)
            if check:
                set_damaged_aside(path, "there are no subscribers, and new keys", expected=False)
            # SQLite gives what it has beside the file the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._connection = apsw.Connection(str(path))
            self._connection.set_busy_timeout(_BUSY_TIMEOUT_MS)
            self._connection.pragma("journal_mode", "wal")
            self._connection.pragma("synchronous", "full")
            self._connection.pragma("foreign_keys", "on")
            version = self._bring_up_to_date()
        except apsw.Error as error:
            raise SubscribersUnfit(f"{path}: {sqlite_in_words(error)}") from error
        except OSError as error:
            raise SubscribersUnfit(f"{path}: {in_words(error)}") from error
        if version != _VERSION:
            raise SubscribersUnfit(f"{path} has version {version}, and this release {_VERSION}")

    def _bring_up_to_date(self) -> int:
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            version = int(self._connection.pragma("user_version"))
            if version == 0:
                self._connection.execute(_TABLES)
                self._connection.pragma("user_version", _VERSION)
                version = _VERSION
        self._connection.execute("COMMIT")
        return version

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    async def named(self, name: str) -> Subscriber | None:
        """See `Subscribers`."""
        return self.find(name)

    async def get(self, subscriber: str) -> Subscriber | None:
        """See `Subscribers`."""
        return self._one("id = ?", subscriber)

    async def entitled(
        self, subscriber: str, now_ms: int, program: ProgramId | None, most: int
    ) -> tuple[EntitledProgram, ...]:
        """See `Subscribers`."""
        return tuple(EntitledProgram(*row) for row in self._rows(_ENTITLED, subscriber, now_ms, program, most))

    def find(self, name: str) -> Subscriber | None:
        """The subscriber of that name."""
        return self._one("name = ?", name)

    def listed(self, after: str, most: int) -> list[Subscriber]:
        """So many, by name, from the one after that name on."""
        return [_subscriber(row) for row in self._rows(f"{_SELECT} WHERE name > ? ORDER BY name LIMIT ?", after, most)]

    def entitlements(self, subscriber: str) -> tuple[Entitlement, ...]:
        """All that was granted, whether or not it is good now."""
        rows = self._rows(
            "SELECT what, package, from_ms, until_ms FROM entitlements WHERE subscriber = ? ORDER BY package, what",
            subscriber,
        )
        return tuple(
            Entitlement(what=what, package=bool(package), from_ms=from_ms, until_ms=until_ms)
            for what, package, from_ms, until_ms in rows
        )

    def add(self, name: str, digest: str, stations: Iterable[str] = ()) -> Subscriber:
        """Another subscriber. Raises NameTaken."""
        made = Subscriber(
            id=secrets.token_hex(_ID_BYTES), name=name, digest=digest, generation=1, stations=tuple(stations)
        )
        try:
            self._write(
                "INSERT INTO subscribers VALUES (?, ?, ?, ?, ?, ?)",
                *(made.id, name, digest, made.generation, 0, msgspec.json.encode(made.stations).decode()),
            )
        except apsw.ConstraintError as error:
            raise NameTaken(name) from error
        return made

    def set_password(self, subscriber: str, digest: str) -> None:
        """Another password: who has logged in by the one before has to do so again."""
        self._write("UPDATE subscribers SET digest = ?, generation = generation + 1 WHERE id = ?", digest, subscriber)

    def suspend(self, subscriber: str, *, suspended: bool) -> None:
        """Give no more tokens, or again."""
        self._write("UPDATE subscribers SET suspended = ? WHERE id = ?", int(suspended), subscriber)

    def remove(self, subscriber: str) -> None:
        """Forget a subscriber, and what was granted."""
        self._write("DELETE FROM subscribers WHERE id = ?", subscriber)

    def entitle(self, subscriber: str, granted: Entitlement) -> None:
        """Grant something, in place of what was granted of the same before."""
        self._write(
            "INSERT OR REPLACE INTO entitlements VALUES (?, ?, ?, ?, ?)",
            *(subscriber, granted.what, int(granted.package), granted.from_ms, granted.until_ms),
        )

    def withdraw(self, subscriber: str, what: str, *, package: bool) -> None:
        """Take back what was granted."""
        self._write(
            "DELETE FROM entitlements WHERE subscriber = ? AND what = ? AND package = ?", subscriber, what, int(package)
        )

    def add_to_package(self, package: str, programs: Iterable[ProgramId]) -> None:
        """Put programs into a package, which is made by its first."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO packages VALUES (?, ?)", [(package, program) for program in programs]
            )

    def take_from_package(self, package: str, programs: Iterable[ProgramId]) -> None:
        """Take programs out of a package."""
        with self._connection:
            self._connection.executemany(
                "DELETE FROM packages WHERE package = ? AND program = ?", [(package, program) for program in programs]
            )

    def package(self, package: str) -> tuple[ProgramId, ...]:
        """What is in a package."""
        rows = self._rows("SELECT program FROM packages WHERE package = ? ORDER BY program", package)
        return tuple(program for (program,) in rows)

    @property
    def keys_changed(self) -> int:
        """Another number whenever somebody else has written."""
        return int(self._connection.pragma("data_version"))

    def key_ring(self) -> KeyRing | None:
        """The keys, if there are any. Raises SubscribersUnfit."""
        rows = self._rows("SELECT place, secret, made_at_ms FROM signing_keys ORDER BY made_at_ms, place")
        try:
            kept = tuple(KeptKey(KeyPlace(place), SigningKey.load(secret), made_ms) for place, secret, made_ms in rows)
        except (KeysUnreadable, ValueError) as error:
            raise SubscribersUnfit(f"{_FILE}: a signing key is damaged") from error
        return KeyRing(kept) if any(one.place is KeyPlace.CURRENT for one in kept) else None

    def keep_key_ring(self, ring: KeyRing) -> None:
        """Keep these keys, in place of those before."""
        with self._connection:
            self._connection.execute("DELETE FROM signing_keys")
            self._connection.executemany(
                "INSERT INTO signing_keys VALUES (?, ?, ?)",
                [(kept.place.value, kept.key.dump(), kept.made_at_ms) for kept in ring.keys],
            )

    def _write(self, sql: str, *values: str | int | bytes | None) -> None:
        with self._connection:
            self._connection.execute(sql, values)

    def _rows(self, sql: str, *values: str | int | bytes | None) -> list[tuple[Any, ...]]:
        return list(self._connection.execute(sql, values))

    def _one(self, where: str, value: str) -> Subscriber | None:
        rows = self._rows(f"{_SELECT} WHERE {where}", value)
        return _subscriber(rows[0]) if rows else None


_SELECT = "SELECT id, name, digest, generation, suspended, stations FROM subscribers"


def _subscriber(row: tuple[Any, ...]) -> Subscriber:
    made, name, digest, generation, suspended, stations = row
    return Subscriber(
        id=made,
        name=name,
        digest=digest,
        generation=generation,
        suspended=bool(suspended),
        stations=tuple(msgspec.json.decode(stations, type=list[str])),
    )


def for_ever(what: str, *, package: bool = False) -> Entitlement:
    """An entitlement without a beginning and an end."""
    return Entitlement(what=what, package=package, from_ms=0, until_ms=FOR_EVER_MS)
