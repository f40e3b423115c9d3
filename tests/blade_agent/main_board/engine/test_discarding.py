"""An engine lets go of programs that were withdrawn, or are others now: segments, and copies on their way."""

import asyncio
import errno
import os

import pytest
from aiohttp import web
from msgspec.structs import replace

from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.engine.discarding import Discarding
from blade_agent.main_board.engine.store.store import SegmentStore
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.messages.obtaining import FETCH, CopyDone, CopyResult
from media_network.messages.program_information import (
    ASK_ENGINE_CHANGES,
    KEEP_CHANGES,
    AskChanges,
    Changes,
    KeepChanges,
    ProgramChange,
)
from media_network.messages.verb import Done
from media_network.refusal import Reason
from media_network.segment_table import SegmentTable
from tests.blade_agent.main_board.engine.station import (
    EPOCH,
    PROGRAM,
    engine,
    engine_at,
    inventory,
    make_segments,
    path_of,
    put,
    scripted,
    segment_of,
)
from tests.patience import until
from tests.programs import program_with

OTHER = Cut("another-film", "0" * 64)


def header_of(segments, version, **facts):
    return program_with(segments, program=PROGRAM, version=version, **facts).header


def page(*changes, epoch=EPOCH):
    """What a director tells, with all that there was before."""
    told = tuple(change if isinstance(change, ProgramChange) else change_of(change) for change in changes)
    return KeepChanges(epoch=epoch, changes=Changes(changes=told, until=max(change.version for change in told)))


def withdrawn(version):
    return ProgramChange(version=version, program=PROGRAM)


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

            async def keep(message):
                return await director.client.ask(here, KEEP_CHANGES, message)

            segments = [segment_of(number, each) for number, each in enumerate(data)]
            header = header_of(segments, 4)
            for number, each in enumerate(data[:2]):
                await put(store, header.cut, number, each)
            await put(store, OTHER, 0, data[0])
            order = director.fetch(segments[2], stuck)
            assert await keep(page(header)) == Done()
            refused = await director.client.ask(here, FETCH, order)
            assert refused.reason is Reason.UNKNOWN_PROGRAM, "that is another table than the program's"
            table = SegmentTable.of(segments)
            director.parts[table.sha256] = table.octets
            order = replace(order, table=table.sha256, table_bytes=len(table.octets))
            assert await director.client.ask(here, FETCH, order) == Done()
            await source.asked.wait()
            await until(lambda: any((folder / name).stat().st_size for name in files_of(folder) if "partial" in name))
            assert (await keep(page(withdrawn(5), epoch=EPOCH - 1))).reason is Reason.STALE_EPOCH
            assert await keep(page(withdrawn(3))) == Done()  # it is older than what is known
            assert inventory(store) == {OTHER.program: "0", PROGRAM: "0-1"}
            for _ in range(2):  # said twice it is the same
                assert await keep(page(withdrawn(5))) == Done()
                assert inventory(store) == {OTHER.program: "0"}
                other = segment_of(0, data[0])
                assert files_of(folder) == [str(path_of(folder, other, OTHER).relative_to(folder))]
                told = await director.client.ask(here, ASK_ENGINE_CHANGES, AskChanges(since=0))
                assert told.changes == (withdrawn(5),)
            await until(lambda: director.of(CopyDone))
            assert {done.result for done in director.of(CopyDone)} == {CopyResult.GIVEN_UP}
            # It may come again, and is stored then, whatever was said before.
            assert await keep(page(header_of(segments, 6))) == Done()
            await put(store, header.cut, 0, data[0])
            assert await keep(page(withdrawn(5))) == Done()
            assert inventory(store) == {OTHER.program: "0", PROGRAM: "0"}
        await source.runner.cleanup()

    asyncio.run(story())


def test_what_is_another_program_under_the_same_name_goes(tmp_path):
    async def story():
        data = make_segments(2)
        here = engine_at(2)
        async with scripted() as director, engine(director, tmp_path / "a", here) as store:

            async def keep(header):
                assert await director.client.ask(here, KEEP_CHANGES, page(header)) == Done()
                return inventory(store)

            first, other = (
                header_of([segment_of(0, each)], version) for each, version in zip(data, (4, 6), strict=True)
            )
            await put(store, first.cut, 0, data[0])
            assert await keep(first) == {PROGRAM: "0"}
            assert await keep(replace(first, version=5, title="River II")) == {PROGRAM: "0"}, "the same segments"
            await put(store, other.cut, 0, data[1])
            assert await keep(other) == {PROGRAM: "0"}
            assert store.cuts() == [other.cut]
            assert await keep(replace(first, version=5)) == {PROGRAM: "0"}, "older than what is known"
            assert store.cuts() == [other.cut]

    asyncio.run(story())


