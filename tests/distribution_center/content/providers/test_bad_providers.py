"""Web servers that lie, loop, lead elsewhere or never end: each costs a sentence, and leaves nothing."""

import asyncio
import hashlib
import ssl
from contextlib import asynccontextmanager

import pytest
import trustme
from aiohttp import ClientSession, web

from distribution_center.content.errors import DiskFull, DownloadFailed, IngestError, OtherContent
from distribution_center.content.providers import download as download_module
from distribution_center.content.providers.download import Expected, download
from distribution_center.content.providers.provider import ProviderSettings
from distribution_center.content.providers.providers import Providers
from media_network.callback import do_nothing
from tests.distribution_center.content.providers.test_protocols import certificates, secret

FILM = bytes(range(256)) * 100
TAKEN_MAX = 4 << 20


class Web:
    """A web server that does what its handlers do, and counts what it has sent without end."""

    def __init__(self):
        self.asked, self.sent_bytes, self.port = [], 0, 0

    async def film(self, request):
        self.asked.append(request)
        return web.Response(body=FILM, headers={"ETag": '"film"'})

    async def endless(self, request):
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        while self.sent_bytes < 1 << 30:
            await response.write(bytes(1 << 16))
            self.sent_bytes += 1 << 16
        return response

    async def around(self, request):
        self.asked.append(request)
        raise web.HTTPFound("/films/around")

    async def away(self, request):
        return web.Response(status=302, headers={"Location": request.query["to"]})


@asynccontextmanager
async def served(tls=None):
    server = Web()
    application = web.Application()
    for path in ("film", "endless", "around", "away"):
        application.router.add_get(f"/films/{path}", getattr(server, path))
    application.router.add_get("/elsewhere/film", server.film)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


def told(story, **facts):
    async def tell():
        async with served(**facts) as server:
            await story(server)

    asyncio.run(tell())


async def fetch(server, path, folder, expected=None, *, scheme="http", **facts):
    base = f"{scheme}://127.0.0.1:{server.port}"
    settings = ProviderSettings(**{"name": "studio", "address": f"{base}/films/", **facts})
    provider = Providers([settings]).of(f"{base}/films/{path}")
    async with ClientSession() as session:
        remote = provider.remote(f"{base}/films/{path}", session)
        return await download(
            remote, folder, on_bytes=do_nothing, expected=expected or Expected(bytes_max=TAKEN_MAX), attempts=2
        )


def test_what_is_expected_comes(tmp_path):
    async def story(server):
        expected = Expected(
            length_bytes=len(FILM),
            md5=hashlib.md5(FILM).hexdigest(),
            sha256=hashlib.sha256(FILM).hexdigest(),
        )
        assert (await fetch(server, "film", tmp_path, expected)).read_bytes() == FILM

    told(story)


@pytest.mark.parametrize(
    ("expected", "sentence"),
    [
        (Expected(length_bytes=7), f"it has {len(FILM)} bytes, and its metadata say 7"),
        (Expected(md5="0" * 32), f"its MD5 is {hashlib.md5(FILM).hexdigest()}, and its metadata say 000"),
        (Expected(sha256="0" * 64), f"its SHA256 is {hashlib.sha256(FILM).hexdigest()}, and its metadata say 000"),
        (Expected(bytes_max=1000), "it has more than the 1000 bytes that it may have"),
    ],
)
def test_what_is_not_what_the_metadata_say_is_not_kept(expected, sentence, tmp_path):
    async def story(server):
        with pytest.raises(OtherContent, match=sentence):
            await fetch(server, "film", tmp_path, expected)
        assert list(tmp_path.iterdir()) == []
        assert len(server.asked) == 1, "it is not asked for again"

    told(story)


@pytest.mark.parametrize("expected", [None, Expected(length_bytes=TAKEN_MAX)])
def test_a_stream_that_does_not_end_is_left(expected, tmp_path):
    async def story(server):
        with pytest.raises(OtherContent, match="it has more than the 4194304 bytes that it may have"):
            await fetch(server, "endless", tmp_path, expected)
        assert list(tmp_path.iterdir()) == []
        assert server.sent_bytes < 16 * TAKEN_MAX

    told(story)


