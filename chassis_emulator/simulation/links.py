"""What is between hosts: what each way is like, what is cut, and when things come across it."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context
from typing import Any, Protocol

from chassis_emulator.simulation.conditions import WITHIN_A_HOST, Conditions
from chassis_emulator.simulation.hosts import Endpoint, Host
from chassis_emulator.simulation.loop import SimulatedLoop
from chassis_emulator.simulation.trace import Trace


class Stalled(Protocol):
    """Something under way that a cut, or a host that is down, holds up."""

    def retry(self) -> None:
        """Something has healed: find out whether it was this."""


class Links:
    """The ways between all hosts, each direction by itself."""

    def __init__(
        self,
        loop: SimulatedLoop,
        rng: random.Random,
        trace: Trace,
        *,
        weather: Conditions | None = None,
        bandwidth_bps: float = 1e9,
        stream_timeout_s: float = 924.6,
    ) -> None:
        """`weather` holds on every link that `set_conditions` says nothing of.

        `bandwidth_bps` is that of each host's interface; `stream_timeout_s` is how long a stream bears silence (the
        default is that of Linux with tcp_retries2 15).
        """
        self.loop = loop
        self.rng = rng
        self.weather = weather or Conditions()
        self.bandwidth_bps = bandwidth_bps
        self.stream_timeout_s = stream_timeout_s
        self.stalled: dict[Stalled, None] = {}
        self.taps: list[Callable[[Endpoint, Endpoint, Sequence[bytes]], None]] = []
        """Shown every datagram as it is sent: source, target, and those of one call. What befalls it comes after."""
        self.stream_taps: list[Callable[[bytes], None]] = []
        """Shown what arrives in streams, chunk by chunk."""
        self._special: dict[tuple[Host, Host], Conditions] = {}
        self._cuts: Counter[tuple[Host, Host]] = Counter()
        self._trace = trace
        self._nobody = Context()

    # What they are like

    def conditions(self, source: Host, sink: Host) -> Conditions:
        """What the way from `source` to `sink` is like."""
        if source is sink:
            return WITHIN_A_HOST
        return self._special.get((source, sink), self.weather) if self._special else self.weather

    def set_conditions(self, source: Host, sink: Host, conditions: Conditions | None) -> None:
        """Make one direction of a link special, or with None like all others."""
        if conditions:
            self._special[source, sink] = conditions
        else:
            self._special.pop((source, sink), None)

    def departure(self, source: Host, sink: Host, size_bytes: int) -> float:
        """When so many bytes, sent now, have left the source's interface. Everything a host sends queues there."""
        if source is sink:
            return self.now_s
        source.sent_bytes += size_bytes
        begins_s = max(self.now_s, source.line_free_at_s)
        source.line_free_at_s = begins_s + size_bytes * 8 / self.bandwidth_bps
        return source.line_free_at_s

    # What is cut

    def cut(self, sources: Iterable[Host], sinks: Iterable[Host]) -> Callable[[], None]:
        """Let nothing through from `sources` to `sinks`, until the returned function is called. Cuts may overlap."""
        pairs = [(source, sink) for source in sources for sink in sinks if source is not sink]
        self._cuts.update(pairs)

        def heal() -> None:
            self._cuts.subtract(pairs)
            self._cuts = +self._cuts
            self.retry_stalled()

        return heal

    def partition(self, one_side: Iterable[Host], other_side: Iterable[Host]) -> Callable[[], None]:
        """Cut both ways, until the returned function is called."""
        one_side, other_side = list(one_side), list(other_side)
        heals = self.cut(one_side, other_side), self.cut(other_side, one_side)

        def heal() -> None:
            for each in heals:
                each()

        return heal

    def is_cut(self, source: Host, sink: Host) -> bool:
        """Whether nothing gets from `source` to `sink`."""
        return bool(self._cuts) and (source, sink) in self._cuts

    def retry_stalled(self) -> None:
        """Something has healed: all that is held up tries again."""
        stalled, self.stalled = self.stalled, {}
        for each in stalled:
            each.retry()

    # What happens on them

    @property
    def now_s(self) -> float:
        """Virtual time."""
        return self.loop.time()

    def at(self, when_s: float, callback: Callable[..., None], *args: Any) -> None:
        """Let something happen on the wire, whoever lives then."""
        self.loop.call_at(when_s, callback, *args, context=self._nobody)

    def trace(self, what: str, source: str, sink: str = "", content: bytes = b"") -> None:
        """Note what happened."""
        self._trace.add(self.loop.time(), what, source, sink, content)
