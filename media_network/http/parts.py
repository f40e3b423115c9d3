"""Parts of programs as resources: under their digests, so that they never change and may come from anybody."""

import asyncio
import hashlib
import logging
import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from media_network.address import Address
from media_network.fields import Sha256
from media_network.http.client import HttpClient
from media_network.http.conditions import FOR_EVER, entity_tag, is_known
from media_network.http.errors import NetworkError
from media_network.http.refusing import refusing
from media_network.messages.program_information import PART_PATH
from media_network.messages.verb import Port
from media_network.program import Program, joined
from media_network.program_header import ProgramHeader
from media_network.refusal import Reason, Refused
from media_network.segment_table import BadTable, table_bytes

logger = logging.getLogger(__name__)

_DIGEST = re.compile(r"[0-9a-f]{64}")


async def part_response(request: web.Request, read: Callable[[Sha256], Awaitable[bytes | None]]) -> web.StreamResponse:
    """Answer `GET /parts/<sha256>` with what `read` finds."""
    sha256 = request.match_info["sha256"]
    octets = await read(sha256) if _DIGEST.fullmatch(sha256) else None
    if octets is None:
        return refusing(Refused(Reason.NOT_HERE, "no such part is here"))
    headers = {"ETag": entity_tag(sha256), "Cache-Control": FOR_EVER}
    if is_known(request.headers.get("If-None-Match", ""), headers["ETag"]):
        return web.Response(status=304, headers=headers)
    return web.Response(body=octets, content_type="application/octet-stream", headers=headers)


async def fetch_program(http: HttpClient, source: Address, header: ProgramHeader) -> Program | None:
    """Get the segment table of a program from a media address; None: it is not there, or is another's."""
    octets = await fetch_part(http, source, header.table, table_bytes(header.segments))
    if octets is None:
        return None
    try:
        # A thread's work: of the longest table there is it takes seconds.
        return await asyncio.get_running_loop().run_in_executor(None, joined, header, octets)
    except BadTable as error:
        logger.warning("%s gives no table of %s: %s", source, header.program, error)
        return None


async def fetch_part(http: HttpClient, source: Address, sha256: Sha256, bytes_max: int) -> bytes | None:
    """Get a part from a media address; None: it is not there, is longer than that, or is not what it is to be."""
    return await fetch_named(http, source, PART_PATH.format(sha256=sha256), sha256, bytes_max)


async def fetch_named(
    http: HttpClient,
    source: Address,
    target: str,
    sha256: Sha256,
    bytes_max: int,
    *,
    port: Port = Port.MEDIA,
    token: str = "",
) -> bytes | None:
    """Get what has this digest from a resource of an address, which is a port of that kind, with that token; None as of
    `fetch_part`."""
    octets = bytearray()
    try:
        async with http.read(source, target, port=port, token=token) as response:
            if response.status != 200:
                return None
            async for piece in response.content.iter_any():
                octets += piece
                if len(octets) > bytes_max:
                    logger.warning("%s gives more for %s than it may have", source, sha256)
                    response.close()
                    return None
    except NetworkError as error:
        logger.warning("%s", error)
        return None
    if hashlib.sha256(octets).hexdigest() != sha256:
        logger.warning("what %s gives for %s is something else", source, sha256)
        return None
    return bytes(octets)
