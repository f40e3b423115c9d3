"""Parts of programs on a blade: right or not there, from whoever has them."""

import asyncio
import errno
import os
import random
from contextlib import asynccontextmanager
from functools import partial

import pytest

from blade_agent.main_board import parts as module
from blade_agent.main_board.parts import Parts, with_parts
from media_network.address import Address
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.parts import part_response
from media_network.http.server import HandlerTable, serve
from media_network.messages.program_information import PART_PATH
from media_network.program_header import ProgramHeader
from media_network.segment_table import BadTable, SegmentTable
from tests.blade_agent.main_board.director.stage import program_of
from tests.damages import DAMAGES
from tests.patience import until
from tests.programs import empty_segments

FILM = program_of()
OTHER = program_of(name="epic", first=100)
TABLE, OCTETS = FILM.header.table, FILM.segments.octets


@pytest.fixture
def parts(tmp_path):
    return Parts(DiskFiles(), tmp_path)


class Source:
    """Gives what a test has it give, whatever the digest."""

    def __init__(self, octets=OCTETS):
        self.octets = octets
        self.asked = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(self, _):
        self.asked += 1
        await self.may_answer.wait()
        return self.octets


@asynccontextmanager
async def served(*sources):
    """A voice, and the addresses of these."""
    async with asyncio.TaskGroup() as tasks, HttpClient(random.Random(1)) as http:
        leaving = asyncio.Event()

        async def be(source, known):
            table = HandlerTable("source")
            table.resource(PART_PATH, partial(part_response, read=source.read), "Parts of programs.")
            async with serve(table, Address("127.0.0.1", 0)) as address:
                known.set_result(address)
                await leaving.wait()

        addresses = []
        for source in sources:
            known = asyncio.get_running_loop().create_future()
            tasks.create_task(be(source, known))
            addresses.append(await known)
        try:
            yield http, addresses
        finally:
            leaving.set()


def test_what_was_kept_is_here_after_a_restart_until_it_is_forgotten(tmp_path, parts):
    async def story():
        assert (await parts.read(TABLE), await parts.program(FILM.header), parts.at_hand(FILM.header)) == (None,) * 3
        assert await parts.keep(FILM.header, OCTETS) == FILM
        assert parts.at_hand(FILM.header) == FILM
        again = Parts(DiskFiles(), tmp_path)
        assert again.at_hand(FILM.header) is None
        assert await again.read(TABLE) == OCTETS
        assert await again.program(FILM.header) == FILM
        later = program_of(version=2, title="Film II").header
        assert again.at_hand(later).header == later, "the same table"
        for _ in range(2):
            await again.forget(TABLE)
            assert (await again.read(TABLE), again.at_hand(FILM.header)) == (None, None)
        assert again._at_hand_bytes == 0
        assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_part_is_none_and_is_fetched_again(tmp_path, parts, caplog, damage):
    async def story():
        await parts.keep(FILM.header, OCTETS)
        damage(tmp_path / TABLE)
        again = Parts(DiskFiles(), tmp_path)
        assert await again.read(TABLE) is None
        assert f"{TABLE}.damaged-1: whoever has it gives it again" in caplog.text
        async with served(Source()) as (http, sources):
            assert await again.fetch(FILM.header, sources, http) == FILM
            assert await again.hold(TABLE, len(OCTETS), sources[0], http)
        assert await Parts(DiskFiles(), tmp_path).program(FILM.header) == FILM

    asyncio.run(story())


def test_a_part_that_rots_while_it_is_held_comes_anew_without_a_restart(tmp_path, parts):
    async def story():
        await parts.keep(FILM.header, OCTETS)
        (tmp_path / TABLE).write_bytes(OCTETS[:-1] + b"x")
        assert await parts.read(TABLE) is None
        async with served(Source()) as (http, sources):
            assert await parts.hold(TABLE, len(OCTETS), sources[0], http)
        assert await parts.read(TABLE) == OCTETS

    asyncio.run(story())


def test_what_is_another_part_than_its_name_says_is_none(tmp_path, parts):
    async def story():
        await parts.keep(OTHER.header, OTHER.segments.octets)
        (tmp_path / OTHER.header.table).rename(tmp_path / TABLE)
        assert await Parts(DiskFiles(), tmp_path).read(TABLE) is None

    asyncio.run(story())


def lying(**facts):
    """A header that says something else of the same table."""
    fields = {name: getattr(FILM.header, name) for name in ProgramHeader.__struct_fields__}
    return ProgramHeader(**{**fields, **facts})


@pytest.mark.parametrize(
    ("header", "octets"),
    [
        (OTHER.header, OCTETS),
        (FILM.header, OCTETS[:-1]),
        (FILM.header, OCTETS + bytes(96)),
        (lying(segments=5), OCTETS),
        (lying(length_bytes=188), OCTETS),
        (lying(duration_ticks=1), OCTETS),
    ],
    ids=["another", "shorter", "longer", "segments", "bytes", "ticks"],
)
def test_what_is_not_the_programs_table_is_not_kept_and_not_fetched(tmp_path, parts, header, octets):
    async def story():
        with pytest.raises(BadTable):
            await parts.keep(header, octets)
        async with served(Source(octets)) as (http, sources):
            assert await parts.fetch(header, sources, http) is None
        assert parts.at_hand(header) is None
        assert list(tmp_path.iterdir()) == []

    asyncio.run(story())


