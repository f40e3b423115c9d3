"""Who is let in where a station asks for tokens (claim 25): a director and an authentication server, simulated."""

import asyncio
import json
import random
import time
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from msgspec.structs import replace as changed

from blade_agent.main_board.issuer_keys import IssuerKeys
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.authentication import JWKS_PATH
from media_network.messages.billing import AdmissionGround
from media_network.messages.enlisting import ENLIST
from media_network.messages.streaming import PLAY, Play, Redirect
from media_network.refusal import Reason, Refused
from media_network.ticket import TicketKey
from media_network.tokens.claims import Claims, encode_claims
from media_network.tokens.container import Container
from media_network.tokens.keys import Algorithm, SigningKey, encode_jwks
from media_network.tokens.settings import TokenSettings
from tests.blade_agent.main_board.director.stage import CONSOLE, DIRECTOR, DIRECTOR_MEDIA, STATE, program_of, stage

FILM = program_of(segments=3)
ISSUER = Address("127.1.0.2", 8080)
KEY, NEXT, FOREIGN = (SigningKey.generate(Algorithm.ED25519) for _ in range(3))
PLAYLIST = "/programs/film/playlist.m3u8"


class World:
    """A director that asks for tokens, engines that hold the film, and the authentication server."""

    def __init__(self, world):
        self.world = world
        self.published = [KEY, NEXT]
        self.asked = 0
        settings = TokenSettings(server=str(ISSUER))
        self.keys = IssuerKeys(settings, STATE, world.disk, random.Random(1), DIRECTOR.host)
        world.duty = replace(world.duty, issuer=self.keys)
        self.simulation = world.simulation
        self.simulation.start(self.simulation.host(ISSUER.host), self._serve)
        self.simulation.start(world.director_host, self.keys.run)

    async def _serve(self):
        async def jwks(_):
            self.asked += 1
            return web.Response(body=encode_jwks(key.public() for key in self.published))

        table = HandlerTable("authentication server")
        table.resource(JWKS_PATH, jwks)
        async with serve(table, ISSUER):
            await asyncio.Event().wait()

    def tell(self, story):
        return self.world.tell(story, FILM)

    async def get(self, path, **headers):
        async with self.world.http.session.get(
            f"http://{DIRECTOR_MEDIA}{path}", headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            refused = json.loads(text)["reason"] if response.content_type == "application/json" else None
            return response.status, refused, text, response.headers

    async def playlist(self, token):
        return (await self.get(f"{PLAYLIST}?URISigningPackage={token}"))[:2]

    async def play(self, token):
        answer = await self.world.ask(PLAY, Play(program="film", console=CONSOLE, token=token))
        return answer.reason.value if isinstance(answer, Refused) else answer

    async def addresses(self):
        """Those of the segments, as a playlist has them."""
        [media] = await self.listed(f"{PLAYLIST}?URISigningPackage={token()}")
        return await self.listed(media)

    async def listed(self, path):
        _, _, text, _ = await self.get(path)
        return [f"/programs/film/{line}" for line in text.splitlines() if not line.startswith("#")]


@contextmanager
def admitting():
    with stage({2: "0-2", 3: "0-2"}) as world:
        yield World(world)


def token(key=KEY, **different):
    known = {
        "iss": "media-station",
        "aud": ("media-station",),
        "sub": "5f1c09ab",
        "exp": time.time() + 600,
        "cdniuc": Container.of(["film"]).text(),
    } | different
    return key.sign(encode_claims(Claims(**known)))


REFUSED = {
    "no token": (lambda: "", 401, "no_token"),
    "text": (lambda: "token", 401, "malformed"),
    "expired": (lambda: token(exp=time.time() - 61), 401, "expired"),
    "not yet valid": (lambda: token(nbf=time.time() + 61), 401, "not_yet_valid"),
    "another program": (lambda: token(cdniuc=Container.of(["other"]).text()), 403, "wrong_program"),
    "another station": (lambda: token(aud=("south",)), 403, "wrong_station"),
    "another issuer": (lambda: token(iss="other"), 401, "wrong_issuer"),
    "an unknown key": (lambda: token(FOREIGN), 401, "unknown_key"),
    "forged": (lambda: token()[:-8] + "AAAAAAAA", 401, "wrong_key"),
}


@pytest.mark.parametrize(("made", "status", "reason"), REFUSED.values(), ids=REFUSED)
def test_who_is_not_let_in_hears_why_at_both_doors(made, status, reason, caplog):
    with admitting() as world, caplog.at_level("INFO"):

        async def story():
            text = made()
            assert await world.playlist(text) == (status, reason)
            assert await world.play(text) == reason
            assert caplog.text.count("is refused") == 2, "one line each"
            assert f"is refused film, {reason}: " in caplog.text
            assert len(text) < 10 or text not in caplog.text

        world.tell(story)


def test_the_right_token_plays_at_both_doors():
    with admitting() as world:

        async def story():
            assert (await world.playlist(token()))[0] == 200
            assert (await world.get(PLAYLIST, Authorization=f"Bearer {token()}"))[0] == 200
            assert isinstance(await world.play(token()), Redirect)
            for address in await world.addresses():
                status, _, _, headers = await world.get(address)
                assert status == 302
                assert "ticket=" in headers["Location"]

        world.tell(story)


def test_a_token_for_one_address_is_good_for_that_address():
    with admitting() as world:

        async def story():
            good = token(cdniuc=Container.of_uri(f"http://{DIRECTOR_MEDIA}{PLAYLIST}").text())
            assert (await world.playlist(good))[0] == 200
            assert isinstance(await world.play(good), Redirect)
            other = token(cdniuc=Container.of_uri(f"http://{DIRECTOR_MEDIA}/programs/other/playlist.m3u8").text())
            assert await world.playlist(other) == (403, "wrong_program")

        world.tell(story)


def test_who_shows_no_token_does_not_learn_what_there_is():
    with admitting() as world:

        async def story():
            for program in ("film", "other"):
                assert (await world.get(f"/programs/{program}/playlist.m3u8"))[:2] == (401, "no_token")
                assert (await world.get(f"/programs/{program}/0.ts?session={'0' * 24}"))[:2] == (403, "bad_ticket")

        world.tell(story)


def test_a_segment_takes_the_ticket_of_its_own_playlist():
    with admitting() as world:

        async def story():
            one, other = await world.addresses(), await world.addresses()
            query = parse_qs(urlsplit(one[0]).query)
            (session,), (ticket,) = query["session"], query["ticket"]
            (elsewhere,) = parse_qs(urlsplit(other[0]).query)["session"]
            assert session != elsewhere
            path = "/programs/film/0.ts"
            for address in (
                f"{path}?session={session}",
                f"{path}?session={session}&ticket=",
                f"{path}?session={elsewhere}&ticket={ticket}",
                f"/programs/other/0.ts?session={session}&ticket={ticket}",
                f"{path}?session={session}&ticket={ticket[:-1]}{'0' if ticket[-1] != '0' else '1'}",
                f"{path}?session={session}&URISigningPackage={token()}",
            ):
                assert (await world.get(address))[:2] == (403, "bad_ticket"), address
            assert (await world.get(one[0]))[0] == 302

        world.tell(story)


def test_a_playlist_of_the_director_before_is_good_when_its_engines_have_told_the_key():
    with admitting() as world:

        async def story():
            before, session = TicketKey(b"b" * 32), "a" * 24
            address = f"/programs/film/0.ts?session={session}&ticket={before.sign(session, 'film')}"
            assert (await world.get(address))[:2] == (403, "bad_ticket")
            engine = world.world.engines[2]
            async with HttpClient(random.Random(9)) as http:
                await http.ask(DIRECTOR, ENLIST, changed(engine.enlistment(), ticket_keys=(before.hex(),)))
            assert (await world.get(address))[0] == 302

        world.tell(story)


def test_a_key_that_is_new_is_heard_of_at_once_and_made_up_ones_are_not_asked_for_again_and_again():
    with admitting() as world:

        async def story():
            await asyncio.sleep(10)
            world.published, before = [FOREIGN, NEXT], world.asked
            assert (await world.playlist(token(FOREIGN)))[0] == 200
            assert world.asked == before + 1
            made_up = SigningKey.generate(Algorithm.ED25519)
            for _ in range(50):
                assert await world.playlist(token(made_up)) == (401, "unknown_key")
            assert world.asked == before + 1
            assert await world.playlist(token(KEY)) == (401, "unknown_key"), "it was taken away"

        world.tell(story)


def test_without_any_key_a_viewer_is_told_to_come_again():
    with admitting() as world:
        world.published = []

        async def story():
            assert await world.playlist(token()) == (503, "overdue")
            world.published = [KEY]
            await asyncio.sleep(70)
            assert (await world.playlist(token()))[0] == 200

        world.tell(story)


class Subscriptions:
    """Who may see the film, by subscriber; nobody else may. It hears who has."""

    def __init__(self, **may):
        self.may = may
        self.noted = []

    def note_viewing(self, record):
        self.noted.append((record.subscriber, record.program, record.push))

    async def admit(self, subscriber, program):
        return self.may.get(subscriber) or Refused(Reason.NOT_ENTITLED, f"the subscription does not cover {program}")


def test_who_has_no_entitlement_is_refused_with_a_word_at_both_doors_and_a_bad_token_before(caplog):
    with admitting() as world:
        accounts = Subscriptions(ada=AdmissionGround.FRESH)
        world.world.duty = replace(world.world.duty, accounts=accounts)

        async def story():
            assert (await world.playlist(token(sub="ada")))[0] == 200
            assert isinstance(await world.play(token(sub="ada")), Redirect)
            assert await world.playlist(token(sub="bob")) == (403, "not_entitled")
            assert await world.play(token(sub="bob")) == "not_entitled"
            assert accounts.noted == [("ada", "film", False), ("ada", "film", True)]
            assert "the subscription does not cover film" in caplog.text
            assert await world.playlist(token(sub="bob", exp=time.time() - 61)) == (401, "expired")

        with caplog.at_level("INFO"):
            world.tell(story)
