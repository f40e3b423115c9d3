"""An authentication server: who logs in, who does not, and what follows from a change."""

import asyncio
import random
import time
from contextlib import asynccontextmanager

import pytest

from distribution_center.authentication import authentication_server as module
from distribution_center.authentication import passwords as passwords_module
from distribution_center.authentication.attempts import Attempts
from distribution_center.authentication.authentication_server import AuthenticationServer, SigningKeys
from distribution_center.authentication.passwords import PasswordChecks, TooManyPasswords, digest_of
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.authentication.subscriber_file import SubscriberFile, for_ever
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import serve
from media_network.messages.authentication import JWKS_PATH, LOG_IN, RENEW, LoggedIn, LogIn, Renew
from media_network.refusal import Reason, Refused
from media_network.tokens.keys import Algorithm, KeySet
from media_network.tokens.verifier import StreamingRequest, TokenVerifier, Viewer

PASSWORD = "correct horse"
DIGEST = digest_of(PASSWORD)
SETTINGS = AuthenticationSettings(address="127.0.0.1", state="/nowhere")


class World:
    """A server, somebody who asks it, and a director that knows its keys."""

    def __init__(self, file, server, peer, http):
        self.file = file
        self.server = server
        self.peer = peer
        self.http = http
        self.director = TokenVerifier(issuer=SETTINGS.issuer, audience=(SETTINGS.audience, "north"))

    async def log_in(self, name="ada", password=PASSWORD, **more):
        return await self.http.ask(self.peer, LOG_IN, LogIn(name=name, password=password, **more), deadline_s=30)

    async def renew(self, renewal, **more):
        return await self.http.ask(self.peer, RENEW, Renew(renewal=renewal, **more), deadline_s=30)

    async def jwks(self, **headers):
        async with self.http.session.get(f"http://{self.peer}{JWKS_PATH}", headers=headers) as answer:
            return answer.status, answer.headers, await answer.read()

    async def plays(self, token, program="film-1"):
        _, _, octets = await self.jwks()
        self.director.keys = KeySet.parse(octets)
        return isinstance(self.director.check(token, StreamingRequest(program), time.time()), Viewer)


def told(tmp_path, story, **settings):
    @asynccontextmanager
    async def world():
        file, checks = SubscriberFile(tmp_path / "state"), PasswordChecks(1)
        ada = file.add("ada", DIGEST)
        file.entitle(ada.id, for_ever("film-1"))
        wanted = AuthenticationSettings(address="127.0.0.1", state="/nowhere", **settings)
        server = AuthenticationServer(wanted, file, SigningKeys(file, wanted), checks, random.Random(1))
        async with serve(server.table(), Address("127.0.0.1", 0)) as peer, HttpClient(random.Random(1)) as http:
            yield World(file, server, peer, http)
        checks.close()
        file.close()

    async def tell():
        async with world() as made:
            await story(made)

    asyncio.run(tell())


def reason(answer):
    assert isinstance(answer, Refused), answer
    return answer.reason


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_login_gives_a_token_that_plays_and_a_renewal_that_does_not(tmp_path, algorithm):
    async def story(world):
        answer = await world.log_in()
        assert await world.plays(answer.token)
        assert not await world.plays(answer.token, "film-2")
        assert not await world.plays(answer.renewal)
        again = await world.renew(answer.renewal)
        assert await world.plays(again.token)
        assert reason(await world.renew(answer.token)) is Reason.WRONG_STATION

    told(tmp_path, story, algorithm=algorithm)


def test_who_does_not_log_in(tmp_path):
    async def story(world):
        assert reason(await world.log_in(password="wrong")) is Reason.BAD_LOGIN
        assert reason(await world.log_in(name="nobody")) is Reason.BAD_LOGIN
        assert reason(await world.log_in(program="film-2")) is Reason.NOT_ENTITLED
        assert reason(await world.renew("no.renewal.atall")) in {Reason.MALFORMED, Reason.BAD_ALGORITHM}
        ada = world.file.find("ada")
        world.file.suspend(ada.id, suspended=True)
        assert reason(await world.log_in(password="wrong")) is Reason.BAD_LOGIN
        assert reason(await world.log_in()) is Reason.NOT_ENTITLED
        world.file.suspend(ada.id, suspended=False)
        assert isinstance(await world.log_in(), LoggedIn)

    told(tmp_path, story)


def test_a_renewal_ends_with_the_password_the_subscriber_and_its_time(tmp_path):
    async def story(world):
        ada, answer = world.file.find("ada"), await world.log_in()
        world.file.suspend(ada.id, suspended=True)
        assert reason(await world.renew(answer.renewal)) is Reason.NOT_ENTITLED
        world.file.suspend(ada.id, suspended=False)
        world.file.set_password(ada.id, DIGEST)
        assert reason(await world.renew(answer.renewal)) is Reason.BAD_LOGIN
        answer = await world.log_in()
        assert isinstance(await world.renew(answer.renewal), LoggedIn)
        late = answer.renewal_expires_at_ms
        world.clock.setattr(module, "now_ms", lambda: late)
        assert reason(await world.renew(answer.renewal)) is Reason.EXPIRED
        world.clock.undo()
        world.file.remove(ada.id)
        assert reason(await world.renew(answer.renewal)) is Reason.BAD_LOGIN

    with pytest.MonkeyPatch.context() as clock:
        World.clock = clock
        told(tmp_path, story)


