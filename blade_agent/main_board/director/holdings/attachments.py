"""Attachments of programs: what a player, or a person, is shown beside the program itself.

They are at the center, and on the disk of a director that was asked for them; in memory are those that were asked for
lately. With the center away a program plays without the others.
"""

import asyncio
import logging
from collections import OrderedDict

from blade_agent.main_board.catalogue import Catalogue
from blade_agent.main_board.director.engines.roster import Roster
from blade_agent.main_board.director.holdings.library import Library
from blade_agent.main_board.director.term import Term
from media_network.fields import Sha256
from media_network.key_picture_table import BadKeyPictures, ListedPicture, parse_key_pictures
from media_network.program import Program
from media_network.program_header import Attachment, AttachmentKind, ProgramHeader

logger = logging.getLogger(__name__)

_AT_HAND_BYTES = 16 * 1024 * 1024
_PLAYER_WAITS_S = 1.0
"""For what it can do without."""
_ASK_AGAIN_S = 30.0
"""What nobody had is not asked for sooner."""
_MISSED_MAX = 1024


class Attachments:
    """What a director has of them, or gets."""

    def __init__(self, term: Term, catalogue: Catalogue, roster: Roster, library: Library) -> None:
        self._term = term
        self._catalogue = catalogue
        self._roster = roster
        self._library = library
        self._at_hand: OrderedDict[Sha256, bytes] = OrderedDict()
        self._at_hand_bytes = 0
        self._coming: dict[Sha256, asyncio.Task[bytes | None]] = {}
        self._missed: OrderedDict[Sha256, float] = OrderedDict()
        """When nobody had it, by the event loop's time."""

    async def get(self, header: ProgramHeader, kind: AttachmentKind) -> bytes | None:
        """The first of a kind; None: the program has none, or nobody who can be reached has it."""
        attachment = next((one for one in header.attachments if one.kind is kind), None)
        if attachment is None:
            return None
        sha256 = attachment.sha256
        if (octets := self._at_hand.get(sha256)) is not None:
            self._at_hand.move_to_end(sha256)
            return octets
        if _now() < self._missed.get(sha256, -_ASK_AGAIN_S) + _ASK_AGAIN_S:
            return None
        coming = self._coming.get(sha256)
        if coming is None:
            name = f"{kind} of {header.program}"
            coming = self._coming[sha256] = self._term.tasks.create_task(self._obtain(header, attachment), name=name)
            coming.add_done_callback(lambda _: self._coming.pop(sha256, None))
        return await asyncio.shield(coming)

    async def key_pictures(self, program: Program) -> tuple[ListedPicture, ...]:
        """All key pictures of a program; none: they are not known, or not in time for a player that waits."""
        try:
            async with asyncio.timeout(_PLAYER_WAITS_S):
                octets = await self.get(program.header, AttachmentKind.KEY_PICTURES)
        except TimeoutError:
            return ()
        if not octets:
            return ()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(None, parse_key_pictures, octets, program.segments)
        except BadKeyPictures as error:
            logger.warning("the key pictures of %s make no sense: %s", program.name, error)
            return ()

    async def _obtain(self, header: ProgramHeader, attachment: Attachment) -> bytes | None:
        sha256 = attachment.sha256
        engines = [engine.media for engine in self._roster if not engine.silent]
        sources = [each for each in (self._library.center_media, *engines) if each]
        octets = await self._catalogue.parts.obtain(sha256, attachment.length_bytes, sources, self._term.http)
        if octets is None:
            self._missed[sha256] = _now()
            if len(self._missed) > _MISSED_MAX:
                self._missed.popitem(last=False)
            return None
        self._missed.pop(sha256, None)
        await self._drop_if_void(header, sha256)
        self._put(sha256, octets)
        return octets

    async def _drop_if_void(self, header: ProgramHeader, sha256: Sha256) -> None:
        """It may have come after its program was withdrawn."""
        if self._catalogue.names_part(sha256):
            return
        try:
            await self._catalogue.parts.forget(sha256)
        except OSError as error:
            logger.warning("an attachment of %s, which is not there any more, stays: %s", header.program, error)

    def _put(self, sha256: Sha256, octets: bytes) -> None:
        if sha256 not in self._at_hand:
            self._at_hand_bytes += len(octets)
        self._at_hand[sha256] = octets
        while self._at_hand_bytes > _AT_HAND_BYTES:
            _, oldest = self._at_hand.popitem(last=False)
            self._at_hand_bytes -= len(oldest)


def _now() -> float:
    return asyncio.get_running_loop().time()
