"""Claim 22: the engine that has the whole segment was streaming, too: the two exchange their consoles."""

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby, pairwise

import pytest

from blade_agent.main_board.director.sessions.states import Ended
from tests.claims.conftest import sha256
from tests.claims.core_run import CoreRun
from tests.claims.swapping import at_one_engine, distribute, engine_at, ingest, streaming_from, viewer
from tests.claims.wire import Capture, capture
from tests.conftest import SAID
from tests.end_to_end.viewing import assert_subsequence
from tests.patience import wait_until

SCALE = 2
FAST_ENOUGH, TOO_SLOW = 1.2, 0.6
"""How fast the segment comes, in times of the program's rate."""
SETTLES_S = 1.5
LEASE_S, GRACE_S = 4.0, 0.5


@dataclass
class Both:
    """Two viewers: of the first program the segment is still arriving at its engine; the second one is at the engine
    that has all of that."""

    programs: tuple
    viewers: tuple
    first: dict
    third: dict
    source: object


@contextmanager
def both(network, folder, name, widths, times_the_rate):
    """Two viewers of two programs; the first has yet to begin."""
    second_program = ingest(network, folder, widths[1])
    distribute(network, second_program, 3)
    first_program = ingest(network, folder, widths[0])
    with (
        at_one_engine(network, first_program, name, times_the_rate) as (source, third),
        streaming_from(network, second_program, third) as second,
        viewer(network, first_program) as first,
    ):
        time.sleep(SETTLES_S)
        programs, engine = (first_program, second_program), engine_at(network, first.engine)
        assert engine["slot"] != third["slot"]
        yield Both(programs, (first, second), engine, third, source)


def sent_to(wire, one):
    """The datagrams that went to a viewer."""
    return [frame for frame in wire.datagrams if frame.port == one.port]


def senders(wire, one):
    """Who sent to a viewer, one after the other."""
    return [sender for sender, _ in groupby(frame.source for frame in sent_to(wire, one))]


def gap_ms(wire, one, before, after):
    """How long nothing came to a viewer when one engine took the other's place."""
    last = [frame for frame in sent_to(wire, one) if frame.source == before][-1]
    return (next(frame for frame in sent_to(wire, one) if frame.source == after).at - last.at) * 1000


@dataclass
class Exchanged:
    """What came of it."""

    both: Both
    wire: Capture
    received: tuple


@pytest.fixture(scope="module")
def exchanged(swaps, tmp_path_factory):
    """The first viewer goes fast."""
    folder = tmp_path_factory.mktemp("claim-22")
    with capture(swaps, folder) as wire, both(swaps, folder, "paced", (352, 368), FAST_ENOUGH) as two:
        one, other = two.viewers
        one.begin()
        time.sleep(SETTLES_S)
        one.scale(SCALE)
        for each in two.viewers:
            each.wait_until("ended")
        return Exchanged(two, wire, (one.received, other.received))


@pytest.mark.peer("tshark")
def test_the_engines_exchange_their_consoles(swaps, exchanged, record_property):
    wire, two = exchanged.wire, exchanged.both
    one, other = two.viewers
    first, third = two.first["address"], two.third["address"]

    # A method as defined in claim 21: a fast forward request, the report of the impending error state, and the reply
    (faster,) = wire.said("director/scale", session=one.session)
    question = next(q for q in wire.said("director/next-segment", source=first, session=one.session) if q.status == 200)
    assert question.body["underrun"]
    offer = question.answer["hand_over"]
    assert offer["engine"] == two.third["control"]

    # wherein the third media engine has also been streaming
    assert sent_to(wire, other)[0].source == third
    exchange = offer["exchange"]
    assert exchange["session"] == other.session

    # returning from the third media engine a swap identifying a second media console in communication
    (swap,) = wire.said("engine/swap", source=first, destination=third)
    assert (swap.body["preload"]["console"], swap.body["exchange"]) == (one.console, exchange)
    returned = swap.answer["returned"]
    assert (returned["session"], returned["turn"]) == (other.session, exchange["next_turn"])
    assert returned["console"] == other.console

    # streaming of data by the third media engine from the segment to media console [21];
    # and, streaming of data by the first media engine to the second media console
    (start,) = wire.said("engine/start", source=first, destination=third, session=one.session)
    (back,) = wire.said("engine/start", source=third, destination=first, session=other.session)
    assert senders(wire, one) == [first, third]
    assert senders(wire, other) == [third, first]
    there = next(frame for frame in sent_to(wire, one) if frame.source == third)
    here = next(frame for frame in sent_to(wire, other) if frame.source == first)
    in_order = [faster.number, question.answered, swap.number, swap.answered, start.number, back.number, here.number]
    assert in_order == sorted(in_order)
    assert start.number < there.number
    gaps = [gap_ms(wire, one, first, third), gap_ms(wire, other, third, first)]
    record_property(SAID, f"gap at an exchange of two consoles: {gaps[0]:.0f} and {gaps[1]:.0f} ms")
    assert sha256(exchanged.received[1]) == two.programs[1]["sha256"]


