"""Engines that drain, and engines whose director changes, with real sockets: what they send stays exact."""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.engine.engine import open_engine
from blade_agent.main_board.engine.engine_figures import EngineCounters
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.server import serve_ports
from media_network.messages.enlisting import Enlist, Report, TurnPhase
from media_network.messages.program_information import (
    ASK_ENGINE_CHANGES,
    KEEP_CHANGES,
    AskChanges,
    Changes,
    KeepChanges,
    ProgramChange,
)
from media_network.messages.streaming import (
    CEASE,
    PRELOAD,
    STREAM,
    Assumed,
    Cease,
    HandOver,
    Next,
    NextSegment,
    StopCause,
    Stopped,
    Stream,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    KEY,
    PROGRAM,
    begin,
    console,
    duty_of,
    engine_at,
    make_segments,
    media_of,
    preload,
    put,
    scripted,
    segment_of,
)
from tests.patience import until
from tests.programs import program_with

RATE_BPS = 4_000_000
NOW_MS = 9_000_000_000_000


@pytest.fixture
def hosts():
    return [engine_at(slot) for slot in (2, 3)]


@asynccontextmanager
async def bare_engine(director, folder, address, slot):
    """An engine that the test holds itself; yields it with its store."""
    store = await SegmentStore.open(DiskFiles(), [folder])
    catalogue = Catalogue(DiskFiles(), folder.parent / f"{folder.name} catalogue")
    await catalogue.load()
    duty = duty_of(director, address, slot)
    async with (
        open_engine(duty, store, catalogue, random.Random(slot), EngineCounters()) as engine,
        serve_ports(engine.table(), control=address, media=media_of(address)),
    ):
        running = asyncio.create_task(engine.run())
        await until(lambda: any(report.engine == str(address) for report in director.of(Report)))
        try:
            yield engine, store, duty
        finally:
            running.cancel()
            await asyncio.wait([running])
            store.close()


def in_the_middle(turn, address, segment):
    """Answers to NEXT_SEGMENT: go on in the same segment at another engine."""
    return Next(HandOver(turn=turn, engine=str(address), segment=segment, packet=0))


def test_a_draining_engine_hands_over_within_the_segment_at_once_and_exactly(tmp_path, hosts):
    asyncio.run(_drain(tmp_path, hosts))


async def _drain(tmp_path, hosts):
    (data,) = make_segments(1, packets=12_000)  # 4.5 s
    segment = segment_of(0, data)
    async with (
        scripted() as director,
        console() as ear,
        bare_engine(director, tmp_path / "a", hosts[0], 2) as (first, store_a, _),
        bare_engine(director, tmp_path / "b", hosts[1], 3) as (second, store_b, _),
    ):
        for store in (store_a, store_b):
            await put(store, CUT, 0, data)
        director.plan[1] = [in_the_middle(2, hosts[1], segment)]
        await begin(director, hosts[0], preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: len(ear.datagrams) > 50)
        assert first.carried == 1
        first.drain(draining=True)
        await until(lambda: first.carried == 0)
        await until(lambda: director.of(Stopped) and len(ear.received) >= len(data))
        assert ear.received == data
        assert ear.senders == [hosts[0].host, hosts[1].host]
        [question] = [each for each in director.of(NextSegment) if each.turn == 1]
        [assumed] = [each for each in director.of(Assumed) if each.turn == 2]
        assert 0 < question.packet <= assumed.packet < segment.packets - 3000
        assert any(report.draining for report in director.of(Report))
        assert (first.counters.hand_overs_out, second.counters.hand_overs_in) == (1, 1)


def test_where_nobody_takes_over_a_draining_engine_goes_on_sending(tmp_path, hosts):
    asyncio.run(_drain_in_vain(tmp_path, hosts))


async def _drain_in_vain(tmp_path, hosts):
    (data,) = make_segments(1, packets=6000)  # 2.3 s
    segment = segment_of(0, data)
    nobody = Address("127.0.0.9", 1)
    async with (
        scripted() as director,
        console() as ear,
        bare_engine(director, tmp_path / "a", hosts[0], 2) as (first, store, _),
    ):
        await put(store, CUT, 0, data)
        director.plan[1] = [in_the_middle(2, nobody, segment), Refused(Reason.NO_ENGINE), Next(None)]
        await begin(director, hosts[0], preload("s", 1, segment, ear.address, RATE_BPS))
        await until(lambda: len(ear.datagrams) > 50)
        first.drain(draining=True)
        await until(lambda: director.of(Stopped) and len(ear.received) >= len(data))
        assert ear.received == data
        assert director.of(Stopped)[0].cause is StopCause.END_OF_PROGRAM
        assert str(nobody) in director.of(NextSegment)[1].failed


