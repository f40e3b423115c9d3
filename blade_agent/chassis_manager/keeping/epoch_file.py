"""The director's epoch on disk: what was kept once is never forgotten, whatever happens while it is replaced."""

import re
from pathlib import Path

from blade_agent.backplane.role import HIGHEST_EPOCH
from media_network.durable_file import DurableFile, Origin

_DIGITS = re.compile(rb"(0|[1-9][0-9]{0,9})\n")
_REBUILT = "blades with a role say which epoch is theirs; if the center knows a later one, use `blade-agent set-epoch`"


def read_epoch(path: Path) -> int:
    """Give the kept epoch, 0 when none was ever kept, or none can be used.

    Where only the one before is left, the epoch is the next one, and is kept: another director had it. Raises OSError.
    """
    found = _file(path).read()
    if found.value is None:
        return 0
    if found.origin is not Origin.BEFORE:
        return found.value
    epoch = min(found.value + 1, HIGHEST_EPOCH)
    keep_epoch(path, epoch)
    return epoch


def keep_epoch(path: Path, epoch: int) -> None:
    """Keep an epoch; on return it survives a power cut. Raises OSError, and then the former one is still kept."""
    _file(path).keep(b"%d\n" % epoch)


def _file(path: Path) -> DurableFile[int]:
    return DurableFile(path, _parse, rebuilt=_REBUILT)


def _parse(octets: bytes) -> int:
    if not _DIGITS.fullmatch(octets) or int(octets) > HIGHEST_EPOCH:
        raise ValueError("it holds no epoch")
    return int(octets)
