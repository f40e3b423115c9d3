"""Answers by idempotency key: a message said twice is done once.

They are kept as long as the message may be said again, and no more of them than a bound of bytes.
"""

import asyncio
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Coroutine
from typing import NamedTuple

import msgspec

from media_network.refusal import Refused

KEPT_S = 60.0
"""No caller's deadline is longer."""
KEPT_BYTES_MAX = 4 * 1024 * 1024
_OVERHEAD_BYTES = 512
"""Of an answer in memory, beside what it says."""

Key = tuple[str, str, str]
"""Path of the verb, host of the caller, and its name for the message: who repeats another's hears nothing."""


class Answered(NamedTuple):
    """What a message was answered with."""

    refused: Refused | None
    body: bytes
    """The reply as JSON; empty where it was refused."""


class _Kept(NamedTuple):
    answer: Answered
    until_s: float
    weight_bytes: int


class KeptAnswers:
    """Those under way, and those given lately."""

    def __init__(self) -> None:
        self._under_way: dict[Key, asyncio.Task[Answered]] = {}
        self._kept: defaultdict[str, OrderedDict[Key, _Kept]] = defaultdict(OrderedDict)
        """By host those given first come first."""
        self._weights: Counter[str] = Counter()
        """Of what is kept, by host."""
        self.kept_bytes = 0
        """What all of it weighs."""

    async def once(self, key: Key, answer: Callable[[], Coroutine[None, None, msgspec.Struct]]) -> Answered:
        """What `answer` gives, which is called once a key. One that is cancelled or fails may be called again."""
        self._forget_old(key[1])
        if (of_host := self._kept.get(key[1])) and (kept := of_host.get(key)):
            return kept.answer
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._give(key, answer), name=f"answer {key[0]}")
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Shielded: one impatient caller must not undo the work that its repetition will wait for.
        return await asyncio.shield(task)

    async def stop(self) -> None:
        """Cancel what is still being answered: nobody can hear it any more."""
        unfinished = list(self._under_way.values())
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def _give(self, key: Key, answer: Callable[[], Coroutine[None, None, msgspec.Struct]]) -> Answered:
        answered = encoded(await answer())
        weight_bytes = _OVERHEAD_BYTES + len(answered.body)
        self._kept[key[1]][key] = _Kept(answered, asyncio.get_running_loop().time() + KEPT_S, weight_bytes)
        self._weights[key[1]] += weight_bytes
        self.kept_bytes += weight_bytes
        while self.kept_bytes > KEPT_BYTES_MAX:
            # Whoever says most loses his own: nobody can make others be forgotten.
            self._forget_oldest(max(self._weights, key=self._weights.__getitem__))
        return answered

    def _forget_old(self, host: str) -> None:
        now_s = asyncio.get_running_loop().time()
        while (kept := self._kept.get(host)) and next(iter(kept.values())).until_s <= now_s:
            self._forget_oldest(host)

    def _forget_oldest(self, host: str) -> None:
        _, oldest = self._kept[host].popitem(last=False)
        self._weights[host] -= oldest.weight_bytes
        self.kept_bytes -= oldest.weight_bytes
        if not self._kept[host]:
            del self._kept[host], self._weights[host]


def encoded(answer: msgspec.Struct) -> Answered:
    """An answer as it travels."""
    if isinstance(answer, Refused):
        return Answered(answer, b"")
    return Answered(None, msgspec.json.encode(answer))
