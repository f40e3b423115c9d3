"""A director's term: what breaks it down, and what must not outlive it."""

import asyncio
import dataclasses
import errno
import random

import pytest
from msgspec.structs import replace

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.director.director import open_director
from blade_agent.main_board.director.director_figures import DirectorCounters
from blade_agent.main_board.director.sessions.states import Seeking
from media_network.address import Address
from media_network.http.asker import Asker
from media_network.identity.identification import Peer
from media_network.identity.identity import Identity
from media_network.messages.enlisting import ENLIST, REPORT, Enlisted, RunningStream, TurnPhase
from media_network.messages.obtaining import OBTAIN, ObtainStanding
from media_network.messages.program_information import ASK_ENGINE_CHANGES, AskChanges
from media_network.messages.streaming import PLAY, PRELOAD, Play, StopCause
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.director.stage import (
    CONSOLE,
    DIRECTOR,
    STATE,
    cursor_of,
    engine_address,
    order_of,
    program_of,
    stage,
)

FILM = program_of()
ALL = "0-3"
HOST = Address.parse(CONSOLE).host


def running(session, turn, phase, segment=0, program="film"):
    return RunningStream(
        cursor=cursor_of(session, turn, segment, 0),
        phase=phase,
        program=program,
        table=FILM.header.table,
        console=CONSOLE,
        first_packet=0,
    )


def directs(world):
    return not world.director._term.tasks._aborting and not world.director._term.tasks._exiting


class FullDisk:
    def make_folder(self, _):
        pass

    def list_folder(self, _):
        return []

    def append(self, _):
        raise OSError(errno.ENOSPC, "No space left on device")

    remove = append


def test_a_full_disk_does_not_end_a_term_that_recalls_what_an_engine_kept():
    with stage({2: ALL}) as world:
        engine = world.engines[2]
        engine.kept, engine.known_until = [change_of(FILM.header)], 1

        async def story():
            world.director._catalogue._files = FullDisk()
            answer = await world.ask(ENLIST, engine.enlistment())
            assert isinstance(answer, Enlisted)
            await asyncio.sleep(1.0)
            assert engine.of(AskChanges)
            assert directs(world)

        world.tell(story)


def test_a_number_that_no_load_can_be_is_a_broken_message():
    with stage({2: ALL, 3: ""}) as world:

        async def story():
            engine = world.engines[2]
            engine.reports = False
            answer = await world.ask(REPORT, replace(engine.report(), pull_bps=10**400))
            assert answer.reason is Reason.BAD_MESSAGE
            order = order_of(FILM, source=DIRECTOR, copies=2)
            assert await world.ask(OBTAIN, order) == ObtainStanding()
            await asyncio.sleep(1.0)
            assert directs(world)

        world.tell(story, FILM)


async def opened(world, story):
    """Tell a story with a director of a term of its own, whose role is taken from it at the end."""
    catalogue = Catalogue(world.disk, STATE / "catalogue")
    await catalogue.load()
    duty = dataclasses.replace(world.duty, address=Address("127.1.1.9", 8081))
    async with open_director(duty, catalogue, random.Random(5), DirectorCounters()) as director:
        answers = {post.verb: post.answer for post in director.handlers().posts}
        kept = await story(catalogue, answers)
        for task in director._term.tasks._tasks:
            task.cancel()
    return catalogue, kept


def test_a_blade_that_directed_once_keeps_programs_for_the_next():
    with stage({2: ALL}) as world:

        async def enlist(_, answers):
            assert isinstance(await answers[ENLIST](world.engines[2].enlistment(), Asker(HOST)), Enlisted)

        async def story():
            catalogue, _ = await opened(world, enlist)
            await catalogue.learn([change_of(program_of(name="other").header)])
            assert catalogue.get("other")

        world.tell(story)


@pytest.mark.parametrize("slot", [2, 3])
def test_a_blade_enlists_itself_and_no_other(slot):
    """Who shows a certificate speaks for the host that it asks from, in the slot that it is for."""
    host = engine_address(slot).host
    asker = Asker(host, Peer(Identity.named("lab.example", f"blade/north/{slot}"), "thumbprint"), identified=True)
    with stage({2: ALL}) as world:

        async def enlist(_, answers):
            return await answers[ENLIST](world.engines[2].enlistment(), asker)

        async def story():
            _, answer = await opened(world, enlist)
            assert isinstance(answer, Enlisted) if slot == 2 else answer.reason is Reason.NOT_ALLOWED

        world.tell(story)