@pytest.mark.peer("tshark")
def test_what_was_said_of_both_is_a_run_of_the_core(swaps, exchanged):
    director = swaps.director("north")["address"]
    one, other = (CoreRun(exchanged.wire, director, each.session).check() for each in exchanged.both.viewers)
    assert isinstance(one.core.state, Ended)
    assert isinstance(other.core.state, Ended)
    assert (one.turns, other.turns) == ([1, 2, 3], [1, 2])


@pytest.mark.peer("tshark")
def test_both_receive_exactly_their_programs_when_they_are_exchanged(swaps, tmp_path):
    with capture(swaps, tmp_path) as wire, both(swaps, tmp_path, "too-slow", (384, 400), TOO_SLOW) as two:
        two.viewers[0].begin()
        for each in two.viewers:
            each.wait_until("ended")
        received = [each.received for each in two.viewers]
    assert [sha256(each) for each in received] == [program["sha256"] for program in two.programs]
    first, third = two.first["address"], two.third["address"]
    assert [senders(wire, each) for each in two.viewers] == [[first, third], [third, first]]


REQUESTED, READY, BEGUN = "is requested to swap", "comes here", "begins here with packet"
"""What is logged when the third engine is asked, when both are ready, and when it has begun."""
BLOWS = [
    ("third", "first", REQUESTED, (416, 432)),
    ("first", "first", READY, (448, 464)),
    ("third", "first", READY, (480, 496)),
    ("first", "third", BEGUN, (512, 528)),
]


@dataclass
class Blow:
    """A process is killed as soon as another one, or it itself, logs something of a session."""

    network: object
    victim: dict
    teller: dict
    session: str
    text: str
    at: float = 0.0

    @contextmanager
    def falling(self):
        """While the context is open."""
        log = self.network.state / "logs" / f"{self.teller['station']}.{self.teller['slot']}.log"
        told_before = len(log.read_text())
        over = threading.Event()

        def watch():
            while not over.is_set() and not self.at:
                news = log.read_text()[told_before:].splitlines()
                if any(f"stream {self.session}: " in line and self.text in line for line in news):
                    self.at = time.time()
                    os.kill(self.victim["pid"], signal.SIGKILL)
                time.sleep(0.001)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield
        finally:
            over.set()
            watching.join()
            self.network.up()


@pytest.mark.peer("tshark")
@pytest.mark.parametrize(
    ("victim", "teller", "text", "widths"), BLOWS, ids=lambda part: part if isinstance(part, str) else ""
)
def test_whichever_is_killed_on_the_way_nobody_has_two_senders_and_both_go_on(
    swaps, tmp_path, victim, teller, text, widths
):
    name = "-".join((victim, *text.split()[:1]))
    with capture(swaps, tmp_path) as wire, both(swaps, tmp_path, name, widths, TOO_SLOW) as two:
        one = two.viewers[0]
        engines = {"first": two.first, "third": two.third}
        blow = Blow(swaps, engines[victim], engines[teller], one.session, text)
        with blow.falling():
            one.begin()
            wait_until(lambda: blow.at, why=swaps.logs)
            two.source.let_all()
            for each in two.viewers:
                each.wait_until("ended")
            received = [each.received for each in two.viewers]
            wholes = [swaps.stored(two.third, program["program"])[0] for program in two.programs]
    killed = engines[victim]["address"]
    for each, came, whole in zip(two.viewers, received, wholes, strict=True):
        frames = sent_to(wire, each)
        # Each packet that came is a later one than the one before, so there was one sender at a time.
        assert_subsequence(came, whole)
        assert len(senders(wire, each)) == len(set(senders(wire, each)))
        assert max(later.at - frame.at for frame, later in pairwise(frames)) < LEASE_S + GRACE_S
        assert frames[-1].data == whole[-len(frames[-1].data) :]
        if not may_have_had(wire, each, killed, blow.at):
            assert came == whole


def may_have_had(wire, one, engine, at):
    """Whether this engine was a viewer's sender at a moment, or was to be it."""
    before = [frame.source for frame in sent_to(wire, one) if frame.at <= at]
    last = before[-1] if before else one.engine.partition(":")[0]
    starts = wire.said("engine/start", destination=engine, session=one.session)
    return last == engine or any(start.status == 200 for start in starts)
