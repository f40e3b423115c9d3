"""A download from a server of each protocol: whole, resumed after the wire was cut, and refused in words."""

import asyncio
import hashlib
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
from aiohttp import ClientSession
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AwsCredentials

from distribution_center.content.errors import DownloadFailed
from distribution_center.content.providers.download import download
from distribution_center.content.providers.provider import ProviderSettings
from distribution_center.content.providers.providers import Providers
from distribution_center.content.providers.s3_remote import signed_address
from media_network.callback import do_nothing
from tests.distribution_center.content.providers import servers
from tests.distribution_center.content.providers.servers import BUCKET, FILM, PASSWORD, USER

CUT_AT = 1_500_000


@pytest.fixture
def folder(tmp_path):
    films = tmp_path / "films"
    (films / "new").mkdir(parents=True)
    (films / "new" / "a film.mp4").write_bytes(FILM)
    return films


class Opened:
    """A remote, and where its bodies began."""

    def __init__(self, remote):
        self.remote, self.url, self.begun = remote, remote.url, []

    @asynccontextmanager
    async def open(self, begin_bytes, validator):
        async with self.remote.open(begin_bytes, validator) as body:
            self.begun.append(body.begin_bytes)
            yield body


def secret(tmp_path, text):
    path = tmp_path / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    return str(path)


def certificates(tmp_path):
    """One for a server on loopback, with its key, and who vouches for it."""
    authority = trustme.CA()
    server, ca = tmp_path / "server.pem", tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(server)
    authority.cert_pem.write_to_path(ca)
    return str(server), str(ca)


@asynccontextmanager
async def served(scheme, folder, tmp_path, monkeypatch, *, cut_at=None):
    """A provider of a scheme: its settings."""
    login = secret(tmp_path, f'user = "{USER}"\npassword = "{PASSWORD}"\n')
    async with AsyncExitStack() as stack:
        facts = {"name": "studio", "credentials": login}
        if scheme in {"ftp", "ftps"}:
            server, ca = certificates(tmp_path) if scheme == "ftps" else (None, "")
            port = stack.enter_context(servers.ftp_server(folder, certificate=server, cut_at=cut_at))
            yield ProviderSettings(address=f"{scheme}://127.0.0.1:{port}/new/", ca=ca, **facts)
            return
        if scheme == "sftp":
            port, key = await stack.enter_async_context(servers.sftp_server(folder))
        else:
            port = stack.enter_context(servers.s3_server(monkeypatch))
        if cut_at is not None:
            port = await stack.enter_async_context(servers.cut_wire(port, cut_at))
        if scheme == "sftp":
            yield ProviderSettings(address=f"sftp://127.0.0.1:{port}/new/", host_key=key, **facts)
            return
        keys = f'access_key = "{servers.ACCESS_KEY}"\nsecret_key = "{servers.SECRET_KEY}"\n'
        yield ProviderSettings(
            name="studio",
            address=f"s3://{BUCKET}/new/",
            endpoint=f"http://127.0.0.1:{port}",
            credentials=secret(tmp_path, keys),
        )


async def fetched(settings, tmp_path, name="a film.mp4", **facts):
    """The bytes of a file of a provider, and where its bodies began."""
    url = f"{settings.address}{name}"
    async with ClientSession() as session:
        remote = Opened(Providers([settings]).of(url).remote(url, session))
        path = await download(remote, tmp_path / "downloads", on_bytes=do_nothing, **facts)
    return path.read_bytes(), remote.begun


every_scheme = pytest.mark.parametrize("scheme", ["ftp", "ftps", "sftp", "s3"])


@every_scheme
def test_a_film_comes_whole_though_the_wire_is_cut(scheme, folder, tmp_path, monkeypatch):
    async def story():
        async with served(scheme, folder, tmp_path, monkeypatch, cut_at=CUT_AT) as settings:
            content, begun = await fetched(settings, tmp_path)
        assert content == FILM
        first, second = begun
        assert first == 0
        assert CUT_AT / 2 < second < CUT_AT * 1.1, "it goes on where it stopped"

    asyncio.run(story())


@every_scheme
def test_what_is_not_there_is_a_sentence_and_no_second_try(scheme, folder, tmp_path, monkeypatch):
    async def story():
        async with served(scheme, folder, tmp_path, monkeypatch) as settings:
            with pytest.raises(DownloadFailed) as caught:
                await fetched(settings, tmp_path, "none.mp4")
        assert not caught.value.resumes
        assert "\n" not in str(caught.value)
        assert PASSWORD not in str(caught.value)
        assert "Signature" not in str(caught.value)

    asyncio.run(story())


