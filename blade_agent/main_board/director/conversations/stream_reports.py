"""What engines say of the streams that they send, as the events of sessions; and what they are to stop."""

import asyncio
from collections.abc import Collection, Iterable, Mapping

from blade_agent.main_board.director.conversations.conversation import Conversation
from blade_agent.main_board.director.engines.roster import EngineRecord, Roster
from blade_agent.main_board.director.sessions.events import EngineLost, SenderReported, SenderUnnamed, TurnAssumed
from blade_agent.main_board.director.sessions.mark import Mark
from media_network.address import Address
from media_network.messages.enlisting import Report
from media_network.messages.streaming import StreamCursor


class StreamReports:
    """Leads what engines report to the sessions that it is about."""

    def __init__(
        self,
        roster: Roster,
        conversations: Mapping[str, Conversation],
        at: Mapping[Address, Mapping[str, Conversation]],
    ) -> None:
        """`conversations` are all, by session; `at` has those that each engine has in its load."""
        self._roster = roster
        self._conversations = conversations
        self._at = at

    def take(self, message: Report, engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """Take note of an engine's streams; returns those that it has to stop, or may not start."""
        now = asyncio.get_running_loop().time()
        clock_us, since_us = message.clock_us, message.since_us
        sent_at = None if clock_us is None or since_us is None else min(now, (clock_us + since_us) / 1e6)
        revoked = self.revoked(message.streams, engine)
        for cursor in message.streams:
            conversation = self._conversations.get(cursor.session)
            if conversation and sent_at is not None and cursor.reach is not None:
                until = sent_at + (cursor.tick_us or 0) / 1e6
                mark = Mark(turn=cursor.turn, segment=cursor.segment, packet=cursor.reach, until=until)
                conversation.hear(SenderReported(mark))
        self.miss({(cursor.session, cursor.turn) for cursor in message.streams}, engine, sent_at)
        return revoked

    def count(self, engine: Address) -> int:
        """Streams that an engine sends."""
        senders = (conversation.session.state.sender for conversation in self._at.get(engine, {}).values())
        return sum(1 for sender in senders if sender and sender.engine == engine)

    def lose_engine(self, engine: Address, boot: str, *, gone: bool) -> None:
        """An engine has fallen silent: its streams resume elsewhere.

        If its lease is over too, or a new boot took its place, it is `gone` and has forgotten what it preloaded.
        """
        for conversation in list(self._at.get(engine, {}).values()):
            conversation.hear(EngineLost(engine=engine, boot=boot, gone=gone))

    def revoked(self, cursors: Iterable[StreamCursor], engine: EngineRecord) -> tuple[StreamCursor, ...]:
        """What an engine is not to send, or to begin sending.

        A turn whose end is being found out is named whether or not the engine did: it may not hear `CEASE`, and could
        otherwise renew its lease without a word of a turn that it starts only later.
        """
        settling = (each.session.state.settling for each in self._at.get(engine.address, {}).values())
        named = zip(self._at.get(engine.address, {}), settling, strict=True)
        revoked = [
            StreamCursor(session=name, turn=turn.number, segment=turn.segment, packet=turn.packet)
            for name, turn in named
            if turn and turn.engine == engine.address
        ]
        for cursor in cursors:
            conversation = self._conversations.get(cursor.session)
            if conversation:
                # Whoever speaks of a turn as its sender has assumed it, if its `ASSUMED` has yet to come.
                conversation.hear(TurnAssumed(turn=cursor.turn))
            if conversation is None or not conversation.session.sends(cursor.turn):
                revoked.append(cursor)
        return tuple(revoked)

    def miss(self, named: Collection[tuple[str, int]], engine: EngineRecord, sent_at: float | None) -> None:
        """Tell each session that this engine should be sending, and has not named.

        `sent_at`: when it can have said so at the earliest; None where that is not known.
        """
        for name, conversation in list(self._at.get(engine.address, {}).items()):
            state = conversation.session.state
            sender = state.sender
            if sender and sender.engine == engine.address and (name, sender.number) not in named:
                answers = all(self._roster.answers(turn.engine, turn.boot) for turn in state.turns[1:])
                conversation.hear(SenderUnnamed(next_answers=answers, sent_at=sent_at))
