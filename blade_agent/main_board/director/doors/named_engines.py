"""Addresses of segments that name the engines themselves, where a station's settings say so.

Players then come to the director for playlists only. What an engine's loss costs is theirs: a playlist of a whole film
is not asked for again, so that a player that follows it stays with the engines that there were.
"""

from zlib import crc32

from blade_agent.main_board.director.doors.playlists import AddressOf
from blade_agent.main_board.director.engines.engine_choice import EngineChoice
from blade_agent.main_board.director.term import Term
from media_network.program import Program
from media_network.segment_url import segment_url


class NamedEngines:
    """Spreads the segments of a program over the engines that hold them."""

    def __init__(self, term: Term, choice: EngineChoice) -> None:
        self._term = term
        self._choice = choice

    def address(self, program: Program, session: str, otherwise: AddressOf, number: int) -> str:
        """One segment after the other from the next of its holders, each session beginning with another one.

        What no engine holds that stays is asked for at the director: `otherwise`.
        """
        holders = self._choice.roster.live(self._choice.holders.engines_with(program.cut, number))
        staying = sorted((engine for engine in holders if not engine.draining), key=lambda engine: engine.slot)
        if not staying:
            return otherwise(number)
        engine = staying[(crc32(session.encode()) + number) % len(staying)]
        return segment_url(engine.media, program.cut, number, self._term.tickets.sign(session, program.name))