def test_what_a_disk_brings_back_that_was_away_goes_before_anybody_hears_of_it(tmp_path):
    """Of a program that was withdrawn, and of one that is another now; of what is not known nothing goes."""
    data = make_segments(3)
    gone, former, unknown = (Cut(name, "0" * 64) for name in ("gone", PROGRAM, "unknown"))

    async def story():
        here, disk = engine_at(2), tmp_path / "a"
        header = header_of([segment_of(0, data[0])], 4)
        async with scripted() as director, engine(director, disk, here) as store:
            changes = [header, ProgramChange(version=5, program="gone")]
            assert await director.client.ask(here, KEEP_CHANGES, page(*changes)) == Done()
            for cut in (header.cut, gone, former, unknown):
                await put(store, cut, 0, data[0])
        catalogue = Catalogue(DiskFiles(), tmp_path / "a catalogue")
        await catalogue.load()
        store = await SegmentStore.open(DiskFiles(), [disk])
        assert len(store.cuts()) == 4
        await Discarding(store).discard_gone(catalogue)
        held = store.cuts()
        store.close()
        again = await SegmentStore.open(DiskFiles(), [disk])
        assert again.cuts() == held
        again.close()
        return held, header.cut

    held, current = asyncio.run(story())
    assert held == sorted([current, unknown])


class RefusingFiles(DiskFiles):
    """A disk that removes nothing, while it refuses."""

    refuses_with = 0

    def remove(self, path):
        if self.refuses_with:
            raise OSError(self.refuses_with, os.strerror(self.refuses_with))
        super().remove(path)


@pytest.mark.parametrize("error", [errno.EIO, errno.EPERM])
def test_what_cannot_be_removed_counts_for_nothing_and_holds_up_no_other_program(tmp_path, error):
    async def story():
        data = make_segments(1)
        here, files, folder = engine_at(2), RefusingFiles(), tmp_path / "a"
        async with scripted() as director, engine(director, folder, here, files=files) as store:
            header = header_of([segment_of(0, data[0])], 4)
            file = path_of(folder, segment_of(0, data[0]), header.cut)
            await put(store, header.cut, 0, data[0])
            assert await director.client.ask(here, KEEP_CHANGES, page(header)) == Done()
            files.refuses_with = error
            news = program_with([segment_of(0, data[0])], program="another", version=6).header
            assert await director.client.ask(here, KEEP_CHANGES, page(withdrawn(5), news)) == Done()
            assert inventory(store) == {}
            told = await director.client.ask(here, ASK_ENGINE_CHANGES, AskChanges(since=0))
            assert (told.changes, told.until) == ((withdrawn(5), change_of(news)), 6)
            assert file.exists()
        # As after a kill: another start finds the file, and knows that it is of nothing.
        catalogue = Catalogue(DiskFiles(), tmp_path / "a catalogue")
        await catalogue.load()
        store = await SegmentStore.open(DiskFiles(), [folder])
        await Discarding(store).discard_gone(catalogue)
        assert (store.cuts(), file.exists()) == ([], False)
        store.close()

    asyncio.run(story())


def test_what_an_interrupted_copy_left_goes_too(tmp_path):
    async def story():
        data = make_segments(1, packets=12_000)
        source = StuckSource(data[0])
        stuck = await source.serve()
        folder, here = tmp_path / "a", engine_at(2)
        async with scripted() as director, engine(director, folder, here):
            await director.client.ask(here, FETCH, director.fetch(segment_of(0, data[0]), stuck))
            await source.asked.wait()
            await until(lambda: any((folder / name).stat().st_size for name in files_of(folder)))
        await source.runner.cleanup()
        # As after a kill: another start finds the partial.
        async with scripted() as director, engine(director, folder, here) as store:
            assert await director.client.ask(here, KEEP_CHANGES, page(withdrawn(5))) == Done()
            assert files_of(folder) == []
            assert inventory(store) == {}

    asyncio.run(story())
