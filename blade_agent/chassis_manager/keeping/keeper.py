"""What a chassis has to have on disk, written while it goes on being managed: a slow disk stops nobody."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from blade_agent.chassis_manager.keeping.epoch_file import keep_epoch, read_epoch
from blade_agent.chassis_manager.keeping.journal import Journal, journal_octets, read_journal
from media_network.durable_file import DurableFile

logger = logging.getLogger(__name__)

_JOURNAL_REBUILT = "power stays as the blades have it; those that were taken out on purpose may come back into service"


class ToBeKept(Protocol):
    """What a chassis has to have on disk, and how it learns whether it is there."""

    @property
    def keep_due(self) -> float | None:
        """When something has to be kept on disk; None when all is."""
        ...

    @property
    def all_orders_kept(self) -> bool:
        """Whether nothing was ordered that is not on disk."""
        ...

    def epoch_to_keep(self, now: float) -> int | None:
        """Give the epoch that has to be kept now."""
        ...

    def epoch_kept(self, epoch: int) -> None:
        """Note that this epoch is on disk."""
        ...

    def epoch_not_kept(self, now: float) -> None:
        """Note that the disk did not take it."""
        ...

    def journal_to_keep(self, now: float) -> bytes | None:
        """Give the journal, if it has to be written now."""
        ...

    def journal_kept(self) -> None:
        """Note that it is on disk."""
        ...

    def journal_not_kept(self, now: float) -> None:
        """Note that the disk did not take it."""
        ...


class Keeper:
    """The epoch and the journal of one chassis."""

    def __init__(self, epoch_file: Path, journal_file: Path) -> None:
        self._epoch_file = epoch_file
        self._journal_file = DurableFile(journal_file, read_journal, rebuilt=_JOURNAL_REBUILT)
        self._wake = asyncio.Event()
        self._waiting: list[Callable[[], None]] = []

    async def read(self) -> tuple[int, Journal]:
        """Give what was kept, as far as it can be used. Raises OSError."""
        loop = asyncio.get_running_loop()
        epoch = await loop.run_in_executor(None, read_epoch, self._epoch_file)
        found = await loop.run_in_executor(None, self._journal_file.read_and_restore, journal_octets)
        return epoch, found.value or Journal()

    def look(self) -> None:
        """There may be something to write."""
        self._wake.set()

    def when_kept(self, call: Callable[[], None]) -> None:
        """Call once, as soon as all that has been ordered so far is on disk."""
        self._waiting.append(call)
        self._wake.set()

    async def run(self, chassis: ToBeKept, kept: Callable[[], None]) -> None:
        """Write until cancelled; `kept` is called when something that was waited for is on disk."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._keep_epoch(chassis, kept)
            await self._keep_journal(chassis, kept)
            due = chassis.keep_due
            if due is not None:
                await asyncio.sleep(max(0.0, due - loop.time()))
                self._wake.set()

    async def _keep_epoch(self, chassis: ToBeKept, kept: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        epoch = chassis.epoch_to_keep(loop.time())
        if epoch is None:
            return
        try:
            await loop.run_in_executor(None, keep_epoch, self._epoch_file, epoch)
        except OSError as error:
            logger.error("no director can be appointed: epoch %d is not kept: %s", epoch, error)  # noqa: TRY400 - the sentence says it all
            chassis.epoch_not_kept(loop.time())
        else:
            chassis.epoch_kept(epoch)
            kept()

    async def _keep_journal(self, chassis: ToBeKept, kept: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        octets = chassis.journal_to_keep(loop.time())
        if octets is not None:
            try:
                await loop.run_in_executor(None, self._journal_file.keep, octets)
            except OSError as error:
                logger.error("what was ordered is not kept: %s", error)  # noqa: TRY400 - the sentence says it all
                chassis.journal_not_kept(loop.time())
                return
            chassis.journal_kept()
            kept()
        if chassis.all_orders_kept:
            waiting, self._waiting = self._waiting, []
            for call in waiting:
                call()
