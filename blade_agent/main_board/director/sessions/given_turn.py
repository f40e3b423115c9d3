"""A turn of a stream: it is given to one engine, once, and the numbers of a session's turns only grow."""

from msgspec import Struct

from blade_agent.main_board.director.sessions.course import NORMAL, Course
from blade_agent.main_board.director.sessions.position import Position
from media_network.address import Address
from media_network.messages.streaming import Exchange
from media_network.program import Program
from media_network.rtp import RtpPlace


class GivenTurn(Struct, frozen=True, kw_only=True):
    """What was given to an engine: to send from `packet` of `segment` to the end of that segment.

    At another speed than the program's own its packets are those of the turn: see `Course`.
    """

    number: int
    engine: Address
    boot: str
    segment: int
    packet: int
    given_at: float
    """By the event loop's time, in seconds."""
    reached: int | None = None
    """How far the stream can have been then, where the turn is to begin in the middle of one that goes on: it may begin
    as far on as that. None: with `packet`."""
    left: Position | None = None
    """Where the stream stopped before, if it jumps with this turn; None: it goes on where the one before ended."""
    course: Course = NORMAL
    exchange: Exchange | None = None
    """What its engine gives for it, which has no room for both."""
    rtp: RtpPlace | None = None
    """Where it stands in its RTP stream; None: its datagrams are the program's packets and nothing else."""

    def at(self, program: Program) -> Position | None:
        """Where in the program it begins; None: past its end."""
        return self.course.place(program, self.segment, self.packet)


class Settlement(Struct, frozen=True):
    """How a turn ended. `position` is the first packet that certainly nobody has sent; None past the program's end."""

    sent: bool
    position: Position | None
