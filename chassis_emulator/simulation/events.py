"""What the loop runs: callbacks and tasks that know the boot they belong to."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar, cast

from chassis_emulator.simulation.hosts import CURRENT_BOOT, Boot

_T = TypeVar("_T")

_CLOSES_MAX = 20


class SimulatedHandle(asyncio.TimerHandle):
    """A callback to run, and the boot it belongs to.

    A run makes a hundred thousand, so it says in one call each what asyncio's two classes say in three.
    """

    __slots__ = ("boot",)

    boot: Boot | None
    _callback: Callable[..., object] | None
    _context: Context

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: Sequence[Any],
        loop: asyncio.AbstractEventLoop,
        context: Context,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = context
        self._cancelled = False
        self._scheduled = False
        self._repr = None
        self._source_traceback = None
        self.boot = context.get(CURRENT_BOOT)

    def cancel(self) -> None:
        """As asyncio's."""
        self._cancelled = True
        self._callback = None
        self._args = ()

    def run(self) -> None:
        """Call it in its context; what it raises goes to the loop's handler, as asyncio's `_run` does it."""
        try:
            self._context.run(self._callback, *self._args)  # type: ignore[arg-type] # it is none only when cancelled
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 -- a callback has nobody else to raise to
            self._loop.call_exception_handler({"message": f"Exception in {self!r}", "exception": error, "handle": self})

    def run_if_live(self) -> None:
        """Call it, late, unless it has been cancelled since."""
        if self.is_live():
            self.run()

    def is_live(self) -> bool:
        """Whether it is still to run. What a dead boot had scheduled is kept with it, see `Boot.kept`."""
        if self._cancelled:
            return False
        boot = self.boot
        if boot is None or boot.alive:
            return True
        boot.kept.append(self)
        return False


class SimulatedTask(asyncio.Task[_T]):
    """A task that knows its boot, and hashes by its number so that the order of a set of tasks is always the same."""

    def __init__(
        self,
        coro: Coroutine[Any, Any, _T],
        *,
        loop: asyncio.AbstractEventLoop,
        number: int,
        name: str | None,
        context: Context,
    ) -> None:
        self.number = number
        self.context = context
        self.boot = context.get(CURRENT_BOOT)
        super().__init__(coro, loop=loop, name=name or f"task {number}", context=context)

    def __hash__(self) -> int:
        return self.number

    def bury(self) -> None:
        """Close what is left of it after the run. Python runs its `finally` blocks then: nothing can hear them."""
        self._log_destroy_pending = False
        coroutine = cast("Coroutine[Any, Any, _T]", self.get_coro())
        for _ in range(_CLOSES_MAX):  # a `finally` that awaits makes `close` raise, and stands at the next await
            with suppress(Exception, asyncio.CancelledError):
                self.context.run(coroutine.close)
                return
