"""A film as ingest makes a program of it."""

import asyncio
from hashlib import sha256
from pathlib import Path

from distribution_center.content.ingest import ingest
from media_network.program import Program


def ingested(source: Path, spool: Path, **options: object) -> tuple[Program, list[bytes]]:
    """The program, and its attachments as its header names them."""
    attached: list[bytes] = []
    given = {"title": "a film", "on_progress": lambda _: None, **options}
    program = asyncio.run(ingest(source, spool, attach=attached.append, **given))
    named = [(len(octets), sha256(octets).hexdigest()) for octets in attached]
    assert named == [(one.length_bytes, one.sha256) for one in program.header.attachments]
    return program, attached
