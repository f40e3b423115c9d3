"""The pure heart of a stream at an engine: its table, and that a turn which is over never sends again."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.arriving import Arrivals
from blade_agent.main_board.engine.turns.effects import (
    AskNext,
    BeginSending,
    CloseSegment,
    ConfirmOrder,
    CountStream,
    CutSending,
    OpenSegment,
    PreloadNeighbour,
    RefuseOrder,
    ResumeSending,
    SayAssumed,
    SayStopped,
    StartNeighbour,
    StopSending,
    StreamFact,
    TellStand,
)
from blade_agent.main_board.engine.turns.engine_stream import EngineStream
from blade_agent.main_board.engine.turns.engine_streams import EngineStreams
from blade_agent.main_board.engine.turns.events import (
    AllLeft,
    AssumptionAnswered,
    CeaseOrdered,
    DirectorReplaced,
    DrainOrdered,
    EndNeared,
    LeaseEnded,
    NeighbourAnswered,
    NeighbourStarted,
    NextAnswered,
    PreloadLapsed,
    PreloadOrdered,
    SegmentOpened,
    SegmentUnreadable,
    StartOrdered,
    TurnRevoked,
)
from blade_agent.main_board.engine.turns.states import (
    Absent,
    Asking,
    Assuming,
    Finishing,
    HandingOver,
    Prepared,
    Sent,
    Stand,
    Underway,
)
from blade_agent.main_board.engine.turns.table import EVENTS, STATES, TABLE, diagram
from blade_agent.main_board.start_outcome import StartOutcome
from media_network.messages.streaming import Cease, HandOver, Next, Preload, StopCause, Stream
from media_network.refusal import Reason, Refused
from media_network.segment_table import Segment

DOCUMENT = Path(__file__).parents[5] / "docs" / "protocols" / "streams.md"
PACKETS = 100


def segment(number):
    return Segment(number=number, length_bytes=PACKETS * 188, duration_ticks=9000, sha256="a" * 64)


def order(turn, number=0, *, redirected=False):
    return Preload(
        epoch=1,
        session="s",
        turn=turn,
        program="film",
        table="0" * 64,
        segment=segment(number),
        rate_bps=1,
        console="127.1.200.1:5000",
        redirected=redirected,
    )


def offer(turn, number=1, engine="127.1.1.3:8080"):
    return Next(HandOver(turn=turn, engine=engine, segment=segment(number)))


def start(turn, packet=0, *, leased=True, draining=False, at=0):
    return StartOrdered(turn=turn, packet=packet, due_at=0.0, leased=leased, draining=draining, at=at)


def kinds(effects):
    return [type(effect) for effect in effects]


def preloaded(turn=1, stream=None):
    stream = stream or EngineStream()
    assert stream.on(PreloadOrdered(order(turn))) == (OpenSegment(order(turn)),)
    assert ConfirmOrder() in stream.on(SegmentOpened(order(turn)))
    return stream


def streaming(turn=1):
    stream = preloaded(turn)
    effects = stream.on(start(turn))
    assert {BeginSending, SayAssumed, ConfirmOrder} <= set(kinds(effects))
    stream.on(AssumptionAnswered(turn, 0, refused=False))
    assert isinstance(stream.active, Underway)
    return stream


def starting():
    stream = streaming()
    stream.on(EndNeared(1))
    stream.on(NextAnswered(1, 50, offer(2)))
    stream.on(NeighbourAnswered(1, ready=True))
    stream.on(AllLeft(1, PACKETS))
    assert isinstance(stream.active, HandingOver)
    return stream


def test_the_table_is_total():
    assert set(TABLE) == set(STATES)
    assert all(set(row) == set(EVENTS) for row in TABLE.values())


def test_every_state_is_reached_and_every_one_can_be_left():
    reached, frontier = {Absent}, {Absent}
    while frontier:
        frontier = {after for state in frontier for ways in TABLE[state].values() for after in ways} - reached
        reached |= frontier
    assert reached == set(STATES)
    assert all(TABLE[state][LeaseEnded] == {Absent} for state in STATES)


def test_the_document_shows_the_diagram_of_this_table():
    assert f"```mermaid\n{diagram()}```" in DOCUMENT.read_text()


def test_a_hand_over_is_the_conversation_of_the_claim():
    stream = streaming()
    (ask,) = stream.on(EndNeared(1))
    assert isinstance(ask, AskNext)
    (preload,) = stream.on(NextAnswered(1, 50, offer(2)))
    assert isinstance(preload, PreloadNeighbour)
    assert stream.on(NeighbourAnswered(1, ready=True)) == ()
    assert isinstance(stream.active, Prepared)
    (begin,) = stream.on(AllLeft(1, PACKETS))
    assert isinstance(begin, StartNeighbour)
    assert stream.on(NeighbourStarted(1, PACKETS, StartOutcome.TAKEN)) == (
        StopSending(1),
        CountStream(StreamFact.HANDED_OVER),
    )
    assert stream.past.stand == Stand(turn=1, segment=0, packet=PACKETS)


def test_who_does_not_get_ready_or_start_is_named_to_the_director():
    stream = streaming()
    stream.on(EndNeared(1))
    stream.on(NextAnswered(1, 50, offer(2, engine="127.1.1.3:8080")))
    (ask,) = stream.on(NeighbourAnswered(1, ready=False))
    assert (ask.asking.failed, ask.asking.doubtful) == (("127.1.1.3:8080",), None)
    stream.on(NextAnswered(1, 50, offer(3, engine="127.1.1.4:8080")))
    stream.on(NeighbourAnswered(1, ready=True))
    stream.on(AllLeft(1, PACKETS))
    (ask,) = stream.on(NeighbourStarted(1, PACKETS, StartOutcome.DOUBTFUL))
    assert (ask.asking.failed, ask.asking.doubtful) == (("127.1.1.3:8080",), "127.1.1.4:8080")


def test_an_answer_that_the_stream_went_on_elsewhere_counts_only_when_all_was_sent():
    elsewhere = Refused(Reason.ASSUMED)
    stream = starting()
    stream.on(NeighbourStarted(1, PACKETS, StartOutcome.DOUBTFUL))
    assert CountStream(StreamFact.HANDED_OVER) in stream.on(NextAnswered(1, PACKETS, elsewhere))
    early = streaming()
    early.on(EndNeared(1))
    stop, told = early.on(NextAnswered(1, 50, elsewhere))
    assert (stop, told.cause, told.stand.packet) == (StopSending(1), StopCause.FAILED, 50)


@pytest.mark.parametrize("early", [True, False])
def test_the_program_ends_when_the_last_packet_has_left(early):
    stream = streaming()
    stream.on(EndNeared(1))
    if early:
        stream.on(AllLeft(1, PACKETS))
        _, told = stream.on(NextAnswered(1, PACKETS, Next(None)))
    else:
        assert stream.on(NextAnswered(1, 50, Next(None))) == ()
        assert isinstance(stream.active, Finishing)
        _, told = stream.on(AllLeft(1, PACKETS))
    assert told.cause is StopCause.END_OF_PROGRAM


def test_a_draining_engine_hands_over_within_the_segment_and_goes_on_where_nobody_takes_it():
    stream = streaming()
    (ask,) = stream.on(DrainOrdered())
    assert ask.asking.hurried
    stream.on(NextAnswered(1, 50, offer(2, number=0)))
    assert stream.on(NeighbourAnswered(1, ready=True)) == (CutSending(1),)
    stream.on(AllLeft(1, 60))
    resumed, counted, ask = stream.on(NeighbourStarted(1, 60, StartOutcome.REFUSED))
    assert (resumed, counted) == (ResumeSending(1), CountStream(StreamFact.NOT_TAKEN))
    assert isinstance(stream.active, Asking)
    assert stream.active.sent is Sent.NEAR_END


def test_a_stream_that_comes_back_to_the_engine_that_sends_it_is_handed_over_to_itself():
    stream = starting()
    preloaded(2, stream)
    effects = stream.on(start(2, at=PACKETS))
    assert kinds(effects)[:2] == [StopSending, CountStream]
    assert isinstance(stream.active, Assuming)
    assert stream.active.turn == 2
    assert stream.on(NeighbourStarted(1, PACKETS, StartOutcome.TAKEN)) == ()


def test_a_new_preload_takes_the_place_of_an_older_one_and_never_of_a_newer_one():
    stream = preloaded(2)
    stream.on(PreloadOrdered(order(3)))
    assert CloseSegment(2) in stream.on(SegmentOpened(order(3)))
    (refused,) = stream.on(PreloadOrdered(order(2)))
    assert refused.refused.reason is Reason.STALE_TURN
    (refused,) = stream.on(SegmentOpened(order(2)))  # it was opened meanwhile
    assert isinstance(refused, RefuseOrder)
    assert stream.ready == order(3)


def test_a_preload_lapses_or_is_void_when_the_director_changes():
    assert preloaded(2).on(PreloadLapsed(2)) == (CloseSegment(2),)
    assert preloaded(2).on(PreloadLapsed(1)) == ()
    assert preloaded(2).on(DirectorReplaced()) == (CloseSegment(2),)
    stream = EngineStream()
    stream.on(SegmentOpened(order(3, redirected=True)))
    assert stream.on(DirectorReplaced()) == ()


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (start(3), Reason.NOT_READY),
        (start(2, leased=False), Reason.NOT_READY),
        (start(2, packet=PACKETS + 1), Reason.BAD_MESSAGE),
    ],
)
def test_every_kind_of_start_that_must_not_be_is_refused(event, reason):
    (refused,) = preloaded(2).on(event)
    assert refused.refused.reason is reason


def test_a_start_that_is_said_again_is_the_same_start():
    stream = streaming(2)
    assert stream.on(start(2)) == (ConfirmOrder(),)


def test_cease_tells_where_the_stream_stood_and_of_no_other_turn():
    stream = streaming(2)
    effects = stream.on(CeaseOrdered(turn=2, cause=StopCause.CEASED, packet=42))
    assert effects[-1] == TellStand(Stand(turn=2, segment=0, packet=42))
    assert SayStopped in kinds(effects)
    again = stream.on(CeaseOrdered(turn=2, cause=StopCause.CEASED, packet=0))
    assert again == (TellStand(Stand(turn=2, segment=0, packet=42)),)
    assert stream.on(CeaseOrdered(turn=6, cause=StopCause.CEASED, packet=0)) == (TellStand(None),)


def test_of_an_earlier_turn_nothing_follows_for_the_one_that_is_to_cease():
    effects = streaming(2).on(CeaseOrdered(turn=5, cause=StopCause.CEASED, packet=42))
    assert StopSending(2) in effects
    assert effects[-1] == TellStand(None)


def test_what_cannot_be_read_stops_where_it_is():
    stream = streaming()
    stop, told = stream.on(SegmentUnreadable(1, 33))
    assert (stop, told.cause, told.stand.packet) == (StopSending(1), StopCause.FAILED, 33)


EVENTS_OF_TURNS = st.one_of(
    st.integers(0, 4).map(lambda turn: PreloadOrdered(order(turn))),
    st.integers(0, 4).map(start),
    st.integers(0, 4).map(lambda turn: CeaseOrdered(turn=turn, cause=StopCause.CEASED, packet=1)),
    st.integers(0, 4).map(lambda turn: TurnRevoked(turn=turn, packet=1)),
    st.just(LeaseEnded(1)),
    st.just(DrainOrdered()),
    st.integers(0, 4).map(EndNeared),
    st.integers(0, 4).map(lambda turn: AllLeft(turn, PACKETS)),
    st.integers(0, 4).map(lambda turn: AssumptionAnswered(turn, 1, refused=False)),
    st.integers(0, 4).map(lambda turn: NextAnswered(turn, 1, offer(turn + 1))),
    st.integers(0, 4).map(lambda turn: NeighbourAnswered(turn, ready=True)),
    st.tuples(st.integers(0, 4), st.sampled_from(StartOutcome)).map(lambda pair: NeighbourStarted(pair[0], 1, pair[1])),
)


@settings(max_examples=400)
@given(st.lists(EVENTS_OF_TURNS, max_size=40))
def test_a_turn_is_begun_once_never_after_a_later_one_and_never_after_it_was_ceased(story):
    stream, begun, ceased, sending = EngineStream(), [], -1, None
    for event in story:
        waiting = list(stream.on(event))
        if isinstance(event, CeaseOrdered | TurnRevoked):
            ceased = max(ceased, event.turn)
        while waiting:
            match waiting.pop(0):
                case OpenSegment(opened):
                    waiting += stream.on(SegmentOpened(opened))
                case StopSending(turn):
                    assert sending == turn
                    sending = None
                case BeginSending(turn=turn):
                    assert sending is None
                    assert turn > max([ceased, *begun])
                    begun.append(turn)
                    sending = turn
                case ResumeSending(turn):
                    assert sending == turn
        assert sending is None or sending > ceased
        assert (sending is None) == isinstance(stream.active, Absent)


def test_of_too_many_streams_those_longest_unheard_of_are_forgotten_and_never_one_that_is_here():
    async def story():
        director = SimpleNamespace(epoch=1, boot="b", leased=lambda _: True, draining=False, holder=lambda *_: "b")

        async def drain():
            pass

        socket = SimpleNamespace(drain=drain)
        streams = EngineStreams(
            store=None,
            arrivals=Arrivals(),
            director=director,
            client=None,
            push_socket=socket,
            counters=EngineCounters(),
            tasks=None,
            remembered=3,
        )
        for session in "abcd":
            await streams.cease(Cease(session=session, turn=1))
        await streams.cease(Cease(session="b", turn=1))
        await streams.cease(Cease(session="e", turn=1))
        over = [await streams.stream(Stream(session=session, turn=1, ticket=""), "127.1.200.1") for session in "abcde"]
        assert [refused.reason for refused in over] == [
            Reason.NOT_READY,
            Reason.STALE_TURN,
            Reason.NOT_READY,
            Reason.STALE_TURN,
            Reason.STALE_TURN,
        ]

    asyncio.run(story())
