"""Real engines over TLS, under a director whose key of tokens the test has: copies with good tokens, and others."""

import asyncio
import random
import time
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.engine.engine import EngineDuty, run_engine
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.server import serve, serve_ports
from media_network.identity.credentials import Credentials
from media_network.messages.enlisting import REPORT, Enlist, Reported
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult
from media_network.messages.verb import Done
from media_network.ticket import COPY_HOLDER
from media_network.tokens.engine_token import CopyRequest, EngineTokenIssuer
from tests.blade_agent.main_board.engine.station import (
    CUT,
    EPOCH,
    KEY,
    PROGRAM,
    ScriptedDirector,
    engine_at,
    inventory,
    make_segments,
    media_of,
    put,
)
from tests.identities import TestAuthority, thumbprint_of
from tests.patience import PATIENCE_S, until

DIRECTOR, SOURCE, RECEIVING = (engine_at(slot) for slot in (201, 202, 203))
ISSUER = EngineTokenIssuer("north", b"i" * 32)
TICKET = KEY.sign(f"{COPY_HOLDER}0", PROGRAM)
DATA = make_segments(1, packets=4000)[0]
COPY = {"a token that is good": 0, "one that has expired": -1000, "one that begins in an hour": 3600}


@asynccontextmanager
async def engine(director, folder, address, settings):
    """A real engine with a certificate, which has enlisted."""
    slot = int(address.host.rpartition(".")[2]) - 200
    duty = EngineDuty(
        slot=slot,
        address=address,
        media=media_of(address),
        director=DIRECTOR,
        epoch=EPOCH,
        capacity_bps=10**9,
        identification=Credentials(settings),
    )
    (folder / f"{slot}").mkdir()
    store = await SegmentStore.open(DiskFiles(), [folder / f"{slot}"])
    catalogue = Catalogue(DiskFiles(), folder / f"{slot} catalogue")
    await catalogue.load()
    task = asyncio.create_task(run_engine(duty, store, catalogue, random.Random(slot)))
    fresh = asyncio.create_task(duty.identification.keep_fresh())
    try:
        await until(lambda: [each for each in director.of(Enlist) if each.slot == slot])
        yield store
    finally:
        for each in (task, fresh):
            each.cancel()
        await asyncio.wait([task, fresh])
        store.close()


@pytest.mark.parametrize("what", COPY)
def test_a_copy_is_made_with_a_token_that_is_good_at_this_time_and_with_no_other(tmp_path, what, caplog):
    caplog.set_level("INFO")
    authority = TestAuthority(tmp_path / "identities")
    director = ScriptedDirector(token_keys=ISSUER.jwks, address=DIRECTOR)
    own = Credentials(authority.issue("blade/north/1", DIRECTOR.host))
    receiver = authority.issue("blade/north/3", RECEIVING.host)

    async def story():
        async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as stack:
            served = serve_ports(director.table(), control=DIRECTOR, media=media_of(DIRECTOR), identification=own)
            await stack.enter_async_context(served)
            http = await stack.enter_async_context(HttpClient(random.Random(1), DIRECTOR.host, own))
            giver = authority.issue("blade/north/2", SOURCE.host)
            source = await stack.enter_async_context(engine(director, tmp_path, SOURCE, giver))
            receiving = await stack.enter_async_context(engine(director, tmp_path, RECEIVING, receiver))
            segment = await put(source, CUT, 0, DATA)
            token = ISSUER.issue(CopyRequest(CUT, 0, thumbprint_of(receiver)), time.time() + COPY[what])
            order = director.fetch(
                *(segment, media_of(SOURCE)),
                ticket=TICKET,
                control=str(SOURCE),
                token=token,
                parts=str(media_of(DIRECTOR)),
            )
            assert await http.ask(RECEIVING, FETCH, order) == Done()
            (done,) = await until(lambda: director.of(CopyDone))
            return done, inventory(receiving)

    done, held = asyncio.run(story())
    good = COPY[what] == 0
    assert done.result is (CopyResult.STORED if good else CopyResult.SOURCE_LOST)
    assert held == ({PROGRAM: "0"} if good else {})
    assert done.copied_bytes == (len(DATA) if good else 0)
    refused = [said for said in caplog.messages if "is refused a copy of segment 0" in said]
    assert len(refused) == (0 if good else 1)


def test_a_director_sees_another_certificate_at_once(tmp_path):
    """The tokens of an engine are bound to the one that its director saw last."""
    authority = TestAuthority(tmp_path / "identities")
    director = ScriptedDirector(interval_ms=60_000, lease_ms=600_000, address=DIRECTOR)
    own = Credentials(authority.issue("blade/north/1", DIRECTOR.host))
    seen = []

    async def note(_, asker):
        seen.append(asker.peer.thumbprint)
        return Reported()

    async def story():
        async with asyncio.timeout(PATIENCE_S), AsyncExitStack() as stack:
            table = director.table()
            table.posts[:] = [post for post in table.posts if post.verb is not REPORT]
            table.verb_by_asker(REPORT, note)
            await stack.enter_async_context(serve(table, DIRECTOR, identification=own))
            settings = authority.issue("blade/north/2", SOURCE.host)
            await stack.enter_async_context(engine(director, tmp_path, SOURCE, settings))
            before = thumbprint_of(settings)
            await until(lambda: seen == [before])
            authority.renew("blade/north/2")
            await until(lambda: len(seen) == 2)
            assert seen[1] == thumbprint_of(settings) != before

    asyncio.run(story())
