"""Films and packages that a person sends: each a file of its own, until its ingest is over.

Room for all of it is set aside before its first byte comes, and nothing of it is kept in memory. What breaks off leaves
nothing. There are few places: who comes very slowly gives up theirs to who comes next.
"""

import asyncio
import random
import re
import shutil
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from distribution_center.content.providers.download import FREE_BYTES_MIN
from distribution_center.content.upload_pace import SLOWEST_BPS, UploadPace
from distribution_center.obstacles import gigabytes
from media_network.files import DiskFiles, Files
from media_network.refusal import Reason, Refused

_Result = TypeVar("_Result")

AT_ONCE = 2
"""So many uploads are begun at a time; a third one is refused, unless one of them is slow."""
LAPSES_AFTER_S = 30.0
"""Room is kept so long for an upload whose first byte does not come."""
_DISPLACED = (
    f"it came more slowly than {SLOWEST_BPS / 1e6:g} Mbit/s, and another wanted the place: nothing of it is kept,"
    " send it over a faster line or let the center download it"
)
_NAME_BYTES_MAX = 150
_SUFFIX_MAX = 16


class UploadBroken(Exception):
    """Other bytes came than were announced; the sentence says how."""


class UploadDisplaced(UploadBroken):
    """It came so slowly that another has got its place."""


@dataclass(kw_only=True)
class Upload:
    """One that has begun."""

    number: str
    path: Path
    """Where it is kept."""
    title: str | None
    """What its program is to be called; None: as the file."""
    length_bytes: int
    lapses_at: float
    """Unless its bytes come, by the clock of the event loop."""
    received_bytes: int = 0
    pace: UploadPace | None = None
    """From where on it is received."""
    patience: asyncio.Timeout | None = None
    """Runs out when its place is given to another."""

    @property
    def receiving(self) -> bool:
        """Whether its bytes are coming."""
        return self.pace is not None

    def came(self, count: int) -> None:
        """So many of its bytes have come, and are kept."""
        self.received_bytes += count
        if self.pace:
            self.pace.came(count, asyncio.get_running_loop().time())