def test_a_disk_is_not_filled_to_the_brim(tmp_path, monkeypatch):
    monkeypatch.setattr(download_module, "FREE_BYTES_MIN", 1 << 60)

    async def story(server):
        with pytest.raises(DiskFull):
            await fetch(server, "film", tmp_path)
        assert list(tmp_path.iterdir()) == []

    told(story)


def test_a_redirection_in_a_circle_ends(tmp_path):
    async def story(server):
        with pytest.raises(DownloadFailed, match="it redirects more than 5 times") as caught:
            await fetch(server, "around", tmp_path)
        assert not caught.value.resumes
        assert len(server.asked) == 6

    told(story)


@pytest.mark.parametrize(
    ("to", "sentence"),
    [
        ("/elsewhere/film", "it redirects to http://127.0.0.1:{port}, which is not an address of its provider"),
        ("http://127.0.0.2:{port}/films/film", "it redirects to http://127.0.0.2:{port}, which is not"),
        ("http://user:pw@127.0.0.1:{port}/films/film", "which is not an address of its provider"),
        ("/films/%2e%2e/elsewhere/film", "which is not an address of its provider"),
        ("file:///etc/passwd", "it redirects to 'file', and not to the web"),
        ("http://[", "it redirects to what is no URL"),
    ],
)
def test_a_redirection_to_where_nobody_allowed_it_is_not_followed(to, sentence, tmp_path):
    async def story(server):
        with pytest.raises(DownloadFailed) as caught:
            await fetch(server, f"away?to={to.format(port=server.port).replace('%', '%25')}", tmp_path)
        assert sentence.format(port=server.port) in str(caught.value)
        assert server.asked == []

    told(story)


def test_a_redirection_that_is_allowed_is_followed_without_our_name_elsewhere(tmp_path):
    async def story(server):
        async with served() as other:
            path = await fetch(
                server,
                f"away?to=http://127.0.0.1:{other.port}/elsewhere/film",
                tmp_path,
                also=(f"http://127.0.0.1:{other.port}/elsewhere/",),
                credentials=secret(tmp_path, 'token = "rosebud"'),
            )
            assert path.read_bytes() == FILM
            assert "Authorization" not in other.asked[0].headers

    told(story)


@pytest.mark.parametrize(
    ("text", "header"),
    [('token = "rosebud"', "Bearer rosebud"), ('user = "ann"\npassword = "bee"', "Basic YW5uOmJlZQ==")],
)
def test_the_center_makes_itself_known(text, header, tmp_path):
    async def story(server):
        credentials = secret(tmp_path, text)
        await fetch(server, "away?to=/films/film", tmp_path, credentials=credentials)
        assert server.asked[0].headers["Authorization"] == header

    told(story)


def test_who_is_vouched_for_by_nobody_gets_no_request(tmp_path):
    certificate, ca = certificates(tmp_path)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate)

    async def story(server):
        with pytest.raises(DownloadFailed, match="its certificate is not to be trusted") as caught:
            await fetch(server, "film", tmp_path / "downloads", scheme="https")
        assert not caught.value.resumes
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(other)
        with pytest.raises(DownloadFailed, match="its certificate is not to be trusted"):
            await fetch(server, "film", tmp_path / "downloads", scheme="https", ca=str(other))
        assert server.asked == []
        path = await fetch(server, "film", tmp_path / "downloads", scheme="https", ca=ca)
        assert path.read_bytes() == FILM

    told(story, tls=tls)


def test_who_speaks_no_tls_gets_no_request(tmp_path):
    async def story(server):
        with pytest.raises(IngestError) as caught:
            await fetch(server, "film", tmp_path, scheme="https")
        assert "no secure connection" in str(caught.value)
        assert server.asked == []

    told(story)
