"""A main board and its roles: what outlives them, and what one blade answers that fills two."""

import asyncio
import random
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import pytest

from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.main_board.catalogue import Catalogue, change_of
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.front_door import FrontDoor
from blade_agent.main_board.main_board import Equipment, RunningMainBoard
from blade_agent.main_board.parts import Parts
from media_network.address import Address
from media_network.cut import Cut
from media_network.files import DiskFiles
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.program_information import (
    ASK_STATION_PROGRAM,
    PUBLISH_PROGRAM,
    AskProgram,
    PublishProgram,
)
from media_network.messages.verb import Done, Port
from media_network.messages.watching import ASK_DIRECTOR, WATCHING, AskDirector, DirectorSeen, Watching
from media_network.refusal import Reason, Refused
from media_network.segment_url import segment_target
from tests.blade_agent.main_board.director.stage import program_of, tombstone
from tests.blade_agent.main_board.engine.station import inventory, path_of, put
from tests.patience import PATIENCE_S, until
from tests.programs import program_with, segment_of
from tests.small_disk import SmallDisk
from tests.verbs import VERBS

HELD = program_of()
"""What `powered` holds segments of, as far as the director counts."""


@asynccontextmanager
async def powered(folder, address, media, *, holding=(), files=None):
    """A main board that runs, with its own store; `holding` are segments' bytes, `files` those of its state."""
    store = await SegmentStore.open(DiskFiles(), [folder / "disk"])
    for number, data in enumerate(holding):
        await put(store, HELD.cut, number, data)
    board = Equipment(
        slot=2,
        address=address,
        media=media,
        capacity_bps=10**9,
        state=folder,
        store=store,
        files=files or DiskFiles(),
    )
    main_board = RunningMainBoard(board, random.Random(1))
    running = asyncio.create_task(main_board.run())
    try:
        yield main_board
    finally:
        running.cancel()
        await asyncio.wait([running])
        store.close()


def test_the_door_knows_every_verb_that_a_role_answers(tmp_path):
    door = FrontDoor(lambda: None, parts_of(tmp_path)).table()
    of_roles = {verb.path for verb in VERBS if verb.path.startswith(("director/", "engine/"))}
    assert of_roles - door.names == set()


def test_counters_go_on_when_the_director_changes_and_when_the_role_ends(tmp_path, free_port):
    address, media, nobody = (Address("127.0.0.1", free_port()) for _ in range(3))
    without_ticket = f"http://{media}{segment_target(HELD.cut, 0, 'none')}"

    def engine(epoch):
        return RoleAssignment(role=Role.ENGINE, epoch=epoch, station="north", director=nobody)

    async def story():
        counted = []
        async with powered(tmp_path, address, media) as main_board, aiohttp.ClientSession() as http:
            for assignment in (engine(1), engine(2), RoleAssignment(), engine(3)):
                main_board.assign(assignment)
                await until(lambda: main_board.status().state is MainBoardState.READY)
                async with http.get(without_ticket) as answer:
                    counted.append((answer.status, main_board.figures().engine.refusals))
        return counted

    assert asyncio.run(story()) == [(403, 1), (403, 2), (503, 2), (403, 3)]


def test_a_director_that_holds_segments_answers_a_console_once(tmp_path, free_port):
    """It is an engine too. What is asked of the director must not go round between its two roles."""
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    directing = RoleAssignment(role=Role.DIRECTOR, epoch=1, station="north")
    seen, overdue = [], []

    async def story():
        async with (
            powered(tmp_path, address, media, holding=[bytes(188)]) as main_board,
            HttpClient(random.Random(1)) as http,
            aiohttp.ClientSession() as player,
        ):
            main_board.assign(directing)
            main_board.know_blades({2: address})

            async def answered(verb, message):
                return await http.ask(media, verb, message, deadline_s=PATIENCE_S)

            async def keep_asking():
                while True:
                    seen.append(await answered(ASK_DIRECTOR, AskDirector()))

            asking = asyncio.create_task(keep_asking())
            await until(lambda: DirectorSeen(media=str(media)) in seen)
            asking.cancel()
            # Until its engines may have enlisted a director does not say that it knows no such session.
            while (watching := await answered(WATCHING, Watching(session="nobody's"))).reason is Reason.OVERDUE:
                overdue.append(watching)
            async with player.get(f"http://{media}/programs/none/playlist.m3u8", allow_redirects=False) as playlist:
                return watching.reason, playlist.status

    assert asyncio.run(story()) == (Reason.UNKNOWN_SESSION, 404)
    assert overdue