@dataclass(kw_only=True)
class Uploads:
    """What is being uploaded, and what waits to be ingested or is."""

    folder: Path
    """Theirs alone."""
    rng: random.Random
    bytes_max: int = 0
    """More than this is not taken of one file; 0: nothing is taken."""
    held_bytes_max: int = 0
    """Nor more than this of all that are kept."""
    files: Files = field(default_factory=DiskFiles)

    def __post_init__(self) -> None:
        self._open: dict[str, Upload] = {}
        self._kept: dict[str, int] = {}
        """Lengths by path."""

    def begin(self, name: str, length_bytes: int, title: str | None = None) -> Upload | Refused:
        """Set room aside for a file that somebody calls `name`. Raises OSError."""
        now = asyncio.get_running_loop().time()
        for lapsed in [one for one in self._open.values() if not one.receiving and one.lapses_at <= now]:
            del self._open[lapsed.number]
        if refused := self._no_room(length_bytes):
            return refused
        self._make_place()
        number = f"{self.rng.getrandbits(64):016x}"
        path = self.folder / number / kept_name(name)
        self._open[number] = Upload(
            number=number, path=path, title=title or None, length_bytes=length_bytes, lapses_at=now + LAPSES_AFTER_S
        )
        return self._open[number]

    def in_words(self, sentence: str) -> str:
        """What is said of an upload, for who has sent it: by its name, and not by where it lies here."""
        return re.sub(rf"{re.escape(str(self.folder))}/[0-9a-f]{{16}}/", "", sentence)

    def take(self, number: str) -> Upload | None:
        """One that was begun and is not being received yet: its bytes are coming now."""
        upload = self._open.get(number)
        if upload is None or upload.receiving:
            return None
        upload.pace = UploadPace(asyncio.get_running_loop().time())
        return upload

    async def receive(self, upload: Upload, parts: AsyncIterator[bytes]) -> None:
        """Write what comes; durable on return.

        Raises UploadBroken, UploadDisplaced, OSError, and whatever `parts` raises: then nothing of it is left.
        """
        try:
            async with asyncio.timeout(None) as upload.patience:
                await _in_thread(partial(self.files.make_folder, upload.path.parent))
                await self._write(upload, parts)
            self._kept[str(upload.path)] = upload.length_bytes
        except BaseException as error:
            await _in_thread(partial(shutil.rmtree, upload.path.parent, ignore_errors=True))
            if isinstance(error, TimeoutError) and upload.patience and upload.patience.expired():
                raise UploadDisplaced(_DISPLACED) from None
            raise
        finally:
            self._open.pop(upload.number, None)

    async def _write(self, upload: Upload, parts: AsyncIterator[bytes]) -> None:
        file = await _in_thread(partial(self.files.append, upload.path))
        try:
            async for part in parts:
                if upload.received_bytes + len(part) > upload.length_bytes:
                    raise UploadBroken(f"more than the {upload.length_bytes} bytes came that were announced")
                await _in_thread(partial(file.write, part))
                upload.came(len(part))
            if upload.received_bytes < upload.length_bytes:
                came = f"{upload.received_bytes} of {upload.length_bytes} bytes"
                raise UploadBroken(f"the upload has broken off: {came} came, and nothing of them is kept")
            await _in_thread(file.sync)
        finally:
            await _in_thread(file.close)
        await _in_thread(partial(self.files.sync_folder, upload.path.parent))

    async def let_go(self, source: str) -> None:
        """Remove what was uploaded, if that is what this source was."""
        if self._kept.pop(source, None) is not None:
            await _in_thread(partial(shutil.rmtree, Path(source).parent, ignore_errors=True))

    async def keep_only(self, sources: Collection[str]) -> None:
        """Remove what no ingest needs that goes on: the center has stopped meanwhile. Raises OSError."""
        self._kept |= await _in_thread(partial(_swept, self.folder, frozenset(sources)))

    @property
    def held_bytes(self) -> int:
        """What they take on the disk, and what is set aside for those that are coming."""
        return sum(self._kept.values()) + sum(upload.length_bytes for upload in self._open.values())

    def _no_room(self, length_bytes: int) -> Refused | None:
        if length_bytes > self.bytes_max:
            most = f"a file of {gigabytes(length_bytes)} is more than the {gigabytes(self.bytes_max)} that are taken"
            return Refused(Reason.TOO_LARGE, f"{most}: let the center download it, or set `upload_bytes_max`")
        if len(self._open) >= AT_ONCE and not self._slowest():
            return Refused(Reason.BUSY, f"{AT_ONCE} uploads are under way already: wait until one of them is done")
        if self.held_bytes + length_bytes > self.held_bytes_max:
            held = f"{gigabytes(self.held_bytes)} of uploads wait to be ingested"
            return Refused(Reason.NO_SPACE, f"{held}, and {gigabytes(self.held_bytes_max)} are kept at most: wait")
        coming = sum(upload.length_bytes - upload.received_bytes for upload in self._open.values())
        self.files.make_folder(self.folder)
        free_bytes = max(0, self.files.free_bytes(self.folder) - FREE_BYTES_MIN - coming)
        if length_bytes > free_bytes:
            needs = (
                f"the file has {gigabytes(length_bytes)}, and the center's disk has room for {gigabytes(free_bytes)}"
            )
            return Refused(Reason.NO_SPACE, needs)
        return None

    def _slowest(self) -> Upload | None:
        """The slowest of those that come too slowly to keep their place."""
        now = asyncio.get_running_loop().time()
        paces = [(one.pace.slowness_bps(now), one) for one in self._open.values() if one.pace and one.patience]
        slow = [(pace, one) for pace, one in paces if pace is not None]
        return min(slow, key=lambda each: each[0])[1] if slow else None

    def _make_place(self) -> None:
        """Where all places are taken: let the slowest leave its own."""
        if len(self._open) >= AT_ONCE and (slowest := self._slowest()) and slowest.patience:
            del self._open[slowest.number]
            slowest.patience.reschedule(asyncio.get_running_loop().time())


def kept_name(name: str) -> str:
    """What a file is kept as that somebody calls `name`: a name in one folder, short enough for any disk."""
    letters = (letter if letter.isprintable() and letter not in "/\\" else "_" for letter in name)
    path = Path("".join(letters).strip(" ."))
    stem = path.stem.encode(errors="replace")[:_NAME_BYTES_MAX].decode(errors="ignore")
    suffix = path.suffix if path.suffix.isascii() and len(path.suffix) <= _SUFFIX_MAX else ""
    return f"{stem or 'film'}{suffix}"


def _swept(folder: Path, sources: frozenset[str]) -> dict[str, int]:
    """Lengths of the files that stay, by path."""
    kept: dict[str, int] = {}
    for upload in folder.iterdir() if folder.is_dir() else ():
        files = [path for path in upload.iterdir() if str(path) in sources] if upload.is_dir() else []
        kept |= {str(path): path.stat().st_size for path in files}
        if not files:
            shutil.rmtree(upload, ignore_errors=True)
    return kept


async def _in_thread(work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(None, work)
