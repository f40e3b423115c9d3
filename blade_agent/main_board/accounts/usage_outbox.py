"""The outbox of a blade (claim 6): records of what was viewed wait on its disk until the ledger has acknowledged them.

A record is delivered at least once; the ledger knows it again by its key. With billing away for days nothing is lost,
and nobody waits. What has not come to the disk yet is written in a moment, all of it in one transaction.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from blade_agent.main_board.accounts.kept_rows import KeptRows, Row
from media_network.address import Address
from media_network.files import Files
from media_network.http.client import HttpClient
from media_network.messages.billing import (
    DELIVER_USAGE,
    RECORDS_MAX,
    BytesCounted,
    DeliverUsage,
    UsageRecord,
    ViewingRecord,
)
from media_network.os_trouble import in_words

logger = logging.getLogger(__name__)

USAGE_FILE = "usage.sqlite"
_LOST = "records that were not delivered are lost, and show as a difference in `distribution-center reconcile`"
_VIEWING, _USAGE, _COUNTED = "viewing", "usage", "counted"
_WAITING_MAX = 50_000
"""Records that a disk which takes nothing may owe."""
_PAUSE_S = 0.5
"""Between two transactions."""
_AGAIN_S, AGAIN_MAX_S = 2.0, 30.0
_DELIVERED_WITHIN_S = 10.0

_Record = TypeVar("_Record", bound=Struct)


class UsageOutbox:
    """Keeps records, and hands them over."""

    def __init__(self, ledger: Address, state: Path, files: Files) -> None:
        self._ledger = ledger
        self._file = KeptRows(files, state / USAGE_FILE, _LOST)
        self._waiting: deque[Row] = deque(maxlen=_WAITING_MAX)
        self._next: list[Row] = []
        """What is being delivered: as long as billing is away, the same."""
        self._to_write = asyncio.Event()
        self._to_deliver = asyncio.Event()
        self._writing = asyncio.Lock()
        self.again_max_s = AGAIN_MAX_S
        """Billing that is away is asked again more and more seldom, but after so long at last."""
        self.before_writing: Callable[[], None] = _add_nothing
        """Called before each transaction: what belongs into the same one is added."""

    def add_viewing(self, viewing: ViewingRecord) -> None:
        """A viewer was let in."""
        self._add(Row(_VIEWING, viewing.session, msgspec.json.encode(viewing)))

    def add_usage(self, used: UsageRecord) -> None:
        """Something was sent."""
        self._add(Row(_USAGE, f"{used.session}/{used.epoch}/{used.turn}", msgspec.json.encode(used)))

    def add_count(self, counted: BytesCounted) -> None:
        """What the counter of a boot says; it takes the place of what it said before."""
        self._add(Row(_COUNTED, counted.boot, msgspec.json.encode(counted)))

    def wake(self) -> None:
        """There is something to write."""
        self._to_write.set()

    async def run(self, http: HttpClient) -> None:
        """Write and deliver until cancelled."""
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._file.take_stock)
        except OSError as error:
            logger.warning("the outbox of usage records cannot be looked at: %s", in_words(error))
        self._to_deliver.set()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._write_on(), name="write usage")
            tasks.create_task(self._deliver_on(http), name="deliver usage")

    async def flush(self) -> None:
        """Have all of it on the disk, if that takes it."""
        async with self._writing:
            self.before_writing()
            rows = list(self._waiting)
            if not rows:
                return
            try:
                await asyncio.get_running_loop().run_in_executor(None, self._file.keep, rows)
            except OSError as error:
                logger.warning("%d usage records cannot be written, and wait: %s", len(rows), in_words(error))
                return
            for _ in rows:
                self._waiting.popleft()
            self._to_deliver.set()

    def _add(self, row: Row) -> None:
        if len(self._waiting) == _WAITING_MAX:
            logger.warning("a usage record is lost: %d wait for the disk", _WAITING_MAX)
        self._waiting.append(row)
        self._to_write.set()

    async def _write_on(self) -> None:
        while True:
            await self._to_write.wait()
            self._to_write.clear()
            await self.flush()
            if self._waiting:
                self._to_write.set()  # the disk did not take them
            await asyncio.sleep(_PAUSE_S)

    async def _deliver_on(self, http: HttpClient) -> None:
        pause_s, trouble = _AGAIN_S, False
        while True:
            await self._to_deliver.wait()
            self._to_deliver.clear()
            delivered = await self._deliver_all(http)
            if trouble is delivered:
                trouble = not delivered
                if trouble:
                    logger.warning("billing at %s takes no usage records: they wait", self._ledger)
                else:
                    logger.info("billing at %s takes usage records again", self._ledger)
            if delivered:
                pause_s = _AGAIN_S
            else:
                self._to_deliver.set()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self.again_max_s)

    async def _deliver_all(self, http: HttpClient) -> bool:
        """Whether nothing that was to be delivered is left."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                self._next = self._next or await loop.run_in_executor(None, self._first)
                if not self._next:
                    return True
                taken = await http.tell(
                    self._ledger,
                    DELIVER_USAGE,
                    _delivery(self._next),
                    deadline_s=_DELIVERED_WITHIN_S,
                    while_refused=False,
                )
                if taken is None:
                    return False
                await loop.run_in_executor(None, self._file.remove, self._next)
                self._next = []
            except OSError as error:
                logger.warning("the outbox of usage records cannot be read: %s", in_words(error))
                return False

    def _first(self) -> list[Row]:
        return [row for kind in (_VIEWING, _USAGE, _COUNTED) for row in self._file.first(kind, RECORDS_MAX)]


def _add_nothing() -> None:
    """Nobody counts."""


def _delivery(rows: list[Row]) -> DeliverUsage:
    return DeliverUsage(
        viewings=_decoded(rows, _VIEWING, ViewingRecord),
        usage=_decoded(rows, _USAGE, UsageRecord),
        counted=_decoded(rows, _COUNTED, BytesCounted),
    )


def _decoded(rows: list[Row], kind: str, record: type[_Record]) -> tuple[_Record, ...]:
    """Those of a kind that make sense; the others go with them."""
    found = []
    for row in rows:
        if row.kind == kind:
            try:
                found.append(msgspec.json.decode(row.octets, type=record))
            except msgspec.MsgspecError:
                logger.warning("a usage record makes no sense, and is left out: %s", row.key)
    return tuple(found)
