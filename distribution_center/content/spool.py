"""The spool: programs on their way to the home media station, a folder each, and downloads that broke off."""

import shutil
from collections.abc import Collection
from pathlib import Path

from media_network.fields import ProgramId

DOWNLOADS = "downloads"
"""Folder where downloads go on that broke off."""


def spooled(spool: Path) -> list[ProgramId]:
    """What may be on its way: a folder of that name is there. Raises OSError."""
    return sorted(folder.name for folder in spool.iterdir() if folder.is_dir() and folder.name != DOWNLOADS)


def clear_spool(spool: Path, registered: Collection[ProgramId]) -> None:
    """Remove what was not registered when the center was killed: ingests under way, and what they had cut.

    Raises OSError.
    """
    for folder in spool.iterdir():
        if folder.is_dir() and folder.name != DOWNLOADS and folder.name not in registered:
            shutil.rmtree(folder)
