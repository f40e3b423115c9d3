"""Downloads from a provider that cuts connections, changes its mind or its file, or is not there."""

import asyncio
import re
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from distribution_center.content.errors import DiskFull, DownloadFailed
from distribution_center.content.providers.download import download as download_remote
from distribution_center.content.providers.http_remote import HttpRemote


async def download(session: ClientSession, url: str, spool: Path, **facts: Any) -> Path:
    return await download_remote(HttpRemote(session=session, url=url), spool, **facts)


FILM = b"".join(sha256(n.to_bytes(2, "big")).digest() for n in range(10_000))
OTHER = FILM[::-1]


@dataclass
class Turn:
    """How the provider answers one request."""

    status: int = 200
    cut_at: int | None = None
    """Close the connection when so many bytes of the body have been received."""
    body: bytes = FILM
    tag: str = '"first"'
    ranges: bool = True
    offset: int | None = None
    """Send what begins here instead of what was asked for."""


@dataclass
class Provider:
    turns: list[Turn]
    asked: list[str] = field(default_factory=list)
    sent_bytes: int = 0
    url: str = ""
    received_bytes: int = 0
    received: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, received_bytes: int, length_bytes: int) -> None:
        """What the download has received."""
        assert 0 <= received_bytes <= length_bytes
        self.received_bytes = received_bytes
        self.received.set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        asked = request.headers.get("Range", "")
        self.asked.append(asked)
        self.received_bytes = 0
        if turn.status != 200:
            return web.Response(status=turn.status)
        begin = 0
        match = re.fullmatch(r"bytes=(\d+)-", asked)
        if match and turn.ranges and request.headers.get("If-Range") == turn.tag:
            begin = int(match[1]) if turn.offset is None else turn.offset
        headers = {"Content-Length": str(len(turn.body) - begin), "ETag": turn.tag}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(turn.body) - 1}/{len(turn.body)}"
        response = web.StreamResponse(
            status=206 if begin else 200, headers={name: value for name, value in headers.items() if value}
        )
        await response.prepare(request)
        end = len(turn.body) if turn.cut_at is None else begin + turn.cut_at
        await response.write(turn.body[begin:end])
        self.sent_bytes += end - begin
        if turn.cut_at is not None and request.transport is not None:
            while self.received_bytes != end:
                self.received.clear()
                await self.received.wait()
            request.transport.close()
        return response


def with_provider(turns: list[Turn], story: Callable[[Provider, ClientSession], Awaitable[None]]) -> None:
    async def tell() -> None:
        provider = Provider(turns)
        application = web.Application()
        application.router.add_get("/film.mp4", provider.answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}/film.mp4"
        async with ClientSession() as session:
            await story(provider, session)
        await runner.cleanup()

    asyncio.run(tell())


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_an_interrupted_download_resumes(tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        seen: list[tuple[int, int]] = []

        def on_bytes(received_bytes: int, length_bytes: int) -> None:
            seen.append((received_bytes, length_bytes))
            provider.note(received_bytes, length_bytes)

        path = await download(session, provider.url, tmp_path, on_bytes=on_bytes)
        assert path.read_bytes() == FILM
        assert provider.asked == ["", "bytes=1000-", "bytes=200000-"]
        assert provider.sent_bytes == len(FILM)
        assert seen == sorted(seen)
        assert seen[-1] == (len(FILM), len(FILM))
        assert names(tmp_path) == [path.name]

    with_provider([Turn(cut_at=1000), Turn(cut_at=199_000), Turn()], story)


def test_resumes_after_it_was_given_up(tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        with pytest.raises(DownloadFailed) as caught:
            await download(session, provider.url, tmp_path, on_bytes=provider.note, attempts=1)
        error = caught.value
        assert (error.source, error.status, error.resumes) == (provider.url, 503, True)
        assert (error.received_bytes, error.length_bytes) == (5000, len(FILM))
        path = await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert path.read_bytes() == FILM
        assert provider.asked == ["", "bytes=5000-", "bytes=5000-"]

    with_provider([Turn(cut_at=5000), Turn(status=503), Turn()], story)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param([Turn(body=OTHER, tag='"second"')], id="another file"),
        pytest.param([Turn(body=OTHER, ranges=False)], id="no ranges"),
        pytest.param([Turn(offset=10), Turn(body=OTHER)], id="wrong range"),
        pytest.param([Turn(status=416), Turn(body=OTHER)], id="range refused"),
    ],
)
def test_begins_again_when_the_rest_does_not_fit(after: list[Turn], tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        path = await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert path.read_bytes() == OTHER
        assert provider.asked[:2] == ["", "bytes=5000-"]

    with_provider([Turn(cut_at=5000), *after], story)


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_begins_again_without_a_strong_validator(tag: str, tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        path = await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert path.read_bytes() == FILM
        assert provider.asked == ["", ""]

    with_provider([Turn(cut_at=5000, tag=tag), Turn(tag=tag)], story)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
@pytest.mark.parametrize("before", [[], [Turn(cut_at=5000)]], ids=["at once", "midway"])
def test_a_vanished_url(status: int, before: list[Turn], tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        with pytest.raises(DownloadFailed) as caught:
            await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert (caught.value.status, caught.value.resumes) == (status, False)
        assert caught.value.received_bytes == (5000 if before else 0)
        assert provider.url in str(caught.value)
        assert str(status) in str(caught.value)
        assert names(tmp_path) == []

    with_provider([*before, Turn(status=status)], story)


def test_a_body_that_is_always_too_short(tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        with pytest.raises(DownloadFailed) as caught:
            await download(session, provider.url, tmp_path, on_bytes=provider.note, attempts=2)
        assert (caught.value.received_bytes, caught.value.length_bytes) == (5000, len(FILM))
        assert "5000 of 320000 bytes" in str(caught.value)

    with_provider([Turn(cut_at=5000, ranges=False)], story)


def test_a_server_that_recovers(tmp_path: Path) -> None:
    async def story(provider: Provider, session: ClientSession) -> None:
        path = await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert path.read_bytes() == FILM

    with_provider([Turn(status=503), Turn()], story)


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/film.mp4", "http://127.0.0.1:{port}/film.mp4"])
def test_nobody_there(url: str, tmp_path: Path, free_port: Callable[..., int]) -> None:
    def received(received_bytes: int, length_bytes: int) -> None:
        raise AssertionError((received_bytes, length_bytes))

    async def story() -> None:
        async with ClientSession() as session:
            await download(session, url.format(port=free_port()), tmp_path, on_bytes=received, attempts=1)

    with pytest.raises(DownloadFailed) as caught:
        asyncio.run(story())
    assert (caught.value.status, caught.value.received_bytes, caught.value.length_bytes) == (0, 0, -1)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the length of files stands for the disk."""

    async def story(provider: Provider, session: ClientSession) -> None:
        with pytest.raises(DiskFull) as caught:
            await download(session, provider.url, tmp_path, on_bytes=provider.note)
        assert caught.value.source == provider.url

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with_provider([Turn()], story)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
