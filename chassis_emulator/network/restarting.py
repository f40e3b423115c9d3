"""Restart processes of a network: each ends in order and is started again, its line and its state as they are."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from chassis_emulator.network.control import RESTART, Restart, Restarted
from chassis_emulator.processes.processes import Process, Processes
from media_network.local_orders import Answer
from media_network.messages.verb import Verb
from media_network.refusal import Reason, Refused


class RestartDesk:
    """What the environment answers to `restart`."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes

    @property
    def answers(self) -> Mapping[Verb[Any, Any], Answer]:
        """By verb."""
        return {RESTART: self._restart}

    async def _restart(self, order: Restart) -> Restarted | Refused:
        named: dict[str, Process] = {}
        for name in order.names:
            found = self._named(name)
            if not found:
                known = ", ".join([*self._stations(), *self._processes.by_name])
                return Refused(Reason.UNABLE, f"{name!r} is neither a process nor a station; there are: {known}")
            if reason := _obstacle(found):
                return Refused(Reason.UNABLE, reason)
            named |= {process.name: process for process in found}
        wanted: Sequence[Process] = list(named.values()) if order.names else self._processes.all
        chosen = [process for process in wanted if process.wanted and not process.hung]
        await asyncio.gather(*map(self._processes.restart, chosen))
        return Restarted(tuple(process.name for process in chosen))

    def _named(self, name: str) -> list[Process]:
        """A process, or all of a station's."""
        one = self._processes.by_name.get(name)
        return [one] if one else [each for each in self._processes.all if each.place.station == name]

    def _stations(self) -> list[str]:
        return list(dict.fromkeys(each.place.station for each in self._processes.all if each.place.station))


def _obstacle(found: Sequence[Process]) -> str:
    """Why one that was named by itself cannot be restarted; of a station, those are left out that cannot."""
    if len(found) != 1:
        return ""
    [process] = found
    if process.hung:
        return f"{process.name} hangs, by a fault that has to be cleared first"
    if not process.wanted:
        why = "there is no blade in its slot" if "out" in process.held_by else "a fault keeps it down"
        return f"{process.name} cannot be restarted: {why}"
    return ""