def test_what_is_asked_when_the_term_ends_is_answered():
    with stage({2: ALL, 3: ALL}) as world:
        world.engines[2].deaf_to = {PRELOAD}

        async def ask(catalogue, answers):
            await catalogue.parts.keep(FILM.header, FILM.segments.octets)
            await catalogue.learn([change_of(FILM.header)])
            await answers[ENLIST](world.engines[2].enlistment(), Asker(HOST))
            asking = asyncio.create_task(answers[PLAY](Play(program="film", console=CONSOLE), Asker(HOST)))
            await asyncio.sleep(0.3)
            return asking

        async def story():
            _, asking = await opened(world, ask)
            assert (await asking).reason is Reason.WRONG_ROLE

        world.tell(story)


def test_a_session_that_looks_for_an_engine_does_so_no_longer_than_the_term():
    with stage({2: ALL}) as world:
        direct = world.direct

        async def direct_for_a_while():
            world.directing = asyncio.create_task(direct())
            await asyncio.wait([world.directing])
            await asyncio.Event().wait()

        world.direct = direct_for_a_while

        async def story():
            session, _ = await world.streaming()
            world.engines[2].reports = False
            await asyncio.sleep(0.6)
            world.director._roster.suspect(world.engines[2].address)
            await world.stop(session, 1, StopCause.FAILED, 0, 70)
            conversation = world.director._pushes._conversations[session]
            assert isinstance(conversation.session.state, Seeking)
            world.directing.cancel()
            await asyncio.sleep(1.0)
            assert conversation._waking is None

        world.tell(story, FILM)


def test_a_console_that_waits_longer_than_its_patience_is_turned_away():
    slots = range(2, 11)
    with stage(dict.fromkeys(slots, ALL)) as world:

        async def story():
            for slot in slots:
                world.engines[slot].deaf_to = {PRELOAD}
            answer = await world.director._pushes.play(Play(program="film", console=CONSOLE), Asker(HOST))
            assert answer.reason is Reason.NO_ENGINE

        world.tell(story, FILM)


def test_an_older_preload_does_not_take_the_place_of_the_one_the_console_was_told():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            for slot, turn in ((3, 2), (2, 1)):
                streams = (running("s", turn, TurnPhase.PRELOADED),)
                await world.ask(ENLIST, replace(world.engines[slot].enlistment(), streams=streams))
            assert await world.assume("s", 2, 3) == Done()

        world.tell(story, FILM)


def test_a_stream_in_a_segment_that_its_program_has_not_is_not_taken_over():
    with stage({2: ALL, 3: "0-9"}) as world:

        async def story():
            for slot, turn, segment in ((2, 1, 0), (3, 2, 7)):
                streams = (running("s", turn, TurnPhase.SENDING, segment),)
                await world.ask(ENLIST, replace(world.engines[slot].enlistment(), streams=streams))
            assert isinstance(await world.next("s", 2, segment=7), Refused)

        world.tell(story, FILM)


def test_an_engine_that_was_taken_for_dead_once_is_counted_when_it_is_lost_again():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            director = world.director
            record = director._roster.get(world.engines[2].address)
            director._died(record)
            await asyncio.sleep(1.5)
            assert not record.silent
            world.engines[2].reports = False
            await asyncio.sleep(12)
            assert director._roster.get(record.address) is None
            assert director.figures().counted.engines_lost == 2

        world.tell(story, FILM)


def test_an_enlistment_that_is_late_does_not_undo_the_one_that_came_after():
    with stage({2: ALL, 3: ALL}) as world:

        async def story():
            engine = world.engines[2]
            engine.reports = False
            engine.deaf_to = {ASK_ENGINE_CHANGES}
            streams = (running("s", 1, TurnPhase.SENDING), running("t", 1, TurnPhase.SENDING, program="unknown"))
            first = asyncio.create_task(world.ask(ENLIST, replace(engine.enlistment(), streams=streams)))
            await asyncio.sleep(0.2)
            assert isinstance(await world.ask(ENLIST, engine.enlistment()), Enlisted)
            assert (await first).reason is Reason.UNKNOWN_ENGINE
            assert await world.view("s") is None

        world.tell(story, FILM)