def test_what_the_first_does_not_give_the_second_does(tmp_path, parts, free_port):
    async def story():
        nobody = Address("127.0.0.1", free_port())
        has_it_not, lies, long, right, last = (
            Source(None),
            Source(OTHER.segments.octets),
            Source(OCTETS + bytes(1)),
            Source(),
            Source(),
        )
        async with served(has_it_not, lies, long, right, last) as (http, sources):
            assert await parts.fetch(FILM.header, [nobody, *sources], http) == FILM
            assert [source.asked for source in (has_it_not, lies, long, right, last)] == [1, 1, 1, 1, 0]
            assert await parts.fetch(FILM.header, sources, http) == FILM
            assert right.asked == 1, "it is in memory"
            assert list(tmp_path.iterdir()) == [], "what is only played takes no room on the disk"
            assert await parts.fetch(OTHER.header, sources, http) == OTHER
            assert await parts.fetch(program_of(first=200).header, sources, http) is None

    asyncio.run(story())


def test_fifty_that_ask_at_once_fetch_once_and_none_waits_in_vain_when_another_leaves(parts):
    async def story():
        source = Source()
        source.may_answer.clear()
        async with served(source) as (http, sources):
            headers = [program_of(version=1 + number).header for number in range(50)]
            asking = [asyncio.create_task(parts.fetch(header, sources, http)) for header in headers]
            await until(lambda: source.asked)
            asking[0].cancel()
            source.may_answer.set()
            found = await asyncio.gather(*asking[1:])
            assert [program.header for program in found] == headers[1:]
            assert all(program.segments == FILM.segments for program in found)
            assert source.asked == 1
            assert parts._coming == {}

    asyncio.run(story())


def test_memory_holds_the_tables_that_were_asked_for_last(parts, monkeypatch):
    monkeypatch.setattr(module, "_AT_HAND_BYTES", 3 * len(OCTETS))
    programs = [program_of(name=f"film-{number}", first=100 * number) for number in range(5)]

    async def story():
        for program in programs[:3]:
            await parts.keep(program.header, program.segments.octets)
        assert parts.at_hand(programs[0].header)
        for program in [*programs[3:], *programs[3:]]:
            await parts.keep(program.header, program.segments.octets)
        assert [bool(parts.at_hand(program.header)) for program in programs] == [True, False, False, True, True]
        assert parts._at_hand_bytes == 3 * len(OCTETS)
        assert await parts.program(programs[1].header) == programs[1], "it is on the disk"
        assert parts._at_hand_bytes == 3 * len(OCTETS)
        long = program_of(segments=50, name="long", first=1000)
        await parts.keep(long.header, long.segments.octets)
        assert parts.at_hand(long.header) == long, "however long it is"
        assert parts._at_hand_bytes == len(long.segments.octets)

    asyncio.run(story())


class FullFiles(DiskFiles):
    """A disk with no room."""

    def append(self, _):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_what_a_full_disk_does_not_take_is_played_and_not_said_to_be_held(tmp_path, caplog):
    async def story():
        parts = Parts(FullFiles(), tmp_path)
        async with served(Source()) as (http, sources):
            assert await parts.fetch(FILM.header, sources, http) == FILM
            assert await parts.read(TABLE) is None
            async with (
                serve(with_parts(HandlerTable("blade"), parts), Address("127.0.0.1", 0)) as here,
                http.read(here, f"/parts/{TABLE}") as response,
            ):
                assert await response.read() == OCTETS, "others may have room"
            with pytest.raises(OSError, match="No space left"):
                await parts.hold(TABLE, len(OCTETS), sources[0], http)

    asyncio.run(story())


def test_the_resource_gives_what_is_here_and_nothing_else_of_the_disk(tmp_path, parts):
    async def story():
        await parts.keep(FILM.header, OCTETS)
        (tmp_path / "secret").write_bytes(b"secret")
        async with (
            serve(with_parts(HandlerTable("blade"), parts), Address("127.0.0.1", 0)) as here,
            HttpClient(random.Random(1)) as http,
        ):

            async def get(name):
                async with http.read(here, f"/parts/{name}") as response:
                    return response.status, response.headers, await response.read()

            status, headers, body = await get(TABLE)
            assert (status, body) == (200, OCTETS)
            assert (headers["ETag"], "immutable" in headers["Cache-Control"]) == (f'"{TABLE}"', True)
            for name in (OTHER.header.table, TABLE.upper(), TABLE[:-1], "secret", "..%2fsecret", "%00", "x" * 64):
                assert (await get(name))[0] == 404

    asyncio.run(story())


def test_copies_that_need_one_table_at_once_write_it_once(tmp_path, parts):
    """Threads that write one file together write both into it, and what is then read is set aside as damaged."""

    async def story():
        async with served(*(Source() for _ in range(8))) as (http, sources):
            held = await asyncio.gather(*(parts.hold(TABLE, len(OCTETS), source, http) for source in sources))
            assert held == [True] * len(sources)
            assert await Parts(DiskFiles(), tmp_path).read(TABLE) == OCTETS
            assert os.listdir(tmp_path) == [TABLE]

    asyncio.run(story())


def test_a_table_that_is_held_is_not_read_again_for_each_segment(parts, monkeypatch):
    async def story():
        async with served(Source()) as (http, [source]):
            assert await parts.hold(TABLE, len(OCTETS), source, http)
            monkeypatch.setattr(parts, "_file", None)  # whoever wants the file now fails
            assert await parts.hold(TABLE, len(OCTETS), source, http)

    asyncio.run(story())


def test_a_part_is_held_whoever_it_belongs_to(parts):
    async def story():
        table = SegmentTable.of(empty_segments(2))
        async with served(Source(table.octets)) as (http, [source]):
            assert not await parts.hold(TABLE, 10_000, source, http)
            assert not await parts.hold(table.sha256, len(table.octets) - 1, source, http)
            assert await parts.hold(table.sha256, len(table.octets), source, http)
            assert await parts.read(table.sha256) == table.octets
            assert await parts.hold(table.sha256, 1, Address("127.0.0.1", 1), http), "it is here"

    asyncio.run(story())
