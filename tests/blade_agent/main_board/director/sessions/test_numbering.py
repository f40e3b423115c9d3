"""The numbers of an RTP stream: whatever its console wants and whoever sends, none is left out and none comes twice."""

import random

import pytest

from blade_agent.main_board.director.sessions.effects import BeginTurn, GetReady, SettleTurn
from blade_agent.main_board.director.sessions.events import (
    GotReady,
    NextAsked,
    PauseAsked,
    PlayAsked,
    ResumeAsked,
    ScaleAsked,
    SeekAsked,
    Silence,
    StartAnswered,
    TurnAssumed,
    TurnSettled,
    TurnStopped,
)
from blade_agent.main_board.director.sessions.session import Session
from blade_agent.main_board.director.sessions.states import Ended, Paused, Streaming
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Ceased, StopCause
from media_network.packets import datagrams_of
from media_network.rtp import RtpPlace
from media_network.trick import SCALES
from tests.blade_agent.main_board.director.sessions.test_session import PROGRAM, Desk
from tests.blade_agent.main_board.director.stage import cursor_of

BASE = RtpPlace(ssrc=0x1234, sequence=65_000, timestamp=2**32 - 5)
RATE_BPS = PROGRAM.rate_bps


class RtpDesk(Desk):
    """A session of RTP whose engines do at once what they are told, and note the numbers of what they send."""

    def __init__(self, begins=(0, 0)):
        super().__init__()
        terms = self.session.terms.__class__(
            **{name: getattr(self.session.terms, name) for name in ("session", "program", "console", "patience_s")},
            lease_s=self.session.terms.lease_s,
            pause_s=self.session.terms.pause_s,
            begins=begins,
            rtp=BASE,
        )
        self.session = Session(terms, 0.0)
        self.slots = iter(range(2, 10_000))
        self.at = 0
        """The next packet of the present turn."""
        self.datagrams = 0
        self.packets = 0
        self.lost = 0
        self.questions = 0
        self.do(PlayAsked())
        self.do(TurnAssumed(turn=self.state.offer.number, packet=self.state.offer.packet))
        self.begin(self.state.holder.packet)

    def do(self, event):
        """Have an event's effects carried out; an engine that is told to cease says exactly where it stood."""
        for effect in self.on(event):
            match effect:
                case GetReady(turn=turn):
                    self.do(GotReady(turn.number))
                case BeginTurn(turn):
                    self.do(StartAnswered(turn=turn.number, outcome=StartOutcome.TAKEN))
                    self.begin(turn.packet)
                case SettleTurn(turn):
                    self.do(TurnSettled(turn=turn.number, answer=self.settle(turn)))

    def settle(self, turn):
        if self.silent:
            return Silence()
        present = turn.number == self.present.number
        return Ceased("boot", cursor_of("s", turn.number, turn.segment, self.at) if present else None)

    silent = False

    def begin(self, packet):
        """A turn begins: its first datagram has the number that comes next."""
        self.present, self.at = self.state.sender, packet
        place = self.present.rtp
        if not self.lost:
            assert place.sequence_of(packet) == (BASE.sequence + self.datagrams) % 2**16
            ticks = self.packets * 188 * 8 * 90_000 // RATE_BPS
            assert place.timestamp_of(packet, RATE_BPS) == (BASE.timestamp + ticks) % 2**32
        assert place.ssrc == BASE.ssrc

    def send(self, until):
        """Send up to a packet, which is the first of a datagram, or the end."""
        self.datagrams += datagrams_of(until) - self.at // 7 if until > self.at else 0
        self.packets += until - self.at
        self.at = until

    @property
    def length(self):
        return self.present.course.packets(PROGRAM, self.present.segment)

    def send_some(self, rng):
        self.send(min(self.length, max(self.at + 7 - self.at % 7, rng.randrange(self.at, self.length + 1) // 7 * 7)))

    def ask(self, packet=None):
        self.questions += 1
        turn = self.present
        self.do(
            NextAsked(
                question=self.questions,
                turn=turn.number,
                number=self.questions,
                segment=turn.segment,
                packet=packet,
                failed=frozenset(),
                doubtful=None,
            )
        )
        return self.state.next

    def hand_over(self, cut):
        if not cut:
            self.send(self.length)
        following = self.ask(self.at if cut and self.at < self.length else None)
        if following is None:
            cause = StopCause.END_OF_PROGRAM
            turn = self.present
            self.do(TurnStopped(turn=turn.number, cause=cause, segment=turn.segment, packet=self.at))
            return
        packet = self.at if following.segment == self.present.segment else 0
        self.do(TurnAssumed(turn=following.number, packet=packet))
        self.begin(packet)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_console_wants_the_numbers_go_on(seed):
    rng = random.Random(seed)
    desk = RtpDesk(begins=(rng.randrange(3), 0))
    for _ in range(40):
        if isinstance(desk.state, Ended):
            break
        if isinstance(desk.state, Paused):
            place = desk.session.rtp_to_come
            assert place.sequence_of(0) == (BASE.sequence + desk.datagrams) % 2**16
            desk.do(rng.choice([ResumeAsked(), SeekAsked((rng.randrange(3), 0)), ScaleAsked(rng.choice(SCALES))]))
            continue
        assert isinstance(desk.state, Streaming)
        desk.send_some(rng)
        if desk.at == desk.length:
            desk.hand_over(cut=False)
            continue
        match rng.randrange(5):
            case 0:
                desk.hand_over(cut=rng.random() < 0.5)
            case 1:
                desk.do(PauseAsked())
            case 2:
                desk.do(SeekAsked((rng.randrange(3), 0)))
            case 3:
                desk.do(ScaleAsked(rng.choice(SCALES)))
            case 4:
                # An engine that has to stop says where.
                turn = desk.present
                stop = TurnStopped(turn=turn.number, cause=StopCause.FAILED, segment=turn.segment, packet=desk.at)
                desk.do(stop)
    assert desk.datagrams > 0


def test_after_a_loss_as_many_numbers_are_left_out_as_datagrams_were():
    desk = RtpDesk()
    desk.send(7_000)
    desk.silent, desk.lost = True, 1
    desk.now = 5.0
    turn = desk.present
    desk.do(TurnStopped(turn=turn.number, cause=StopCause.FAILED, segment=0, packet=7_000))
    assert desk.present.rtp == turn.rtp
    assert desk.present.rtp.sequence_of(desk.at) == (BASE.sequence + desk.at // 7) % 2**16


def test_who_begins_in_the_middle_of_the_program_begins_with_the_base():
    desk = RtpDesk(begins=(1, 0))
    assert desk.present.segment == 1
    assert desk.present.rtp.sequence_of(0) == BASE.sequence
    assert desk.present.rtp.timestamp_of(0, RATE_BPS) == BASE.timestamp
