"""Programs in a registry, as many as a test wants to look through: nobody has cut them of a film."""

import asyncio
import hashlib
import struct
import zlib

from media_network.program_header import Attachment, AttachmentKind
from tests.distribution_center.world import CONTENTS
from tests.programs import program_with, segment_of

SEGMENTS = [segment_of(content, number, 90_000 * 1500) for number, content in enumerate(CONTENTS)]


def program(name, title="Film", *, picture=None, **facts):
    """A program of four segments, with its picture."""
    attachments = ()
    if picture:
        sha256 = hashlib.sha256(picture).hexdigest()
        attachments = (
            Attachment(kind=AttachmentKind.PICTURE, media_type="image/png", length_bytes=len(picture), sha256=sha256),
        )
    return program_with(SEGMENTS, program=name, title=title, version=0, attachments=attachments, **facts)


async def add(world, *programs, picture=None):
    """Enter them into the registry of a center that is on duty."""
    await asyncio.gather(
        *(world.repository.add_program(one, [picture] if one.header.attachments else []) for one in programs)
    )


def png(red, green, blue, width=192, height=108):
    """A picture of one colour that fades to black."""
    rows = b"".join(
        b"\0" + bytes(int(part * (1 - 0.6 * line / height)) for part in (red, green, blue)) * width
        for line in range(height)
    )
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )
