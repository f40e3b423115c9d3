"""What the kernel refuses, in a sentence for a person: what it is about, and why, without numbers and brackets."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_BY_ASYNCIO = "error while attempting"
"""It puts the address into the reason; we name that ourselves."""
_NO_SUCH_NAME = "no address of a machine"


def in_words(error: OSError) -> str:
    """Such as `/media/disk-a: permission denied`, or the reason alone where nothing is named."""
    if error.errno is None or error.errno <= 0:
        # Who looks up names counts downwards; who makes an OSError without a number has put words into it.
        reason = _NO_SUCH_NAME if error.errno else str(error)
    elif error.strerror and not error.strerror.startswith(_BY_ASYNCIO):
        reason = error.strerror
    else:
        reason = os.strerror(error.errno)
    reason = reason[:1].lower() + reason[1:]
    named = [os.fsdecode(name) if isinstance(name, bytes) else str(name) for name in _names(error)]
    return f"{' and '.join(named)}: {reason}" if named else reason


@contextmanager
def about(what: object) -> Iterator[None]:
    """Name what the kernel refuses in here, such as an address to listen at: by itself it names files only."""
    try:
        yield
    except OSError as error:
        # asyncio has put the address into the reason by itself.
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise OSError(error.errno, reason, str(what)) from error


def _names(error: OSError) -> list[object]:
    return [name for name in (error.filename, error.filename2) if name is not None]
