"""The process in which an archive is unpacked: what it says of itself may take all memory, so it is bounded.

`python -m distribution_center.content.packages.unpack_process ARCHIVE FOLDER BYTES_MAX` (the paths as file URIs) ends
with 0, or with 1 and a sentence on standard output.
"""

import asyncio
import os
import resource
import sys
from asyncio.subprocess import DEVNULL, PIPE
from pathlib import Path

import distribution_center
from distribution_center.content.errors import BadPackage
from distribution_center.content.ingest_report import path_of, uri_of
from distribution_center.content.packages.unpacking import BadArchive, unpack

MEMORY_BYTES_MAX = 256 << 20
_PRIORITY_STEP = 5
_LONGEST_SENTENCE = 300


async def unpack_apart(archive: Path, folder: Path, *, source: str, bytes_max: int) -> None:
    """Unpack in a process of its own, which ends with this if it is cancelled. Raises BadPackage."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "distribution_center.content.packages.unpack_process", uri_of(archive), uri_of(folder), str(bytes_max)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(distribution_center.__file__).parents[1])},
    )
    try:
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        sentence = said.decode(errors="replace").strip()[:_LONGEST_SENTENCE]
        raise BadPackage(source, sentence or f"unpacking it ended with exit code {process.returncode}")


def main() -> int:
    """Carry out the order in the arguments."""
    os.nice(_PRIORITY_STEP)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    archive, folder, bytes_max = sys.argv[1:4]
    try:
        unpack(path_of(archive), path_of(folder), int(bytes_max))
    except BadArchive as error:
        print(error)
        return 1
    except MemoryError:
        print("what it says of itself takes too much memory")
        return 1
    except OSError as error:
        print(f"it cannot be unpacked ({(error.strerror or 'no reason').lower()})")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
