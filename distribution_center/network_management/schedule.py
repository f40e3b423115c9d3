"""When which agent is polled: spread over the interval, each at its own moment, never twice at a time. No I/O."""

import heapq
import zlib


class PollSchedule:
    """Moments are seconds of one clock, the event loop's."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []
        self._under_way: set[str] = set()
        self._again: set[str] = set()
        """Hurried while they were under way."""

    def watch(self, agents: set[str], now: float) -> None:
        """Poll these and no others from now on; a new one at once, then at its own moment of every interval."""
        for agent in set(self._due) - agents:
            self.leave(agent)
        for agent in sorted(agents):
            self.add(agent, now)

    def add(self, agent: str, now: float) -> None:
        """Poll this too; one that is polled is left as it is."""
        if agent in self._due:
            return
        if agent in self._under_way:  # it had been taken off the list meanwhile
            self._due[agent] = float("inf")
        else:
            self._set(agent, now)

    def leave(self, agent: str) -> None:
        """Poll it no more."""
        self._due.pop(agent, None)

    def hurry(self, agent: str, now: float) -> None:
        """It has said that something happened: poll it as soon as possible."""
        if agent in self._under_way:
            self._again.add(agent)
        elif self._due.get(agent, now) > now:
            self._set(agent, now)

    def next_at(self) -> float | None:
        """When the next poll is due; None while there is none."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)  # removed, or moved since
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> str | None:
        """One agent that is due, which is under way from now on."""
        at = self.next_at()
        if at is None or at > now:
            return None
        agent = heapq.heappop(self._heap)[1]
        self._under_way.add(agent)
        self._due[agent] = float("inf")
        return agent

    def done(self, agent: str, now: float) -> None:
        """Its poll has ended. What was missed meanwhile is not made up for."""
        self._under_way.discard(agent)
        if agent in self._due:
            hurried = agent in self._again
            self._set(agent, now if hurried else self._next_moment(agent, now))
        self._again.discard(agent)

    def _set(self, agent: str, at: float) -> None:
        self._due[agent] = at
        heapq.heappush(self._heap, (at, agent))

    def _next_moment(self, agent: str, now: float) -> float:
        """Agents' moments lie evenly spread, and stay where they are."""
        offset = zlib.crc32(agent.encode()) / (1 << 32) * self._interval_s
        beats = (now - offset) // self._interval_s + 1
        return beats * self._interval_s + offset