@pytest.mark.parametrize("scheme", ["ftp", "sftp"])
def test_a_wrong_password_is_a_sentence(scheme, folder, tmp_path, monkeypatch):
    async def story():
        async with served(scheme, folder, tmp_path, monkeypatch) as settings:
            secret(tmp_path, f'user = "{USER}"\npassword = "wrong"\n')
            with pytest.raises(DownloadFailed) as caught:
                await fetched(settings, tmp_path)
        assert not caught.value.resumes
        assert "wrong" not in str(caught.value)

    asyncio.run(story())


@pytest.mark.parametrize("scheme", ["ftp", "sftp"])
def test_a_film_that_was_changed_meanwhile_begins_again(scheme, folder, tmp_path, monkeypatch):
    class Stopped(Exception):
        pass

    def stop(received_bytes, length_bytes):
        raise Stopped

    async def story():
        async with served(scheme, folder, tmp_path, monkeypatch) as settings:
            url = f"{settings.address}a film.mp4"
            async with ClientSession() as session:
                remote = Providers([settings]).of(url).remote(url, session)
                with pytest.raises(Stopped):
                    await download(remote, tmp_path / "downloads", on_bytes=stop)
            (folder / "new" / "a film.mp4").write_bytes(FILM[::-1] + b"more")
            content, begun = await fetched(settings, tmp_path)
        assert content == FILM[::-1] + b"more"
        assert begun == [0]

    asyncio.run(story())


def test_an_ftp_server_nobody_vouches_for_gets_no_password(folder, tmp_path, monkeypatch):
    async def story():
        async with served("ftps", folder, tmp_path, monkeypatch) as settings:
            other = trustme.CA()
            other.cert_pem.write_to_path(settings.ca)
            with pytest.raises(DownloadFailed, match="its certificate is not to be trusted") as caught:
                await fetched(settings, tmp_path)
        assert not caught.value.resumes

    asyncio.run(story())


def test_an_sftp_server_with_another_key_gets_no_password(folder, tmp_path, monkeypatch):
    async def story():
        async with served("sftp", folder, tmp_path, monkeypatch) as settings, servers.sftp_server(folder) as other:
            port, _ = other
            moved = ProviderSettings(
                name="studio",
                address=f"sftp://127.0.0.1:{port}/new/",
                host_key=settings.host_key,
                credentials=settings.credentials,
            )
            with pytest.raises(DownloadFailed, match="its host key is another one") as caught:
                await fetched(moved, tmp_path)
        assert not caught.value.resumes

    asyncio.run(story())


def test_an_ftp_server_that_talks_without_end_is_left(tmp_path):
    async def chatter(reader, writer):
        try:
            while True:
                writer.write(b"220-hello\r\n" * 100)
                await writer.drain()
        except OSError:
            writer.close()

    async def story():
        async with await asyncio.start_server(chatter, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            settings = ProviderSettings(name="studio", address=f"ftp://127.0.0.1:{port}/")
            with pytest.raises(DownloadFailed, match="the server says too much"):
                await fetched(settings, tmp_path)

    asyncio.run(story())


def test_a_signature_is_the_one_that_amazons_own_library_makes(monkeypatch):
    """What obstore has signed is signed again by botocore, at the same second."""
    address = signed_address(
        BUCKET,
        "new/a film ü+.mp4",
        endpoint="https://s3.example:9000",
        region="eu-west-1",
        access_key=servers.ACCESS_KEY,
        secret_key=servers.SECRET_KEY,
        session_token="token/+=",
    )()
    parsed = urlsplit(address)
    said = {name: values[0] for name, values in parse_qs(parsed.query).items()}
    at = datetime.strptime(said["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    class Signing(S3SigV4QueryAuth):
        def add_auth(self, request):
            request.context["timestamp"] = said["X-Amz-Date"]
            self._modify_request_before_signing(request)
            request.url += "&X-Amz-Signature=" + self.signature(
                self.string_to_sign(request, self.canonical_request(request)), request
            )

    request = AWSRequest("GET", f"{parsed.scheme}://{parsed.netloc}{parsed.path}", headers={})
    known = AwsCredentials(servers.ACCESS_KEY, servers.SECRET_KEY, "token/+=")
    Signing(known, "s3", "eu-west-1", expires=int(said["X-Amz-Expires"])).add_auth(request)
    again = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
    assert again["X-Amz-Signature"] == said["X-Amz-Signature"]
    assert abs((datetime.now(UTC) - at).total_seconds()) < 600
    assert hashlib.sha256(servers.SECRET_KEY.encode()).hexdigest() not in address
