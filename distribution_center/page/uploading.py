"""Taking a file over HTTP: it is announced, its bytes go to the disk as they come, and an ingest of it begins."""

import asyncio
import logging
from collections.abc import AsyncIterator

import msgspec
from aiohttp import web

from distribution_center.content.ingesting import Ingesting
from distribution_center.content.uploads import Upload, UploadBroken, UploadDisplaced
from distribution_center.page.orders import BEGIN_UPLOAD, UPLOAD_PATH, BeginUpload, UploadBegun
from distribution_center.registry.repository import RepositoryError
from media_network.files import DISK_FULL
from media_network.http.refusing import refusing
from media_network.http.server import HandlerTable
from media_network.messages.content import Ingest, IngestProgress
from media_network.os_trouble import in_words
from media_network.refusal import Reason, Refused

logger = logging.getLogger(__name__)

SILENT_MAX_S = 30.0
"""Who sends nothing for so long is not waited for: another may want the place."""


class Uploading:
    """What is answered to those who send films."""

    def __init__(self, ingesting: Ingesting) -> None:
        self._ingesting = ingesting
        self._uploads = ingesting.uploads

    def answer(self, table: HandlerTable) -> None:
        """Enter the verb, and where bytes are put, into a table."""
        table.verb(BEGIN_UPLOAD, self._begin)
        table.upload(UPLOAD_PATH, self._take, "The bytes of a file that was announced.", IngestProgress)

    async def _begin(self, announced: BeginUpload) -> UploadBegun | Refused:
        if nobody := await self._ingesting.storing.nobody_there():
            return Refused(Reason.NO_ENGINE, nobody)
        upload = self._uploads.begin(announced.name, announced.length_bytes, announced.title)
        return upload if isinstance(upload, Refused) else UploadBegun(upload=upload.number)

    async def _take(self, http: web.Request) -> web.StreamResponse:
        upload = self._uploads.take(http.match_info["upload"])
        if upload is None:
            return _refuse(Reason.NOT_HERE, "no upload of that number has been announced, or it has lapsed")
        progress = await self._receive(http, upload) or await self._ingest(upload)
        if isinstance(progress, Refused):
            logger.info("the upload of %s is refused: %s", upload.path.name, progress)
            return refusing(progress, {"Connection": "close"})
        return web.Response(body=msgspec.json.encode(progress), content_type="application/json")

    async def _receive(self, http: web.Request, upload: Upload) -> Refused | None:
        try:
            await self._uploads.receive(upload, _parts(http))
        except UploadDisplaced as error:
            return Refused(Reason.BUSY, str(error))
        except UploadBroken as error:
            return Refused(Reason.BAD_MESSAGE, str(error))
        except TimeoutError:
            return Refused(Reason.OVERDUE, f"nothing came for {SILENT_MAX_S:.0f} s: nothing of the upload is kept")
        except ConnectionError:
            return Refused(Reason.OVERDUE, "the connection has ended: nothing of the upload is kept")
        except OSError as error:
            reason = Reason.NO_SPACE if error.errno in DISK_FULL else Reason.IO_ERROR
            return Refused(reason, f"the upload cannot be kept: {in_words(error)}")
        return None

    async def _ingest(self, upload: Upload) -> IngestProgress | Refused:
        try:
            progress = await self._ingesting.begin(Ingest(source=str(upload.path), title=upload.title))
        except RepositoryError as error:
            progress = Refused(Reason.BUSY, str(error))
        if isinstance(progress, Refused):
            await self._uploads.let_go(str(upload.path))
        return progress


async def _parts(http: web.Request) -> AsyncIterator[bytes]:
    """What comes, as it comes. Raises TimeoutError, ConnectionError."""
    while True:
        async with asyncio.timeout(SILENT_MAX_S):
            part = await http.content.readany()
        if not part:
            return
        yield part


def _refuse(reason: Reason, detail: str) -> web.Response:
    return refusing(Refused(reason, detail), {"Connection": "close"})