def parts_of(folder):
    return Parts(DiskFiles(), folder)


async def _done(_):
    return Done()


async def _resource(_):
    raise NotImplementedError


@pytest.mark.parametrize("name", ["verb", "resource"])
def test_two_that_answer_the_same_are_not_both_on_duty(tmp_path, name):
    def answering(title):
        table = HandlerTable(title)
        if name == "verb":
            table.verb(WATCHING, _done)
        else:
            table.resource("/playlist", _resource)
        return table

    async def come_on_duty():
        door = FrontDoor(lambda: None, parts_of(tmp_path))
        async with door.on_duty(answering("director")):
            with pytest.raises(ValueError, match="engine and director both answer"):
                async with door.on_duty(answering("engine")):
                    pass
        async with door.on_duty(answering("engine")):
            pass

    asyncio.run(come_on_duty())


@pytest.mark.parametrize("keyed", [True, False])
def test_what_a_role_has_not_answered_at_its_end_is_refused(tmp_path, free_port, keyed):
    """Nothing of it runs on: what it would need is closed. Who has just been let go still answers."""
    begun, ended = [], []

    async def ask(http, player, media, session):
        if keyed:
            return await http.ask(media, WATCHING, Watching(session=session), deadline_s=PATIENCE_S)
        url, body = f"http://{media}/{WATCHING.path}", msgspec.json.encode(Watching(session=session))
        async with player.post(url, data=body) as response:
            return msgspec.json.decode(await response.read(), type=Refused)

    async def story():
        let_go, never = asyncio.Event(), asyncio.Event()

        async def answer(message):
            begun.append(message.session)
            try:
                await (let_go if message.session == "let go" else never).wait()
            finally:
                ended.append(message.session)
            return Refused(Reason.UNKNOWN_SESSION)

        table = HandlerTable("media director")
        table.verb(WATCHING, answer)
        door, media = FrontDoor(lambda: None, parts_of(tmp_path)), Address("127.0.0.1", free_port())
        async with (
            serve(door.table().at(Port.MEDIA), media),
            HttpClient(random.Random(1)) as http,
            aiohttp.ClientSession() as player,
        ):
            async with door.on_duty(table):
                asking = [asyncio.create_task(ask(http, player, media, session)) for session in ("let go", "held")]
                await until(lambda: len(begun) == 2)
                let_go.set()
            assert sorted(ended) == ["held", "let go"]
            return [answer.reason for answer in await asyncio.gather(*asking)]

    assert asyncio.run(story()) == [Reason.UNKNOWN_SESSION, Reason.WRONG_ROLE]


def test_one_table_answers_a_thing_once():
    table = HandlerTable("director")
    table.verb(WATCHING, _done)
    table.resource("/playlist", _resource)
    with pytest.raises(ValueError, match="director answers director/watching already"):
        table.verb(WATCHING, _done)
    with pytest.raises(ValueError, match="director answers /playlist already"):
        table.resource("/playlist", _resource)


def test_a_director_knows_the_blades_that_the_chassis_manager_has_told_it_of_and_no_other_terms(tmp_path, free_port):
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    blades = {1: Address("127.1.1.1", 8081), 2: address}

    def director(epoch):
        return RoleAssignment(role=Role.DIRECTOR, epoch=epoch, station="north", director=address)

    async def story():
        async with powered(tmp_path, address, media) as main_board:

            async def directs(epoch):
                main_board.assign(director(epoch))
                await until(lambda: (found := main_board._director) is not None and found._term.epoch == epoch)
                return main_board._director.blades

            first = await directs(1)
            untold = (first.by_slot, first.addresses)
            main_board.know_blades(blades)
            told = (dict(first.by_slot), first.addresses)
            second = await directs(2)
            forgotten = second.addresses
            main_board.assign(director(3))
            main_board.know_blades(blades)
            await until(lambda: (found := main_board._director) is not None and found._term.epoch == 3)
            return untold, told, forgotten, main_board._director.blades.addresses

    addresses = frozenset(blades.values())
    assert asyncio.run(story()) == ((None, None), (blades, addresses), None, addresses)


