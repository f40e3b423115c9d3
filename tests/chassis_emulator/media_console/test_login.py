"""What a console keeps of its login, and when it asks for another token."""

import asyncio
import random
import stat

import pytest
from click.testing import CliRunner

from chassis_emulator.media_console.cli import main
from chassis_emulator.media_console.errors import LoginRefused, NotAnswered
from chassis_emulator.media_console.login import log_in, login_file, read_login, token_for
from media_network.address import Address
from media_network.http.client import HttpClient
from media_network.http.server import HandlerTable, serve
from media_network.messages.authentication import LOG_IN, RENEW, LoggedIn
from media_network.refusal import Reason, Refused
from media_network.time_of_day import now_ms
from tests.addresses import free_port

HOUR_MS = 3_600_000


class Server:
    """An authentication server that says what it is told to."""

    def __init__(self):
        self.answers = []
        self.heard = []

    async def _answer(self, message):
        self.heard.append(message)
        return self.answers.pop(0)

    def table(self):
        table = HandlerTable("authentication server")
        table.verb(LOG_IN, self._answer)
        table.verb(RENEW, self._answer)
        return table


def answer(token, lasts_ms=HOUR_MS, renewal="renewal"):
    return LoggedIn(
        renewal=renewal,
        renewal_expires_at_ms=now_ms() + 30 * HOUR_MS,
        token=token,
        token_expires_at_ms=now_ms() + lasts_ms if token else None,
    )


def told(tmp_path, first, story):
    """Log in with that answer, and go on with a story."""

    async def tell():
        server, address = Server(), Address("127.0.0.1", free_port())
        server.answers = [first]
        async with HttpClient(random.Random(1)) as http:
            async with serve(server.table(), address):
                await log_in(address, "ada", "secret", tmp_path / "state", http)
                await story(server, lambda program: token_for(program, tmp_path / "state", http))
            return await token_for("film", tmp_path / "state", http)

    return asyncio.run(tell())


async def nothing_more(*_):
    pass


def test_a_good_token_is_shown_without_asking_also_when_the_server_is_away(tmp_path):
    async def story(server, token):
        assert await token("film") == "first"
        assert len(server.heard) == 1

    assert told(tmp_path, answer("first"), story) == "first"
    assert stat.S_IMODE(login_file(tmp_path / "state").stat().st_mode) == 0o600
    assert b"secret" not in login_file(tmp_path / "state").read_bytes()


def test_one_that_is_about_to_expire_is_followed_by_another_which_is_kept(tmp_path):
    async def story(server, token):
        server.answers = [answer("second", renewal="again")]
        assert await token("film") == "second"
        assert await token("film") == "second"
        assert [message.renewal for message in server.heard[1:]] == ["renewal"]

    assert told(tmp_path, answer("first", lasts_ms=10_000), story) == "second"
    assert read_login(tmp_path / "state").renewal == "again"


def test_without_the_server_an_old_one_is_tried(tmp_path):
    assert told(tmp_path, answer("old", lasts_ms=10_000), nothing_more) == "old"


def test_a_program_is_named_where_a_token_cannot_name_all(tmp_path):
    async def story(server, token):
        server.answers = [answer(None), answer("for the film")]
        assert await token("film") == "for the film"
        assert [message.program for message in server.heard[1:]] == [None, "film"]

    told(tmp_path, answer(None), story)


def test_a_refusal_is_said(tmp_path):
    async def story(server, token):
        server.answers = [Refused(Reason.BAD_LOGIN, "that login is not good any more; log in again")]
        with pytest.raises(LoginRefused, match="log in again"):
            await token("film")

    told(tmp_path, answer("first", lasts_ms=10_000), story)


@pytest.mark.parametrize(
    ("reason", "hint"),
    [(Reason.BUSY, "Wait"), (Reason.BAD_LOGIN, "media-console login"), (Reason.NOT_ENTITLED, "auth subscribers")],
)
def test_who_is_not_let_in_is_told_what_to_do(tmp_path, reason, hint):
    with pytest.raises(LoginRefused) as refused:
        told(tmp_path, Refused(reason, "no"), nothing_more)
    assert hint in refused.value.hint


def test_nobody_answers(tmp_path):
    async def tell():
        async with HttpClient(random.Random(1)) as http:
            await log_in(Address("127.0.0.1", free_port()), "ada", "secret", tmp_path, http)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chassis_emulator.media_console.login._LOG_IN_S", 0.2)
        with pytest.raises(NotAnswered):
            asyncio.run(tell())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["login", "ada"], "No authentication server has run"),
        (["login", "Ada Lovelace"], "no name of a subscriber"),
        (["url", "film"], "No network runs"),
    ],
)
def test_where_there_is_nothing(tmp_path, words, said):
    result = CliRunner().invoke(main, [*words, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_damaged_file_is_no_login(tmp_path):
    login_file(tmp_path).write_bytes(b"\xff")
    assert read_login(tmp_path) is None