def test_a_stream_goes_on_while_the_director_changes(tmp_path, hosts):
    asyncio.run(_change_director(tmp_path, hosts[0]))


async def _change_director(tmp_path, host):
    (data,) = make_segments(1, packets=8000)  # 3 s
    segment = segment_of(0, data)
    async with (
        scripted() as before,
        scripted() as after,
        console() as ear,
        bare_engine(before, tmp_path / "a", host, 2) as (engine, store, duty),
    ):
        await put(store, CUT, 0, data)
        await begin(before, host, preload("s", 1, segment, ear.address, RATE_BPS))
        waiting = preload("t", 1, segment, ear.address, RATE_BPS)
        prepared = preload("u", 4, segment, ear.address, RATE_BPS)
        for order in (waiting, prepared):
            await before.client.ask(host, PRELOAD, order)
        await until(lambda: len(ear.datagrams) > 50)
        before.silent.set()
        engine.follow(replace(duty, director=after.address, epoch=EPOCH + 1))
        await until(lambda: after.of(Enlist))
        told = {each.cursor.session: each for each in after.of(Enlist)[0].streams}
        assert after.of(Enlist)[0].ticket_keys == (KEY.hex(),), "playlists of the director before go on"
        assert {session: each.phase for session, each in told.items()} == {
            "s": TurnPhase.SENDING,
            "t": TurnPhase.PRELOADED,
        }
        assert (told["s"].program, told["s"].console) == (PROGRAM, ear.address)
        assert told["s"].cursor.packet <= told["s"].cursor.reach
        # The director of before has no say any more; its tickets are as good as ever.
        stale = await after.client.ask(host, CEASE, Cease(session="s", turn=9, epoch=EPOCH))
        assert stale.reason is Reason.STALE_EPOCH
        late = await after.client.ask(host, PRELOAD, preload("v", 1, segment, ear.address, RATE_BPS))
        assert late.reason is Reason.STALE_EPOCH
        await until(lambda: after.of(Stopped) and len(ear.received) >= len(data))
        assert ear.received == data
        stream = Stream(session="t", turn=1, ticket=KEY.sign("t", PROGRAM))
        assert await after.client.ask(media_of(host), STREAM, stream) == Done()
        assert {each.turn for each in after.of(NextSegment)} == {1}


def test_program_information_is_kept_for_the_next_director(tmp_path, hosts):
    asyncio.run(_keep(tmp_path, hosts[0]))


async def _keep(tmp_path, host):
    (data,) = make_segments(1)
    header = program_with([segment_of(0, data)], program=PROGRAM, rate_bps=RATE_BPS, version=4).header
    page = Changes(changes=(change_of(header), ProgramChange(version=7, program="epic")), until=5, now_ms=NOW_MS)
    async with scripted() as director, bare_engine(director, tmp_path / "a", host, 2):
        stale = await director.client.ask(host, KEEP_CHANGES, KeepChanges(epoch=EPOCH - 1, changes=page))
        assert stale.reason is Reason.STALE_EPOCH
        assert await director.client.ask(host, KEEP_CHANGES, KeepChanges(epoch=EPOCH, changes=page)) == Done()
        told = await director.client.ask(host, ASK_ENGINE_CHANGES, AskChanges(since=0))
        assert (told.changes, told.until, told.more) == (page.changes, 5, False)
        assert told.now_ms >= NOW_MS
        told = await director.client.ask(host, ASK_ENGINE_CHANGES, AskChanges(since=4))
        assert told.changes == page.changes[1:]
        director.refuse_reports = Refused(Reason.UNKNOWN_ENGINE)
        await until(lambda: len(director.of(Enlist)) > 1)
        assert (director.of(Enlist)[-1].heard, director.of(Enlist)[-1].newest) == (5, 7)
    again = Catalogue(DiskFiles(), tmp_path / "a catalogue")
    await again.load()
    assert (again.get(PROGRAM), again.withdrawn_at("epic"), again.heard) == (header, 7, 5)
    assert again.clock.newest_told_ms == NOW_MS
