"""The calm after a round: all is mended, everybody comes back, and what must hold is held against the books."""

import asyncio
from collections.abc import Mapping

from blade_agent.backplane.role import Role
from chassis_emulator.campaign.battlefield import Battlefield
from chassis_emulator.campaign.books import DirectorBook, RegistryBook, differences
from chassis_emulator.campaign.errands import Operator
from chassis_emulator.campaign.errors import DoesNotHold, NoCalm
from chassis_emulator.network.launch import describe_missing

_LOOK_EVERY_S = 0.5
_AWAY = frozenset({"crashed", "stopped", "hung", "empty"})


class Calm:
    """What has to hold when nothing breaks any more."""

    def __init__(self, field: Battlefield, operator: Operator, patience_s: float) -> None:
        self._field = field
        self._operator = operator
        self._patience_s = patience_s
        self._epochs: dict[str, int] = {}

    async def come(self) -> float:
        """Mend everything and wait until all is well; gives the seconds that it took.

        Raises NoCalm: it is not, within the patience; DoesNotHold: something that no waiting mends.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._field.mend()
        while amiss := await self._amiss():
            if loop.time() - began > self._patience_s:
                raise NoCalm(self._patience_s, amiss)
            await asyncio.sleep(_LOOK_EVERY_S)
        scars = await asyncio.to_thread(lambda: list(self._field.scars()))
        if scars:
            raise DoesNotHold("; ".join(scars))
        return loop.time() - began

    async def _amiss(self) -> list[str]:
        """What is not well yet, the first kind of it: the later ones follow from it."""
        for row in await self._field.processes():
            if row.state in _AWAY:
                return [f"{row.name} is {row.state}"]
        if missing := describe_missing(await self._field.readiness()):
            return missing
        book = await self._field.registry()
        if broken := [*self._operator.broken_promises(book), *self._left_in_spool()]:
            return broken
        views = await self._field.views()
        return [*await self._director_trouble(views, book), *await self._disagreements(views, book)]

    def _left_in_spool(self) -> list[str]:
        """An ingest that has ended leaves nothing but downloads to go on with."""
        left = [path.name for path in self._field.spool.iterdir() if path.name != "downloads"]
        return [f"{name} is left in the spool" for name in sorted(left)]

    async def _director_trouble(self, views: Mapping[str, DirectorBook], book: RegistryBook) -> list[str]:
        """One director a station, and epochs that never fall. Raises DoesNotHold."""
        trouble = []
        rows = await self._field.processes()
        for chassis in self._field.plan.chassis:
            station = chassis.station
            directing = [row.name for row in rows if row.station == station and row.role == Role.DIRECTOR]
            if len(directing) != 1:
                trouble.append(f"{station} has {len(directing)} directors: {', '.join(directing) or 'none'}")
            if station not in views:
                trouble.append(f"the director of {station} does not answer")
                continue
            epoch = views[station].view.epoch
            if epoch < self._epochs.get(station, 0):
                raise DoesNotHold(f"the epoch of {station} fell from {self._epochs[station]} to {epoch}")
            if book.epochs.get(station) != epoch:
                trouble.append(f"{station} is in epoch {epoch}, for the registry in {book.epochs.get(station)}")
            self._epochs[station] = epoch
        return trouble

    async def _disagreements(self, views: Mapping[str, DirectorBook], book: RegistryBook) -> list[str]:
        found: list[str] = []
        for station, director in views.items():
            disks = await self._field.disks(director.view)
            found += differences(station, book.locations.get(station, {}), director, disks)
        return found
