"""What is remembered of turns that are over, so that none is ever sent again."""

from collections import OrderedDict
from dataclasses import dataclass

from media_network.messages.streaming import StreamCursor

_SESSIONS_REMEMBERED = 16_384


@dataclass
class _Past:
    over: int = -1
    """Turns up to this one were ceased."""
    started: int = -1
    """The newest that was started here."""
    cursor: StreamCursor | None = None
    """Where the newest that ended here stood."""


class TurnMemory:
    """The past of the sessions heard of last; those longest unheard of are forgotten first."""

    def __init__(self, sessions_max: int = _SESSIONS_REMEMBERED) -> None:
        self._sessions_max = sessions_max
        self._past: OrderedDict[str, _Past] = OrderedDict()

    def is_over(self, session: str, turn: int) -> bool:
        """Whether the turn was ceased, or a later one started."""
        past = self._past.get(session)
        return past is not None and (turn <= past.over or turn < past.started)

    def was_started(self, session: str, turn: int) -> bool:
        """Whether this very turn is the newest that was started here."""
        past = self._past.get(session)
        return past is not None and turn == past.started

    def cursor(self, session: str, turn: int) -> StreamCursor | None:
        """Where a turn that ended here stood; None if it was not sent here, or is not the newest that was."""
        past = self._past.get(session)
        return past.cursor if past and past.cursor and past.cursor.turn == turn else None

    def cease(self, session: str, turn: int) -> None:
        """Note that nothing up to this turn is to be sent any more."""
        past = self._recall(session)
        past.over = max(past.over, turn)

    def start(self, session: str, turn: int) -> None:
        """Note that a turn was started."""
        past = self._recall(session)
        past.started = max(past.started, turn)

    def end(self, cursor: StreamCursor) -> None:
        """Note where a turn ended."""
        past = self._recall(cursor.session)
        if past.cursor is None or cursor.turn >= past.cursor.turn:
            past.cursor = cursor

    def _recall(self, session: str) -> _Past:
        past = self._past.setdefault(session, _Past())
        self._past.move_to_end(session)
        if len(self._past) > self._sessions_max:
            self._past.popitem(last=False)
        return past
