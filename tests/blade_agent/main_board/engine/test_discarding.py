"""An engine lets go of programs that were given up: segments, copies on their way, and their information."""

import asyncio

from aiohttp import web
from msgspec.structs import replace

from media_network.address import Address
from media_network.messages.obtaining import DISCARD, FETCH, CopyDone, Discard, Fetch
from media_network.messages.program_information import ASK_PROGRAM, KEEP_PROGRAM, AskProgram, KeepProgram
from media_network.messages.verb import Done
from media_network.program import Program, ProgramState
from media_network.refusal import Reason
from tests.blade_agent.main_board.engine.station import (
    EPOCH,
    PROGRAM,
    engine,
    engine_at,
    make_segments,
    path_of,
    put,
    scripted,
    segment_of,
)
from tests.patience import until


def program_of(segments, state=ProgramState.INACTIVE):
    return Program(
        program=PROGRAM, title="River", rate_bps=10**6, sha256="a" * 64, segments=tuple(segments), state=state
    )


def files_of(folder):
    """All that is on the disk, but for folders with nothing in them."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class StuckSource:
    """Gives the first half of whatever is asked for, and then nothing."""

    def __init__(self, data):
        self.data = data
        self.asked = asyncio.Event()

    async def get(self, request):
        response = web.StreamResponse(headers={"Content-Length": str(len(self.data))})
        await response.prepare(request)
        await response.write(self.data[: len(self.data) // 2])
        self.asked.set()
        await asyncio.sleep(3600)
        return response

    async def serve(self):
        app = web.Application()
        app.router.add_get("/{path:.*}", self.get)
        self.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        return Address(*site._server.sockets[0].getsockname()[:2])


def test_segments_and_copies_on_their_way_and_information_go(tmp_path):
    async def story():
        data = make_segments(3, packets=12_000)
        source = StuckSource(data[2])
        stuck = await source.serve()
        folder, here = tmp_path / "a", engine_at(2)
        async with scripted() as director, engine(director, folder, here) as store:
            segments = [await put(store, PROGRAM, number, each) for number, each in enumerate(data[:2])]
            await put(store, "another-film", 0, data[0])
            keep = KeepProgram(epoch=EPOCH, program=program_of(segments))
            assert await director.client.ask(here, KEEP_PROGRAM, keep) == Done()
            fetch = Fetch(epoch=EPOCH, program=PROGRAM, segment=segment_of(2, data[2]), source=str(stuck), ticket="t")
            assert await director.client.ask(here, FETCH, fetch) == Done()
            await source.asked.wait()
            await until(lambda: any((folder / name).stat().st_size for name in files_of(folder) if "partial" in name))
            stale = Discard(epoch=EPOCH - 1, programs=(PROGRAM,))
            assert (await director.client.ask(here, DISCARD, stale)).reason is Reason.STALE_EPOCH
            assert store.inventory() == {"another-film": "0", PROGRAM: "0-1"}
            for _ in range(2):  # said twice it is the same
                assert await director.client.ask(here, DISCARD, Discard(epoch=EPOCH, programs=(PROGRAM,))) == Done()
                assert store.inventory() == {"another-film": "0"}
                other = segment_of(0, data[0])
                assert files_of(folder) == [str(path_of(folder, other, "another-film").relative_to(folder))]
                assert (await director.client.ask(here, ASK_PROGRAM, AskProgram(PROGRAM))).reason
            assert not director.of(CopyDone), "nobody waits for a copy that was given up"
            # It may come again, and is stored then.
            await put(store, PROGRAM, 0, data[0])
            assert store.inventory() == {"another-film": "0", PROGRAM: "0"}
        await source.runner.cleanup()

    asyncio.run(story())


def test_what_is_in_service_stays(tmp_path):
    async def story():
        data = make_segments(1)
        here = engine_at(2)
        async with scripted() as director, engine(director, tmp_path / "a", here) as store:
            program = program_of([await put(store, PROGRAM, 0, data[0])], ProgramState.PUBLISHED)
            await director.client.ask(here, KEEP_PROGRAM, KeepProgram(epoch=EPOCH, program=program))
            await director.client.ask(here, DISCARD, Discard(epoch=EPOCH, programs=(PROGRAM,)))
            assert store.inventory() == {PROGRAM: "0"}
            assert await director.client.ask(here, ASK_PROGRAM, AskProgram(PROGRAM)) == replace(program)

    asyncio.run(story())


def test_what_an_interrupted_copy_left_goes_too(tmp_path):
    async def story():
        data = make_segments(1, packets=12_000)
        source = StuckSource(data[0])
        stuck = await source.serve()
        folder, here = tmp_path / "a", engine_at(2)
        async with scripted() as director, engine(director, folder, here):
            fetch = Fetch(epoch=EPOCH, program=PROGRAM, segment=segment_of(0, data[0]), source=str(stuck), ticket="t")
            await director.client.ask(here, FETCH, fetch)
            await source.asked.wait()
            await until(lambda: any((folder / name).stat().st_size for name in files_of(folder)))
        await source.runner.cleanup()
        # As after a kill: another start finds the partial.
        async with scripted() as director, engine(director, folder, here) as store:
            assert await director.client.ask(here, DISCARD, Discard(epoch=EPOCH, programs=(PROGRAM,))) == Done()
            assert files_of(folder) == []
            assert store.inventory() == {}

    asyncio.run(story())
