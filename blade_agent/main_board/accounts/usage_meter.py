"""What a blade sends to viewers, as records (claim 6): each turn of a stream, and what each player fetched in a while.

Beside the records stands what counters of bytes say at the same moment, so that one can be checked by the other.
"""

import random
from collections.abc import Callable

from blade_agent.main_board.accounts.usage_outbox import UsageOutbox
from media_network.fields import ProgramId
from media_network.messages.billing import FIRST_PULLED_TURN, BytesCounted, UsageRecord

_DRAWN_BITS = 51
"""A number of its own for each, within a session and an epoch, that JSON's numbers hold exactly."""


class PulledPart:
    """A part of a segment that a player is fetching."""

    def __init__(self, session: str, epoch: int, program: ProgramId, began_at_ms: int) -> None:
        self.session = session
        self.epoch = epoch
        self.program = program
        self.began_at_ms = began_at_ms
        self.sent_bytes = 0


class UsageMeter:
    """Makes the records of an engine."""

    def __init__(self, outbox: UsageOutbox, engine: str, rng: random.Random, now_ms: Callable[[], int]) -> None:
        """`engine` is its address, `host:port`."""
        self._outbox = outbox
        self._engine = engine
        self._boot = f"{rng.getrandbits(64):016x}"
        self._rng = rng
        self.now_ms = now_ms
        self._pulled_bytes = 0
        self._parts: set[PulledPart] = set()
        self._pulled: dict[tuple[str, int, ProgramId], UsageRecord] = {}
        self.pushed_bytes: Callable[[], int] = int
        """What the counter of streams says, since the agent's start."""
        self.under_way_bytes: Callable[[], int] = int
        """Of them, in turns that are not over."""
        self._told = (0, 0)
        outbox.before_writing = self._settle

    def turn_ended(
        self, *, session: str, epoch: int, turn: int, program: ProgramId, sent_bytes: int, began_at_ms: int
    ) -> None:
        """A turn of a stream is over here."""
        self._outbox.add_usage(
            UsageRecord(
                session=session,
                epoch=epoch,
                turn=turn,
                program=program,
                engine=self._engine,
                boot=self._boot,
                sent_bytes=sent_bytes,
                began_at_ms=began_at_ms,
                ended_at_ms=self.now_ms(),
            )
        )

    def pull_began(self, session: str, epoch: int, program: ProgramId) -> PulledPart:
        """A player fetches a part of a segment."""
        part = PulledPart(session, epoch, program, self.now_ms())
        self._parts.add(part)
        return part

    def pulled(self, part: PulledPart, sent_bytes: int) -> None:
        """So much more of it was sent."""
        part.sent_bytes += sent_bytes
        self._pulled_bytes += sent_bytes

    def pull_ended(self, part: PulledPart) -> None:
        """It has all of it, or has left; what it fetches until the next transaction is one record."""
        self._parts.discard(part)
        if not part.sent_bytes:
            return
        key = part.session, part.epoch, part.program
        before = self._pulled.get(key)
        self._pulled[key] = UsageRecord(
            session=part.session,
            epoch=part.epoch,
            turn=before.turn if before else FIRST_PULLED_TURN + self._rng.getrandbits(_DRAWN_BITS),
            program=part.program,
            engine=self._engine,
            boot=self._boot,
            sent_bytes=part.sent_bytes + (before.sent_bytes if before else 0),
            began_at_ms=before.began_at_ms if before else part.began_at_ms,
            ended_at_ms=self.now_ms(),
        )
        self._outbox.wake()

    def _settle(self) -> None:
        """What was fetched becomes records, and the counter is told with them, if it says anything new."""
        pulled, self._pulled = self._pulled, {}
        for used in pulled.values():
            self._outbox.add_usage(used)
        sent_bytes = self.pushed_bytes() + self._pulled_bytes
        under_way_bytes = self.under_way_bytes() + sum(part.sent_bytes for part in self._parts)
        if (sent_bytes, under_way_bytes) == self._told:
            return
        self._told = sent_bytes, under_way_bytes
        self._outbox.add_count(
            BytesCounted(
                engine=self._engine,
                boot=self._boot,
                sent_bytes=sent_bytes,
                under_way_bytes=under_way_bytes,
                at_ms=self.now_ms(),
            )
        )
