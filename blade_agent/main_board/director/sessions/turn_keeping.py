"""The turns of a session: given, assumed, lost, settled, and where the stream goes on then. What its events share."""

from typing import Any, TypeGuard

from msgspec.structs import replace

from blade_agent.main_board.director.sessions.aim import Aim
from blade_agent.main_board.director.sessions.course import NORMAL, Course, packets_before
from blade_agent.main_board.director.sessions.effects import (
    CeaseTurn,
    Count,
    Effect,
    Effects,
    Fact,
    NameNext,
    RefuseNext,
    SeekEngine,
    SettleTurn,
    SuspectEngine,
    TurnAway,
    TurnTaken,
    WakeAt,
)
from blade_agent.main_board.director.sessions.events import (
    EngineFound,
    NextAsked,
    Sought,
    TurnSettled,
)
from blade_agent.main_board.director.sessions.given_turn import GivenTurn, Settlement
from blade_agent.main_board.director.sessions.mark import Mark
from blade_agent.main_board.director.sessions.numbering import Stand, place_after, place_from, stand_at
from blade_agent.main_board.director.sessions.position import Position, end_of
from blade_agent.main_board.director.sessions.reach import furthest, past_mark, past_turn
from blade_agent.main_board.director.sessions.refusals import (
    ANOTHER_DIRECTS,
    GOES_ON_ELSEWHERE,
    NO_SESSION,
    NOBODY_GOT_READY,
    refuse_all,
    stale_turn,
)
from blade_agent.main_board.director.sessions.session_terms import SessionTerms
from blade_agent.main_board.director.sessions.states import (
    AnyState,
    AwaitingEnlistment,
    AwaitingLeases,
    Doubting,
    Ended,
    Left,
    Opening,
    Paused,
    Readying,
    Redirected,
    Resuming,
    Seeking,
    SettlingNext,
    SettlingSender,
    SettlingStart,
    Starting,
    Streaming,
)
from media_network.address import Address
from media_network.messages.streaming import Ceased
from media_network.rtp import RtpPlace