def test_what_a_full_disk_does_not_take_is_refused_and_the_blade_goes_on(tmp_path, free_port, caplog):
    """Nothing is acknowledged that is not durable; once there is room it is taken."""
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    header, files = program_of().header, SmallDisk()

    async def story():
        async with powered(tmp_path, address, media, files=files) as main_board, HttpClient(random.Random(1)) as http:
            main_board.assign(RoleAssignment(role=Role.DIRECTOR, epoch=1, station="north"))
            await until(lambda: main_board.figures().director is not None)

            async def published():
                return await http.ask(address, PUBLISH_PROGRAM, PublishProgram(header), deadline_s=PATIENCE_S)

            async def known():
                return await http.ask(address, ASK_STATION_PROGRAM, AskProgram(header.program), deadline_s=PATIENCE_S)

            refused = [(await published()).reason, (await known()).reason]
            files.full = False
            return refused, await published(), await known()

    refused, done, known = asyncio.run(story())
    assert refused == [Reason.NO_SPACE, Reason.UNKNOWN_PROGRAM]
    assert (done, known) == (Done(), header)
    assert [record for record in caplog.records if record.exc_info] == []
    assert "director/publish cannot be done" in caplog.text


def test_a_director_lets_go_of_what_another_program_has_left_on_its_own_blade(tmp_path, free_port):
    """It knows of the other before the engine beside it is told, and after a restart nobody would tell."""
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    directing = RoleAssignment(role=Role.DIRECTOR, epoch=1, station="north")
    first = program_of(version=4)

    async def story():
        async with (
            powered(tmp_path, address, media, holding=[bytes(188)]) as main_board,
            HttpClient(random.Random(1)) as http,
        ):
            main_board.assign(directing)
            main_board.know_blades({2: address})

            async def publish(program):
                message = PublishProgram(program.header)
                assert await http.ask(address, PUBLISH_PROGRAM, message, deadline_s=PATIENCE_S) == Done()

            def held():
                director = main_board._director
                table = director and director._table
                return table and {cut: table.segments(cut) for cut in table.cuts()}

            async def gone():
                await until(lambda: held() == {})
                return inventory(main_board._board.store)

            await until(lambda: held() == {HELD.cut: {0}})
            await publish(first)
            await publish(program_of(version=5, title="Film II"))
            kept = held()
            await publish(program_of(version=6, first=100))
            return kept, await gone()

    assert asyncio.run(story()) == ({HELD.cut: {0}}, {})


def test_at_its_start_a_blade_lets_go_of_what_is_gone_and_holds_what_an_earlier_release_has_left(tmp_path, free_port):
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))
    data = bytes(188)
    film = program_with([segment_of(data)], program="film", version=4)
    gone = Cut("gone", "0" * 64)
    earlier = path_of(tmp_path / "disk", segment_of(data), film.cut).name

    async def story():
        catalogue = Catalogue(DiskFiles(), tmp_path / "catalogue")
        await catalogue.load()
        await catalogue.learn([change_of(film.header), tombstone(5, "gone")])
        await catalogue.parts.keep(film.header, film.segments.octets)
        store = await SegmentStore.open(DiskFiles(), [tmp_path / "disk"])
        await put(store, gone, 0, data)
        store.close()
        (tmp_path / "disk" / "film").mkdir()
        (tmp_path / "disk" / "film" / earlier).write_bytes(data)
        async with powered(tmp_path, address, media) as main_board:
            await until(lambda: main_board._board.store.cuts() == [film.cut])
            return inventory(main_board._board.store)

    assert asyncio.run(story()) == {"film": "0"}


def test_a_blade_lets_go_of_a_program_though_it_is_no_engine(tmp_path, free_port):
    address, media = (Address("127.0.0.1", free_port()) for _ in range(2))

    async def story():
        async with powered(tmp_path, address, media, holding=[bytes(188)]) as main_board:
            await main_board._catalogue.learn([change_of(program_of(version=4).header)])
            held = inventory(main_board._board.store)
            await main_board._catalogue.learn([tombstone(5)])
            return held, inventory(main_board._board.store)

    assert asyncio.run(story()) == ({"film": "0"}, {})
