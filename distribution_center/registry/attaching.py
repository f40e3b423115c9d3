"""A program is added with its attachments in one transaction: a header names nothing that is not there."""

import hashlib
from collections.abc import Sequence

from distribution_center.registry.repository import Verdict
from distribution_center.registry.statements import Each, Statement, Steps
from distribution_center.registry.writes import add_program
from media_network.program import Program


def add_program_with(*, program: Program, attachments: Sequence[bytes], now_ms: int) -> Steps:
    """See `Repository.add_program`."""
    verdict = yield from add_program(program=program, now_ms=now_ms)
    if verdict is not Verdict.ACCEPTED:
        return verdict
    row = yield Statement("SELECT number FROM programs WHERE program = $1", (program.name,))
    if row is not None:
        parts = {hashlib.sha256(octets).hexdigest(): octets for octets in attachments}
        yield Each(
            "INSERT INTO parts (sha256, program, octets) VALUES ($1, $2, $3)",
            [(sha256, row[0], octets) for sha256, octets in parts.items()],
        )
    return verdict
