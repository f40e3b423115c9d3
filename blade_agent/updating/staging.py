"""A system into the slot that is not the good one: everything that can be known is asked before anything is written."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blade_agent.boot.boot_copies import BootCopies
from blade_agent.boot.boot_state import BootState, SystemSlot, UpdateRefused, begin, stage
from blade_agent.boot.release import Release
from blade_agent.flashing.open_disk import OpenDisk
from blade_agent.flashing.writing import Chunks, ImageWriter, Written
from blade_agent.image.manifest import ImageManifest

_IMAGE_ID = "IMAGE_ID="
_OS_RELEASE_BYTES_MAX = 65_536


def image_profile(os_release: Path) -> str:
    """For which kind of board this system was made (os-release(5), IMAGE_ID); empty where it does not say."""
    try:
        with os_release.open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_OS_RELEASE_BYTES_MAX).splitlines()
    except OSError:
        return ""
    said = (line.removeprefix(_IMAGE_ID).strip("\"'") for line in lines if line.startswith(_IMAGE_ID))
    return next(said, "")


class Staging:
    """One system, and the slots of a board."""

    def __init__(
        self, copies: BootCopies, slots: Callable[[SystemSlot], Path], *, running: SystemSlot | None, profile: str
    ) -> None:
        """Take the path of each slot, the one that runs, and for which kind of board images have to be."""
        self._copies = copies
        self._slots = slots
        self._running = running
        self._profile = profile

    def check(self, manifest: ImageManifest) -> SystemSlot:
        """Give the slot that an image would come into. Writes nothing.

        Raises UpdateRefused: it must not; NoBootState, OSError.
        """
        state = self._copies.read()
        if manifest.kind != "system":
            raise UpdateRefused("it is the image of a whole disk, and not of a system")
        if manifest.profile != self._profile:
            raise UpdateRefused(f"it is for {manifest.profile}, and this board is {self._profile or 'not known'}")
        slot = state.good.other
        if self._running is slot:
            raise UpdateRefused(f"this system runs from slot {slot.value}, which would be written; restart it first")
        _stage_of(manifest)(begin(state))
        with _opened(self._slots(slot)) as disk:
            room = disk.size_bytes()
        if room < manifest.size_bytes:
            raise UpdateRefused(f"slot {slot.value} has {room} bytes, and it {manifest.size_bytes}")
        return slot

    def write(
        self, manifest: ImageManifest, chunks: Chunks, *, wrote: Callable[[int], None], read: Callable[[int], None]
    ) -> Written:
        """Write it, and note that it is there; until then the slot counts as empty.

        Raises what `check` does, and NotWritten, PayloadRefused, BootNotKept.
        """
        slot = self.check(manifest)
        with _opened(self._slots(slot)) as disk:  # until it is noted, so that nobody else begins meanwhile
            self._copies.change(begin)
            written = ImageWriter(disk, manifest, chunks, wrote=wrote, read=read).run()
            self._copies.change(_stage_of(manifest))
        return written


def _stage_of(manifest: ImageManifest) -> Callable[[BootState], BootState]:
    release, minimum = Release.parse(manifest.release), Release.parse(manifest.minimum)
    return lambda state: stage(state, release, minimum)


@contextmanager
def _opened(path: Path) -> Iterator[OpenDisk]:
    """Open a slot for nobody else; one that is mounted is refused by the kernel. Raises OSError."""
    block = stat.S_ISBLK(path.stat().st_mode)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_EXCL if block else 0))
    try:
        yield OpenDisk(descriptor, block=block)
    finally:
        os.close(descriptor)