class TurnKeeping:
    """What is known of a session's turns; each part gives what is to be done."""

    def __init__(self, terms: SessionTerms, heard_at: float) -> None:
        """Before its first event nobody has asked for it. `heard_at`: when its console was last heard of."""
        self.terms = terms
        self.state: AnyState = Opening()
        self.heard_at = heard_at
        self._turns_given = terms.first_own_turn if terms.first_own_turn > 1 else 0
        self._asked = (0, 0)
        """Turn and number of the newest question."""
        self._mark: Mark | None = None
        """How far the stream can have got since its sender, or the one before, reported last."""
        self._stand = Stand(terms.rtp.datagrams, terms.rtp.packets) if terms.rtp else Stand()
        """Of an RTP stream that nobody sends: what comes next has these numbers."""

    def sends(self, turn: int) -> bool:
        """Whether the turn of this number is the one that is being sent."""
        return self.state.sender is not None and self.state.sender.number == turn

    def may_have_gone_on_in(self, turn: int) -> bool:
        """Whether an engine that enlists may have the stream in a turn that the director before has offered it."""
        if isinstance(self.state, Ended | Paused) or turn >= self.terms.first_own_turn:
            return False
        sent = self.state.turns[0].number if not isinstance(self.state, Opening | Redirected) else 0
        return turn > sent

    @property
    def rtp_to_come(self) -> RtpPlace | None:
        """The place of what comes next in an RTP stream that nobody sends; None: it is none."""
        return self.terms.rtp and place_from(self.terms.rtp, self._stand, 0)

    # The parts of it

    def _sought_first(self, tried: frozenset[Address] = frozenset()) -> Sought:
        segment, packet = self.terms.begins
        return Sought(segment=segment, packet=packet, excluded=tried)

    def _give(self, found: EngineFound, now: float) -> GivenTurn:
        """Number the next turn."""
        self._turns_given += 1
        sought, sender = found.sought, self.state.sender
        if sender:
            rtp = place_after(self.terms.program, sender, sought.segment)
        else:
            rtp = self.terms.rtp and place_from(self.terms.rtp, self._stand, sought.packet)
        return GivenTurn(
            number=self._turns_given,
            engine=found.engine,
            boot=found.boot,
            segment=found.sought.segment,
            packet=found.sought.packet,
            given_at=now,
            left=found.sought.left,
            course=found.sought.course,
            exchange=found.exchange,
            rtp=rtp,
        )

    def _give_within(self, holder: GivenTurn, found: EngineFound, now: float) -> GivenTurn:
        """Number the turn that follows what is being sent. One in the same segment begins where that will be cut, and
        its sender has gone on since it asked."""
        turn = self._give(found, now)
        if turn.segment != holder.segment or turn.course != holder.course:
            return turn
        return replace(turn, reached=max(turn.packet, furthest(self.terms.program, holder, self._mark, now)))

    def _assume(self, turn: GivenTurn, packet: int, now: float, *, unsettled_until: float | None = None) -> Effects:
        """An engine has the stream."""
        before, asked = self.state, self._waiting()
        self.state = Streaming(holder=turn, heard_at=now, unsettled_until=unsettled_until)
        taken: Effects = (TurnTaken(turn=turn, packet=packet), *refuse_all(asked, GOES_ON_ELSEWHERE))
        match before:
            case Starting(aim=aim):
                return (*taken, Count(Fact.WENT_ON if aim.ordered else Fact.RESUMED))
            case Opening() | Redirected():
                return taken
            case SettlingSender(aim=aim) | AwaitingLeases(aim=aim) if (
                aim.paused or aim.to is not None or aim.scale not in (None, turn.course.scale)
            ):
                return (*taken, Count(Fact.HANDED_OVER), *self._halt(aim))
        return (*taken, Count(Fact.HANDED_OVER))

    def _name_next(self, asked: NextAsked) -> Effects:
        """Answer the sender: with the same offer again, unless it failed, or with one that has yet to be found."""
        if not isinstance(self.state, Streaming):
            return self._refuse(asked)
        holder, known = self.state.holder, self.state.next
        if holder.number != asked.turn or holder.segment != asked.segment:
            return (RefuseNext(asked=asked, refused=stale_turn(asked.turn)),)
        segment, packet, leaving = holder.course.after(self.terms.program, holder.segment), 0, frozenset[Address]()
        if asked.packet is not None:
            # Its engine drains, or foresees an underrun: another is to go on in the middle of the segment.
            segment, packet, leaving = holder.segment, asked.packet, frozenset({holder.engine})
        if segment is None:
            return (NameNext(asked=asked, next=None),)
        sought = Sought(
            segment=segment,
            packet=packet,
            unfit=asked.failed,
            excluded=leaving,
            asked=asked,
            course=holder.course,
            whole=asked.foreseen and segment == holder.segment,
        )
        if is_for(known, sought):
            return (NameNext(asked=asked, next=known),)
        self.state = replace(self.state, next=None)
        failed = known and str(known.engine) in asked.failed
        suspect: Effects = (SuspectEngine(known.engine),) if known and failed else ()
        return (*suspect, SeekEngine(sought))

    def _refuse(self, asked: NextAsked) -> Effects:
        """Answer a question that the session has outlived."""
        match self.state:
            case Ended():
                refused = NO_SESSION
            case Left():
                refused = ANOTHER_DIRECTS
            case Resuming():
                refused = GOES_ON_ELSEWHERE
            case _:
                refused = stale_turn(asked.turn)
        return (RefuseNext(asked=asked, refused=refused),)

    def _waiting(self) -> tuple[NextAsked, ...]:
        """The questions that wait for an answer."""
        return self.state.asked if isinstance(self.state, Doubting | AwaitingEnlistment) else ()

    def _lose(self, now: float, end: Settlement | None = None, *, next_too: bool = True) -> Effects:
        """The sender is lost; `end`, if it is known how far it got, and `next_too`, if its next one may have it."""
        asked = self._waiting()
        following: GivenTurn | None = None
        withdrawn: GivenTurn | None = None
        match self.state:
            case Streaming(holder=lost, next=following, unsettled_until=until):
                pass
            case Doubting(holder=lost, doubted=doubted, unsettled_until=until):
                withdrawn = doubted if next_too else None
            case AwaitingEnlistment(holder=lost, next=following, until=until):
                pass
            case _:
                return ()
        told: Effects = (Count(Fact.SENDER_LOST), *refuse_all(asked, GOES_ON_ELSEWHERE))
        settling = SettlingSender(lost=lost, next=following, withdrawn=withdrawn, unsettled_until=until)
        if end is None:
            self.state = settling
            return (*told, SettleTurn(lost))
        return (*told, *self._sender_settled(settling, until, end, now))

    def _sender_settled(self, state: SettlingSender, until: float | None, end: Settlement, now: float) -> Effects:
        if until is not None and now < until:
            self.state = AwaitingLeases(
                lost=state.lost, next=state.next, withdrawn=state.withdrawn, until=until, aim=state.aim
            )
            return (WakeAt(until),)
        return self._next_is_settled(state, end.position, now)

    def _next_is_settled(
        self, state: SettlingSender | AwaitingLeases, position: Position | None, now: float
    ) -> Effects:
        if following := state.next or state.withdrawn:
            self.state = SettlingNext(lost=state.lost, next=following, position=position, aim=state.aim)
            return (SettleTurn(following),)
        return self._go_on_from(state, position, now)

    def _settle_start(self, state: Starting, aim: Aim) -> Effects:
        self.state = SettlingStart(lost=state.lost, next=state.next, aim=aim)
        return (SettleTurn(state.next),)

    def _go_on_from(
        self,
        state: Resuming,
        position: Position | None,
        now: float,
        left: Position | None = None,
        stopped: GivenTurn | None = None,
    ) -> Effects:
        """Have another engine send from here on, or from where the console wants; nobody sends this stream meanwhile.

        `left`: where the stream stopped, if it was to jump here already; `stopped`: in which turn, if not in the one
        that was lost.
        """
        self._mark = None  # it goes on ahead of the schedule it had
        aim, program = state.aim, self.terms.program
        stopped = stopped or (state.next if isinstance(state, SettlingStart) else state.lost)
        course = stopped.course if stopped else NORMAL
        self._note_stand(stopped, position)
        if aim.to is not None:
            left, position = left or position or end_of(program), aim.to
            course = self._course(aim.scale or 1, position)
        if position is None and course.scale < 0:
            position = (0, 0)
        if position is None:
            return self._end(Fact.ENDED, now)
        if aim.paused:
            return self._pause(state.lost, position, course, left, now)
        following = Seeking(lost=state.lost, position=position, left=left, course=course, aim=Aim(ordered=aim.ordered))
        if aim.scale not in (None, course.scale):
            return self._change(following, aim.scale or 1, now)
        return self._seek(following, now)

    def _note_stand(self, stopped: GivenTurn | None, position: Position | None) -> None:
        """An RTP stream has stopped there, in this turn; None: past its end, or beginning."""
        program = self.terms.program
        if stopped and position is None:
            position = end_of(program) if stopped.course.scale > 0 else (0, 0)
        if stopped and position and (stand := stand_at(program, stopped, position)):
            self._stand = stand

    def _course(self, scale: int, position: Position) -> Course:
        return NORMAL if scale == 1 else Course(scale, packets_before(self.terms.program, position))

    def _change(self, state: Seeking, scale: int, now: float) -> Effects:
        """Go on there at another speed; at the program's own from where decoding can begin."""
        position = state.position
        begins = position if state.course == NORMAL or scale != 1 else (position[0], 0)
        return self._go(state.lost, begins, state.left or position, self._course(scale, position), now)

    def _pause(
        self, last: GivenTurn | None, position: Position, course: Course, left: Position | None, now: float
    ) -> Effects:
        """Whatever its speed was, it goes on at the program's own, from where decoding can begin."""
        if course != NORMAL:
            left, position = left or position, (min(position[0], len(self.terms.program.segments) - 1), 0)
        self.state = Paused(last=last, position=position, left=left, since=now)
        return (Count(Fact.PAUSED),)

    def _rest(self, last: GivenTurn, now: float) -> Effects:
        """It has gone back to the beginning, and waits there."""
        self._note_stand(last, None)
        ceased: Effects = tuple(CeaseTurn(turn) for turn in self.state.turns if turn is not last)
        asked = self._waiting()
        return (*ceased, *refuse_all(asked, GOES_ON_ELSEWHERE), *self._pause(last, (0, 0), last.course, None, now))

    def _begins(self, turn: GivenTurn) -> Position:
        """Where in the program a turn begins."""
        return turn.at(self.terms.program) or ((0, 0) if turn.course.scale < 0 else end_of(self.terms.program))

    def _go(
        self, lost: GivenTurn | None, position: Position, left: Position | None, course: Course, now: float
    ) -> Effects:
        """As the console wants."""
        return self._seek(Seeking(lost=lost, position=position, left=left, course=course, aim=Aim(ordered=True)), now)

    def _seek(self, state: Seeking, now: float) -> Effects:
        entered = state.course.enter(self.terms.program, state.position)
        if entered is None and state.course.scale < 0:
            return self._pause(state.lost, (0, 0), state.course, state.left, now)
        if entered is None:
            return self._end(Fact.ENDED, now)
        self.state = state
        segment, packet = entered
        sought = Sought(segment=segment, packet=packet, excluded=state.tried, left=state.left, course=state.course)
        return (SeekEngine(sought),)

    def _sought_again(
        self, state: Readying | Starting, turn: GivenTurn, tried: frozenset[Address] = frozenset()
    ) -> Seeking:
        """Nothing of this turn was sent: another engine is to have it."""
        return Seeking(
            lost=state.lost,
            position=self._begins(turn),
            left=turn.left,
            course=turn.course,
            tried=tried,
            aim=state.aim,
        )

    def _end(self, fact: Fact, now: float, *still_sending: GivenTurn | None) -> Effects:
        asked, turns = self._waiting(), self.state.turns
        away: Effects = (TurnAway(NOBODY_GOT_READY),) if isinstance(self.state, Opening) else ()
        last = self.state.last if isinstance(self.state, Paused) else next(iter(turns), None)
        self.state = Ended(at=now, last=last)
        ceased: tuple[Effect, ...] = tuple(CeaseTurn(turn) for turn in still_sending if turn)
        return (*ceased, *away, *refuse_all(asked, NO_SESSION), Count(fact))

    def _settlement(self, turn: GivenTurn, event: TurnSettled, now: float) -> Settlement:
        match event.answer:
            case Ceased(boot=turn.boot, cursor=cursor) if cursor is not None and cursor.turn == turn.number:
                return Settlement(
                    sent=True, position=turn.course.place(self.terms.program, cursor.segment, cursor.packet)
                )
            case Ceased(boot=turn.boot) if not isinstance(self.state, SettlingSender):
                return Settlement(sent=False, position=self._begins(turn))
        # It does not answer, has forgotten how far it was, or is gone: another boot answers.
        return Settlement(sent=True, position=past_turn(self.terms.program, turn, self._mark, now))

    def _past_whatever_followed(self, now: float) -> Position | None:
        """As `past_turn`, where it is not known in how many turns the stream went on since its mark."""
        state = self.state
        last = state.lost if isinstance(state, Resuming) else state.sender
        course = last.course if last else NORMAL
        return past_mark(self.terms.program, course, self._turns_given, self._mark, now)

    def _aim_at(self, **wanted: Any) -> Effects:
        """Go on as is wanted when it is certain where the stream has stopped: have it stop, unless it does already."""
        match self.state:
            case Streaming() | Doubting() | AwaitingEnlistment():
                return self._halt(Aim(ordered=True, **wanted))
            case Starting(aim=aim) as state:
                return self._settle_start(state, replace(aim, ordered=True, **wanted))
            case SettlingSender(aim=aim) | AwaitingLeases(aim=aim) | SettlingNext(aim=aim) | SettlingStart(aim=aim):
                self.state = replace(self.state, aim=replace(aim, **wanted))
        return ()

    def _halt(self, aim: Aim) -> Effects:
        """Have the sender stop, and whoever was named as its next one not begin."""
        asked = self._waiting()
        match self.state:
            case Streaming(holder=lost, next=withdrawn, unsettled_until=until):
                pass
            case Doubting(holder=lost, doubted=withdrawn, unsettled_until=until):
                pass
            case AwaitingEnlistment(holder=lost, next=withdrawn, until=until):
                pass
            case _:
                return ()
        self.state = SettlingSender(lost=lost, withdrawn=withdrawn, unsettled_until=until, aim=aim)
        return (*refuse_all(asked, GOES_ON_ELSEWHERE), SettleTurn(lost))


def is_for(turn: GivenTurn | None, sought: Sought) -> TypeGuard[GivenTurn]:
    """Whether a turn that was named is what is sought again."""
    return turn is not None and turn.segment == sought.segment and str(turn.engine) not in sought.unfit
