"""Blows as they fall on real processes, and how each is mended."""

import asyncio
import os
import signal
from contextlib import suppress

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.battlefield import Battlefield
from chassis_emulator.campaign.errors import DoesNotHold
from chassis_emulator.campaign.strikes import Aim, Blow, Strike
from chassis_emulator.chassis.orders import BEGIN_FAULT, INSERT, PULL, BeginFault, InsertBlade, PullBlade
from chassis_emulator.faults.kinds import Crash, Hang
from chassis_emulator.network.control import REVIVE, ProcessRow, Revive

_ENDS_WITHIN_S = 30.0
"""A process that is told to end has that long, on a busy machine, and beside whatever else befalls it."""
_LOOK_EVERY_S = 0.1
_ENDED_WELL = frozenset({0, -signal.SIGKILL})
"""Told to end, or killed before it had."""


class Assailant:
    """Strikes, and mends what it struck."""

    def __init__(self, field: Battlefield, account: Account) -> None:
        self._field = field
        self._account = account

    async def strike(self, strike: Strike) -> None:
        """Let one blow fall at its moment, and mend it. Raises DoesNotHold: who was told to end has not."""
        await asyncio.sleep(max(0.0, strike.at_s - self._account.at_s))
        victim = await self._victim(strike)
        if victim.pid is None:
            self._account.tell(f"{strike.blow} {victim.name}: nothing is left to hit, it is {victim.state}")
            return
        directs = f", who directs {strike.station}" if strike.aim is Aim.DIRECTOR else ""
        back = f"mended after {strike.mended_after_s:g} s"
        self._account.tell(f"{strike.blow} {victim.name}{directs} (process {victim.pid}), {back}")
        if strike.blow is Blow.PULL:
            await self._pull(victim, strike.mended_after_s)
        elif strike.blow is Blow.TERMINATE:
            await self._terminate(victim, victim.pid, strike.mended_after_s)
        else:
            kill = strike.blow is Blow.KILL
            fault = Crash(target=victim.name) if kill else Hang(target=victim.name)
            await self._field.tell(BEGIN_FAULT, BeginFault(fault=fault, for_s=strike.mended_after_s))
            await asyncio.sleep(strike.mended_after_s)

    async def _victim(self, strike: Strike) -> ProcessRow:
        if strike.aim is Aim.CENTER:
            return await self._field.process(self._field.plan.center.name)
        if strike.aim is Aim.MANAGER:
            return await self._field.process(f"{strike.station}/manager")
        director = await self._field.director(strike.station) if strike.aim is Aim.DIRECTOR else None
        return director or await self._field.process(f"{strike.station}/{strike.slot}")

    async def _pull(self, victim: ProcessRow, out_s: float) -> None:
        await self._field.tell(PULL, PullBlade(blade=victim.name, surprise=True))
        await asyncio.sleep(out_s)
        await self._field.tell(INSERT, InsertBlade(victim.name))

    async def _terminate(self, victim: ProcessRow, pid: int, away_s: float) -> None:
        with suppress(ProcessLookupError):  # another blow was faster
            os.kill(pid, signal.SIGTERM)
        give_up_at = asyncio.get_running_loop().time() + _ENDS_WITHIN_S
        while (now := await self._field.process(victim.name)).pid == pid:
            if asyncio.get_running_loop().time() > give_up_at:
                raise DoesNotHold(f"{victim.name} was told to end, and goes on after {_ENDS_WITHIN_S:g} s")
            await asyncio.sleep(_LOOK_EVERY_S)
        if now.exit_code is not None and now.exit_code not in _ENDED_WELL:
            raise DoesNotHold(f"{victim.name} was told to end, and ended with {now.exit_code}; its log is {now.log}")
        await asyncio.sleep(away_s)
        await self._field.tell(REVIVE, Revive())
