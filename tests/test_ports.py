"""Which port of a running blade, and of a running center, answers what: every verb and every resource at both."""

import random
from pathlib import Path

import pytest

from blade_agent.backplane.role import Role, RoleAssignment
from blade_agent.main_board.engine.store.store import SegmentStore
from blade_agent.main_board.main_board import Equipment, RunningMainBoard
from chassis_emulator.simulation.simulation import Simulation
from distribution_center.center import serve_center
from distribution_center.headquarters.mam import serve_mam
from distribution_center.headquarters.settings import MamSettings
from distribution_center.headquarters.store import HeadquartersStore
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.errors import Unintelligible, Unreachable
from media_network.messages.verb import Caller, Port
from media_network.refusal import Reason, Refused
from tests.golden_messages import example
from tests.verbs import VERBS

PORTS = {Port.CONTROL: 8081, Port.MEDIA: 8080}
DIRECTOR, ENGINE, CENTER = "127.1.1.1", "127.1.1.2", "127.1.0.1"
MAM = Address(CENTER, 8082)
BLADES = DIRECTOR, ENGINE
EPOCH = 5
"""The examples': what they order is obeyed."""
ALL = {verb.path for verb in VERBS}
STEERING = ("pause", "resume", "seek", "scale", "end-stream")
OF_CONSOLES = {f"director/{verb}" for verb in ("describe", "play", "watching", *STEERING)}
CONTROL = {
    DIRECTOR: {path for path in ALL if path.startswith("director/")} - OF_CONSOLES,
    ENGINE: {path for path in ALL if path.startswith("engine/")} - {"engine/stream", "engine/director"},
    CENTER: {path for path in ALL if path.startswith(("content/", "registry/"))} - {"registry/doors"}
    | {"director/locate-segment", "director/engine-token"},
}
MEDIA = {
    DIRECTOR: OF_CONSOLES,
    ENGINE: {"engine/stream", "engine/cease", "engine/director"},
    CENTER: {"content/ask-program", "content/program", "content/programs", "registry/doors"},
}
PLAYLIST, SEGMENT, HELD = "/programs/film/playlist.m3u8", "/programs/film/0.ts", f"/segments/film/{'0' * 64}/0.ts"
DEADLINE_S = 0.5


def told(folder, story):
    """Tell a story to a director, an engine and a center, each on a host of its own."""
    with Simulation(1) as simulation:

        async def be_blade(host, role):
            disk = simulation.disk(host, simulation.host(host), Path("/blade"))
            board = Equipment(
                slot=int(host[-1]),
                address=Address(host, PORTS[Port.CONTROL]),
                media=Address(host, PORTS[Port.MEDIA]),
                capacity_bps=10**9,
                state=Path("/blade/state"),
                store=await SegmentStore.open(disk, [Path("/blade/channel")]),
                files=disk,
            )
            main_board = RunningMainBoard(board, simulation.rng(host))
            director = Address(DIRECTOR, PORTS[Port.CONTROL])
            main_board.assign(RoleAssignment(role=role, epoch=EPOCH, station="north", director=director, center=None))
            main_board.know_blades({int(blade[-1]): Address(blade, PORTS[Port.CONTROL]) for blade in BLADES})
            await main_board.run()

        async def be_center():
            settings = CenterSettings(name="main", address=CENTER, state=str(folder), home="home")
            repository = SqliteRepository.open(folder / "registry.sqlite")
            await serve_center(settings, repository, simulation.rng(CENTER))

        simulation.start(simulation.host(DIRECTOR), lambda: be_blade(DIRECTOR, Role.DIRECTOR))
        simulation.start(simulation.host(ENGINE), lambda: be_blade(ENGINE, Role.ENGINE))

        async def be_headquarters():
            settings = MamSettings(
                centers={"main": f"{CENTER}:8081"}, address=MAM.host, port=MAM.port, state=str(folder)
            )
            await serve_mam(settings, HeadquartersStore(folder / "headquarters.sqlite"), simulation.rng("mam"))

        simulation.start(simulation.host(CENTER), be_center)
        simulation.start(simulation.host(CENTER), be_headquarters)
        simulation.run(until_s=2.0)

        async def ask():
            async with HttpClient(random.Random(1)) as http:
                return await story(http)

        return simulation.run_until_complete(ask())


async def answers(http, party, verb):
    """Whether somebody there answers, or is about to: it is found, and not refused for want of a role."""
    try:
        answer = await http.ask(party, verb, example(verb.request), deadline_s=DEADLINE_S)
    except Unintelligible as error:
        return error.status != 404
    except Unreachable as error:
        return error.received
    return not (isinstance(answer, Refused) and answer.reason is Reason.WRONG_ROLE)


async def understands(http, party, verb):
    """The same of a center, which has no roles and is not to do what the examples order."""
    async with http.session.post(f"http://{party}/{verb.path}", data=b"nonsense") as response:
        assert response.status in {400, 404}
        return response.status == 400


@pytest.mark.parametrize("host", [DIRECTOR, ENGINE, CENTER])
def test_each_port_answers_its_own_verbs_and_no_other(tmp_path, host):
    async def story(http):
        asked = understands if host == CENTER else answers
        for port, expected in ((Port.CONTROL, CONTROL[host]), (Port.MEDIA, MEDIA[host])):
            party = Address(host, PORTS[port])
            assert {verb.path for verb in VERBS if await asked(http, party, verb)} == expected, port
            async with http.read(party, "/openapi.json") as response:
                described = (await response.json())["paths"]
            assert {path.removeprefix("/") for path, ways in described.items() if "post" in ways} == expected, port
            assert any("get" in ways for ways in described.values()) is (port is Port.MEDIA)

    told(tmp_path, story)


def test_the_headquarters_answers_its_own_verbs_and_no_other(tmp_path):
    async def story(http):
        expected = {path for path in ALL if path.startswith("headquarters/")}
        assert {verb.path for verb in VERBS if await understands(http, MAM, verb)} == expected

    told(tmp_path, story)


def test_at_a_media_port_only_consoles_are_answered():
    for verb in VERBS:
        assert (Port.MEDIA in verb.ports) is (Caller.CONSOLE in verb.callers), verb.path
        assert (Port.CONTROL in verb.ports) is any(caller is not Caller.CONSOLE for caller in verb.callers), verb.path


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        (DIRECTOR, PLAYLIST, 404),
        (DIRECTOR, SEGMENT, 404),
        (DIRECTOR, HELD, 503),
        (ENGINE, PLAYLIST, 307),
        (ENGINE, SEGMENT, 307),
        (ENGINE, HELD, 403),
        (CENTER, HELD, 403),
        (CENTER, PLAYLIST, None),
    ],
)
def test_resources_are_at_the_media_port(tmp_path, host, path, status):
    """404 with a reason is an answer; without one nobody knows the path, and so says None."""

    async def get(http, port):
        async with http.read(Address(host, PORTS[port]), path) as response:
            refused = response.content_type == "application/json"
            return None if response.status == 404 and not refused else response.status, response.headers

    async def story(http):
        assert (await get(http, Port.CONTROL))[0] is None
        found, headers = await get(http, Port.MEDIA)
        assert found == status
        assert headers.get("Location") == (f"http://{DIRECTOR}:8080{path}" if status == 307 else None)

    told(tmp_path, story)