def test_keys_turn_and_no_viewer_is_refused(tmp_path):
    async def story(world):
        answer = await world.log_in()
        assert await world.plays(answer.token)
        beside = SubscriberFile(tmp_path / "state")  # a command, while the server runs
        beside.keep_key_ring(beside.key_ring().turned(Algorithm.ED25519, 1))
        # Those who have the keys of before know the next one already.
        later = await world.renew(answer.renewal)
        check = world.director.check(later.token, StreamingRequest("film-1"), time.time())
        assert isinstance(check, Viewer)
        assert await world.plays(answer.token)
        # Once more, and the first key is gone.
        beside.keep_key_ring(beside.key_ring().turned(Algorithm.ES256, 2))
        assert await world.plays(later.token)
        assert not await world.plays(answer.token)
        assert await world.plays((await world.renew(later.renewal)).token)
        beside.close()

    told(tmp_path, story)


def test_keys_may_be_cached_and_hold_nothing_secret(tmp_path):
    async def story(world):
        status, headers, octets = await world.jwks()
        assert (status, headers["Cache-Control"]) == (200, "public, max-age=60")
        assert len(KeySet.parse(octets)) == 2
        assert b'"d"' not in octets
        assert (await world.jwks(**{"If-None-Match": headers["ETag"]}))[0] == 304

    told(tmp_path, story)


def test_guessing_is_slowed_down_by_name_and_by_host(tmp_path, monkeypatch):
    checked = []

    async def is_right(self, digest, password):
        checked.append(password)
        return digest is not None and password == PASSWORD

    monkeypatch.setattr(PasswordChecks, "is_right", is_right)

    async def story(world):
        guesses = [reason(await world.log_in(password=f"guess {n}")) for n in range(15)]
        assert guesses == [Reason.BAD_LOGIN] * 10 + [Reason.BUSY] * 5
        assert reason(await world.log_in()) is Reason.BUSY, "not even the right one is checked"
        others = [reason(await world.log_in(name=f"guess-{n}")) for n in range(15)]
        assert others == [Reason.BAD_LOGIN] * 10 + [Reason.BUSY] * 5
        assert len(checked) == 20

    told(tmp_path, story)


def test_who_gets_it_right_is_not_slowed_down(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_HOST_BURST", 100)
    monkeypatch.setattr(PasswordChecks, "is_right", _right_if_known)

    async def story(world):
        for _ in range(20):
            assert isinstance(await world.log_in(), LoggedIn)

    told(tmp_path, story)


async def _right_if_known(self, digest, password):
    return digest is not None and password == PASSWORD


def test_an_unknown_name_takes_as_long(monkeypatch):
    """What costs the time is done for both."""
    verified = []

    async def ask():
        checks = PasswordChecks(1)
        verify = checks._verify
        checks._verify = lambda digest, password: verified.append(digest) or verify(digest, password)
        outcomes = [await checks.is_right(digest, PASSWORD) for digest in (DIGEST, None)]
        assert not await checks.is_right(None, passwords_module._NOBODYS)
        checks.close()
        return outcomes

    assert asyncio.run(ask()) == [True, False]
    known, unknown, _ = verified
    assert known.split("$")[1:4] == unknown.split("$")[1:4], "by the same parameters"


def test_passwords_that_wait_have_a_bound(monkeypatch):
    async def ask():
        checks = PasswordChecks(1)
        checks._under_way = checks._most
        with pytest.raises(TooManyPasswords):
            await checks.is_right(None, "x")
        checks.close()

    asyncio.run(ask())


def test_attempts_come_back_with_time_and_have_a_bound():
    attempts = Attempts(burst=2, per_s=0.5, kept_max=3)
    for _ in range(2):
        assert attempts.has_room("a", 0.0)
        attempts.count("a", 0.0)
    assert not attempts.has_room("a", 1.0)
    assert attempts.has_room("a", 2.0)
    assert attempts.has_room("b", 0.0)
    for name in "cdef":
        attempts.count(name, 3.0)
    assert len(attempts) == 3


def test_a_password_is_shown_nowhere(tmp_path, caplog):
    async def story(world):
        await world.log_in(password="s3cret-guess")
        await world.log_in()

    with caplog.at_level("DEBUG"):
        told(tmp_path, story)
    assert "ada logs in from 127.0.0.1" in caplog.text
    assert "s3cret-guess" not in caplog.text
    assert PASSWORD not in caplog.text
    assert "s3cret" not in repr(LogIn(name="ada", password="s3cret"))
