"""A small file that survives: replaced whole, with a checksum, and with the one before it beside it.

    <name>              the content, and a last line with its CRC-32
    <name>.before       the same, of the time before
    <name>.new          being written
    <name>.damaged-<n>  what could not be used: set aside, said in one line of the log, and never touched again

Every function blocks and belongs in an executor.
"""

import logging
import zlib
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from media_network.files import DiskFiles, Files

logger = logging.getLogger(__name__)

Value = TypeVar("Value")

_CHECKSUM = b"\ncrc32:%08x\n"
_CHECKSUM_BYTES = 16
_BEFORE, _NEW, _DAMAGED = ".before", ".new", ".damaged-"


class Origin(Enum):
    """Where what was read comes from."""

    NOWHERE = "nothing was ever kept"
    KEPT = "it was kept last"
    BEFORE = "it was kept before what is damaged, or gone"
    LOST = "something was kept, and nothing of it can be used"


class Found(Struct, Generic[Value], frozen=True):
    """What a durable file held."""

    origin: Origin
    value: Value | None = None
    """None if there is nothing."""


class _Damaged(Exception):
    """A file that is there and cannot be used."""


class DurableFile(Generic[Value]):
    """Octets with a meaning. Whoever has it is the only one who writes it."""

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], Value],
        *,
        rebuilt: str,
        files: Files | None = None,
        keeps_before: bool = True,
    ) -> None:
        """Take what reads the octets: it raises ValueError or MsgspecError for what makes no sense.

        `rebuilt` is for the log: what is done if nothing can be used, such as "the blades are asked".
        """
        self.path = path
        self._parse = parse
        self._rebuilt = rebuilt
        self._files: Files = files or DiskFiles()
        self._keeps_before = keeps_before

    def read(self) -> Found[Value]:
        """Give what was kept last, else what was kept before. What is damaged is set aside, and said.

        Raises OSError: something is damaged and cannot be set aside.
        """
        damage = self._damage(self.path)
        if damage is None:
            return Found(Origin.KEPT, self._value(self.path))
        # When the power failed between two renames the name is free, and what it was to be is whole.
        new = self._beside(_NEW)
        if damage == "" and self._damage(new) is None:
            return Found(Origin.KEPT, self._value(new))
        before = self._beside(_BEFORE)
        damage_before = self._damage(before)
        if damage_before is None:
            self._tell(self.path, damage or "missing", "what was kept before it is used")
            return Found(Origin.BEFORE, self._value(before))
        if damage_before:
            self._set_aside(before)
        if damage or damage_before:
            self._tell(self.path, damage or "missing", self._rebuilt)
            return Found(Origin.LOST)
        return Found(Origin.NOWHERE)

    def read_and_restore(self, write: Callable[[Value], bytes]) -> Found[Value]:
        """Read, and keep again what was kept before what is damaged: it is said once. Raises OSError."""
        found = self.read()
        if found.origin is Origin.BEFORE and found.value is not None:
            self.keep(write(found.value))
        return found

    def keep(self, octets: bytes) -> None:
        """Keep these; on return they survive a power cut. Raises OSError, and then what was kept is still there."""
        files, folder, new = self._files, self.path.parent, self._beside(_NEW)
        files.make_folder(folder)
        names = files.list_folder(folder)
        if new.name in names and self.path.name not in names and self._damage(new) is None:
            # The power failed between two renames: that is what was kept, and must not be cleared away.
            files.rename(new, self.path)
            names.append(self.path.name)
        elif new.name in names:
            self._clear(new)
        file = files.append(new)
        try:
            file.write(octets + _CHECKSUM % zlib.crc32(octets))
            file.sync()
        finally:
            file.close()
        if self._keeps_before and self.path.name in names:
            files.rename(self.path, self._beside(_BEFORE))
        files.rename(new, self.path)
        files.sync_folder(folder)

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _damage(self, path: Path) -> str | None:
        """Why a file cannot be used: None if it can, empty if there is none."""
        try:
            self._value(path)
        except FileNotFoundError:
            return ""
        except _Damaged as error:
            return str(error)
        except OSError as error:
            return f"it cannot be read: {(error.strerror or str(error)).lower()}"
        return None

    def _value(self, path: Path) -> Value:
        """Raises _Damaged, OSError."""
        with self._files.read(path) as file:
            content = file.read()
        octets, checksum = content[:-_CHECKSUM_BYTES], content[-_CHECKSUM_BYTES:]
        if checksum != _CHECKSUM % zlib.crc32(octets):
            raise _Damaged("its checksum is wrong" if content else "it is empty")
        try:
            return self._parse(octets)
        except (ValueError, msgspec.MsgspecError) as error:
            raise _Damaged(f"it makes no sense: {error}") from error

    def _tell(self, path: Path, damage: str, then: str) -> None:
        """Set it aside, and say so in one line."""
        if damage == "missing":
            logger.warning("%s is missing: %s", path, then)
        else:
            logger.warning("%s is damaged (%s), and set aside as %s: %s", path, damage, self._set_aside(path), then)

    def _clear(self, path: Path) -> None:
        """Remove what was never finished."""
        try:
            self._files.remove(path)
        except IsADirectoryError:
            self._set_aside(path)

    def _set_aside(self, path: Path) -> str:
        return set_aside(path, self._files)


def set_aside(path: Path, files: Files | None = None) -> str:
    """Give a damaged file a name under which it is nobody's any more; gives the name. Raises OSError."""
    files = files or DiskFiles()
    names = set(files.list_folder(path.parent))
    number = 1
    while f"{path.name}{_DAMAGED}{number}" in names:
        number += 1
    aside = path.with_name(f"{path.name}{_DAMAGED}{number}")
    files.rename(path, aside)
    files.sync_folder(path.parent)
    return aside.name
