"""Playing by HLS: the director's playlist, and each segment from the engine that the director redirects to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import msgspec
from aiohttp import ClientResponse

from chassis_emulator.media_console.errors import (
    BadPlaylist,
    NotAnswered,
    PlayRefused,
    SegmentLost,
)
from chassis_emulator.media_console.playlist import PLAYLIST_BYTES_MAX, join, only_variant, parse_playlist, split_url
from chassis_emulator.media_console.reception import ConsoleReception, Output, Progress, ReceivedSegment
from chassis_emulator.media_console.segment_assembly import SegmentAssembly
from chassis_emulator.media_console.stopping import until_stopped
from media_network.address import Address
from media_network.callback import do_nothing
from media_network.http.client import NOT_THE_MESSAGE, HttpClient
from media_network.http.errors import Unreachable
from media_network.messages.authentication import TOKEN_PARAMETER
from media_network.program import Program
from media_network.refusal import Reason, Refused
from media_network.rtp import RTSP_PORT

PATIENCE_S = 12.0
"""How long a segment may bring nothing new before it is lost: stations notice a lost engine sooner."""

_RETRY_PAUSE_S = 0.2
_REDIRECTS_MAX = 5
_REDIRECTIONS = (301, 302, 303, 307, 308)
_REFUSAL_BYTES_MAX = 4096
_FINAL = frozenset(
    {
        Reason.BAD_MESSAGE,
        Reason.BAD_TICKET,
        Reason.NOT_PUBLISHED,
        Reason.UNKNOWN_PROGRAM,
        Reason.UNKNOWN_SESSION,
    }
)
"""What the director would say again."""


class _Declined(Exception):
    """An answer that is not the resource. `final` when asking again would change nothing."""

    def __init__(self, peer: Address, detail: str, *, final: bool, reason: Reason = Reason.UNKNOWN) -> None:
        super().__init__(peer, detail)
        self.reason = reason
        self.peer = peer
        self.detail = detail
        self.final = final


def playlist_url(director: Address, program: str, token: str | None) -> str:
    """Where a player finds a program; the address carries the token (RFC 9246)."""
    shown = f"?{TOKEN_PARAMETER}={token}" if token else ""
    return f"http://{director}/programs/{program}/playlist.m3u8{shown}"


def rtsp_url(director: Address, program: str, token: str | None) -> str:
    """Where a player asks for a program by RTSP, at a station whose blades answer it at the usual port."""
    shown = f"?{TOKEN_PARAMETER}={token}" if token else ""
    return f"rtsp://{director.host}:{RTSP_PORT}/programs/{program}{shown}"


async def play_hls(
    director: Address,
    program: str,
    output: Output,
    http: HttpClient,
    *,
    token: str | None = None,
    expected: Program | None = None,
    progress: Progress = do_nothing,
    stop: asyncio.Event | None = None,
    patience_s: float = PATIENCE_S,
) -> ConsoleReception:
    """Play a program through its director; `expected` is what the reception is compared with. Raises ConsoleError."""
    url = playlist_url(director, program, token)
    return await play_url(
        url,
        output,
        http,
        program=program,
        expected=expected,
        progress=progress,
        stop=stop,
        patience_s=patience_s,
    )


async def play_url(
    url: str,
    output: Output,
    http: HttpClient,
    *,
    program: str = "",
    expected: Program | None = None,
    progress: Progress = do_nothing,
    stop: asyncio.Event | None = None,
    patience_s: float = PATIENCE_S,
) -> ConsoleReception:
    """Play whatever the media playlist at `url` lists. Raises ConsoleError."""
    console = _HlsConsole(output, http, expected, progress, patience_s)
    stopped = not await until_stopped(console.play(url), stop)
    return console.reception(program or url, stopped=stopped)


class _HlsConsole:
    def __init__(
        self, output: Output, http: HttpClient, expected: Program | None, progress: Progress, patience_s: float
    ) -> None:
        self._output = output
        self._http = http
        self._expected = expected
        self._progress = progress
        self._patience_s = patience_s
        self._digest = sha256()
        self._bytes = 0
        self._segments: list[ReceivedSegment] = []
        self._current: SegmentAssembly | None = None
        self._instead: Address | None = None
        """Who is asked instead of the director that the playlist names."""

    async def play(self, url: str) -> None:
        urls = await self._playlist(url)
        if self._expected and len(urls) != len(self._expected.segments):
            raise BadPlaylist(url, f"it has {len(urls)} segments, the program has {len(self._expected.segments)}")
        self._progress(0, len(urls))
        for number, segment_url in enumerate(urls):
            wanted = self._expected.segments[number] if self._expected else None
            self._current = SegmentAssembly(number, wanted)
            await self._receive(self._known_way(segment_url), self._current)
            self._segments.append(self._current.result())
            self._current = None
            self._progress(number + 1, len(urls))

    def reception(self, program: str, *, stopped: bool) -> ConsoleReception:
        begun = [self._current.result()] if self._current and self._current.received else []
        digest = self._digest.hexdigest()
        return ConsoleReception(
            program=program,
            sha256=digest,
            bytes=self._bytes,
            segments=(*self._segments, *begun),
            expected_sha256=self._expected.header.sha256 if self._expected else "",
            expected_bytes=self._expected.header.length_bytes if self._expected else 0,
            stopped=stopped,
            intact=digest == self._expected.header.sha256 if self._expected and not stopped else None,
        )

    async def _playlist(self, url: str) -> tuple[str, ...]:
        """The segments of a playlist, or of the only one that it leads to."""
        body = await self._text(url)
        variant = only_variant(body, url)
        if variant is None:
            return parse_playlist(body, url)
        return parse_playlist(await self._text(variant), variant)

    async def _text(self, url: str) -> bytes:
        peer, _ = split_url(url)
        body = bytearray()
        try:
            async with _resource(self._http, url) as (_, response):
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > PLAYLIST_BYTES_MAX:
                        raise BadPlaylist(url, f"it is longer than {PLAYLIST_BYTES_MAX} bytes")
        except Unreachable as error:
            raise NotAnswered("director", peer, error.cause) from error
        except _Declined as declined:
            raise PlayRefused(declined.peer, "the playlist", declined.detail, declined.reason) from declined
        return bytes(body)

    async def _receive(self, url: str, segment: SegmentAssembly) -> None:
        """Fetch a segment through the director, again when an engine breaks off in the middle."""
        loop = asyncio.get_running_loop()
        give_up_at, had = loop.time() + self._patience_s, 0
        while True:
            try:
                await self._receive_more(url, segment)
                cause = "the engine sent too little"
            except Unreachable as error:
                cause = str(error.peer) + " broke off: " + error.cause
                url = self._elsewhere(url, error.peer)
            except _Declined as declined:
                cause = f"{declined.peer} refuses: {declined.detail}"
                if declined.final:
                    raise SegmentLost(segment.number, segment.received, cause) from declined
            if segment.is_complete:
                return
            if segment.received > had:
                give_up_at, had = loop.time() + self._patience_s, segment.received
            if loop.time() >= give_up_at:
                raise SegmentLost(segment.number, segment.received, cause)
            await asyncio.sleep(_RETRY_PAUSE_S)

    def _elsewhere(self, url: str, lost: Address) -> str:
        """The same segment asked for at the engine that served last, if the director is lost: it knows the next one."""
        director, path = split_url(url)
        if lost != director or not self._segments:
            return url
        self._instead = Address.parse(self._segments[-1].engine)
        return f"http://{self._instead}{path}"

    def _known_way(self, url: str) -> str:
        """The playlist names a director that has been lost since."""
        return f"http://{self._instead}{split_url(url)[1]}" if self._instead else url

    async def _receive_more(self, url: str, segment: SegmentAssembly) -> None:
        async with _resource(self._http, url, first_byte=segment.received) as (engine, response):
            part = response.headers.get("Content-Range", "") if response.status == 206 else None
            segment.begin(str(engine), content_range=part, length=response.content_length)
            async for chunk in response.content.iter_any():
                new = segment.feed(chunk)
                self._output.write(new)
                self._digest.update(new)
                self._bytes += len(new)
            segment.end()


@asynccontextmanager
async def _resource(
    http: HttpClient, url: str, *, first_byte: int = 0
) -> AsyncIterator[tuple[Address, ClientResponse]]:
    """What is at the end of the redirects, and who has it. Raises _Declined, Unreachable, BadUrl."""
    for hop in range(_REDIRECTS_MAX + 1):
        peer, path = split_url(url)
        async with http.read(peer, path, first_byte=first_byte) as response:
            if response.status in _REDIRECTIONS:
                url = join(url, response.headers.get("Location", ""))
                continue
            if response.status not in (200, 206):
                # What an engine declines the director may find at another; what the director declines stays declined.
                raise await _declined(peer, response, may_change=hop > 0)
            yield peer, response
            return
    raise _Declined(peer, f"more than {_REDIRECTS_MAX} redirects", final=True)


async def _declined(peer: Address, response: ClientResponse, *, may_change: bool) -> _Declined:
    """Why, in the words of the refusal that came, or else HTTP's."""
    body = await response.content.read(_REFUSAL_BYTES_MAX)
    final = not may_change and 400 <= response.status < 500
    try:
        refused = msgspec.json.decode(body, type=Refused)
    except NOT_THE_MESSAGE:
        return _Declined(peer, f"HTTP {response.status}{_excerpt(response, body)}", final=final)
    if refused.reason is not Reason.UNKNOWN:
        final = not may_change and refused.reason in _FINAL
    return _Declined(peer, str(refused), final=final, reason=refused.reason)


def _excerpt(response: ClientResponse, body: bytes) -> str:
    """What a plain text says, as far as it can be shown."""
    first_line = body[:200].decode(errors="replace").partition("\n")[0].strip()
    return f", {first_line}" if response.content_type == "text/plain" and first_line.isprintable() else ""
