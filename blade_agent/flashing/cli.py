"""`blade-agent flash`: an image onto a disk, after a person has seen which one it is."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blade_agent.image.options import image_argument, key_option, look_at
from blade_agent.image.progress import Progress
from media_network.cli import UserError, WholeRange, echo_json, json_option

if TYPE_CHECKING:
    from blade_agent.flashing.disks import TargetDisk
    from blade_agent.flashing.open_disk import OpenDisk
    from blade_agent.flashing.writing import Written
    from blade_agent.image.manifest import ImageManifest
    from blade_agent.image.signed_image import SignedImage

_GIB = 1 << 30
_SIZE_MAX_GIB = 256
_TIB = 1024
_HALF = "What is on it boots nothing: its begin is empty. Try again, or take another disk."


class NotThisDisk(UserError):
    """The target must not be written."""

    exit_code = 4


class NotKept(UserError):
    """The target does not hold what was written to it."""

    exit_code = 5


class _NotConfirmed(UserError):
    exit_code = 2


@click.command()
@image_argument
@click.argument("target", metavar="DEVICE|FILE", type=click.Path(path_type=Path))
@key_option
@click.option(
    "--size-max",
    "size_max_gib",
    type=WholeRange(1, _TIB),
    default=_SIZE_MAX_GIB,
    show_default=True,
    help="GiB: what is larger is no card, and left alone.",
)
@click.option("--yes", is_flag=True, help="Do not ask whether this is the right disk.")
@json_option("an object with the disk, the image and what was written")
def flash(path: Path, target: Path, key: Path, *, size_max_gib: int, yes: bool, as_json: bool) -> None:
    """Write IMAGE onto a disk, and read it back; or into a file, for a machine that is emulated.

    Shows the disk's model, size and serial number, and asks. Refuses what is mounted, what holds this system, and what
    is larger than --size-max. Ends with status 3 where the image is not what its key has signed, 4 where the target is
    refused, and 5 where it does not hold what was written to it.

    \b
    Examples:
      blade-agent flash blade.img.zst /dev/sdb --key image.pub
      blade-agent flash blade.img.zst disk.img --key image.pub --yes --json
    """
    signed = look_at(path, key)
    disk = _look(path, target, signed.manifest, size_max_gib)
    for line in _lines(signed, disk):
        click.echo(line, err=True)
    if not yes and not _confirmed(disk):
        raise _NotConfirmed("nothing was written", "Answer y, or say --yes where nobody can be asked.")
    began_s = time.monotonic()
    written = _write(signed, disk)
    took_s = time.monotonic() - began_s
    if as_json:
        echo_json(
            {
                "target": disk,
                "image": str(path),
                "profile": signed.manifest.profile,
                "release": signed.manifest.release,
                "written_bytes": written.written_bytes,
                "written_again": written.again,
                "took_s": round(took_s, 1),
            }
        )
        return
    again = f", {len(written.again)} chunks of them again" if written.again else ""
    click.echo(f"{disk.path}: {written.written_bytes / 1e6:.0f} MB written{again} and read back in {took_s:.1f} s")


def _look(path: Path, target: Path, manifest: "ImageManifest", size_max_gib: int) -> "TargetDisk":
    """The target. Raises NotThisDisk, OSError."""
    from blade_agent.flashing.disks import TargetRefused, look_at_target

    try:
        disk = look_at_target(target)
    except TargetRefused as error:
        raise NotThisDisk(str(error), error.hint) from error
    if target.exists() and target.samefile(path):
        raise NotThisDisk(f"{target} is the image itself", "Name a disk, or another file.")
    if manifest.kind != "disk":
        raise NotThisDisk(f"{path} is one system, and no whole disk", "`blade-agent update stage` takes it.")
    if disk.block and disk.size_bytes < manifest.size_bytes:
        sizes = f"{disk.size_bytes / 1e9:.1f} GB, and the image {manifest.size_bytes / 1e9:.1f}"
        raise NotThisDisk(f"{target} has {sizes}", "Take a larger one.")
    if disk.block and disk.size_bytes > size_max_gib * _GIB:
        raise NotThisDisk(
            f"{target} has {disk.size_bytes / _GIB:.0f} GiB, more than {size_max_gib}",
            "If it is the right one all the same, say so with --size-max.",
        )
    return disk


def _lines(signed: "SignedImage", disk: "TargetDisk") -> list[str]:
    manifest = signed.manifest
    what = f"{disk.model or 'no model'}, {disk.size_bytes / 1e9:.1f} GB, serial number {disk.serial or 'none'}"
    file = "a file" if disk.size_bytes else "a new file"
    sizes = f"{manifest.size_bytes / 1e9:.1f} GB, of which {manifest.mapped_bytes / 1e6:.0f} MB are written"
    return [
        f"target  {disk.path}: {what if disk.block else file}",
        f"image   {signed.path}: release {manifest.release} for {manifest.profile}, {sizes}",
        f"signed  {signed.comment}",
    ]


def _confirmed(disk: "TargetDisk") -> bool:
    if not disk.block and not disk.size_bytes:
        return True  # A new file is in nobody's place.
    try:
        return click.confirm(f"All that {disk.path} holds will be lost. Write?", err=True)
    except click.Abort:
        return False


def _require_the_same(opened: "OpenDisk", disk: "TargetDisk") -> None:
    """What is open is what was looked at: a card may be exchanged while a person thinks. Raises NotThisDisk."""
    from blade_agent.flashing.disks import TargetRefused, look_at_target

    try:
        now = look_at_target(opened.path)
    except TargetRefused as error:
        raise NotThisDisk(str(error), error.hint) from error
    size_bytes = disk.size_bytes if disk.block else now.size_bytes  # a file has its new size already
    if (now.block, now.model, now.serial, now.size_bytes) != (disk.block, disk.model, disk.serial, size_bytes):
        raise NotThisDisk(f"{disk.path} is not what it was when it was shown", "Look which disk it is, and try again.")


def _write(signed: "SignedImage", disk: "TargetDisk") -> "Written":
    """Raises NotKept, NotThisDisk: somebody else has it, or it was exchanged; NotTheImage, OSError."""
    from blade_agent.flashing.open_disk import opened_disk
    from blade_agent.flashing.writing import ImageWriter, NotWritten
    from blade_agent.image.options import NotTheImage
    from blade_agent.image.payload import PayloadRefused, opened_payload
    from media_network.os_trouble import in_words

    manifest = signed.manifest
    chunks = lambda: opened_payload(signed.path, manifest)  # noqa: E731
    with ExitStack() as stack:
        try:
            target = stack.enter_context(opened_disk(Path(disk.path), manifest.size_bytes, block=disk.block))
        except OSError as error:
            raise NotThisDisk(f"it cannot be opened: {in_words(error)}", "Look who has it, and who may.") from error
        _require_the_same(target, disk)
        progress = stack.enter_context(Progress("written and read back", 2 * manifest.mapped_bytes))
        try:
            return ImageWriter(target, manifest, chunks, wrote=progress.add, read=progress.add).run()
        except NotWritten as error:
            raise NotKept(f"{disk.path}: {error}", _HALF) from error
        except PayloadRefused as error:
            raise NotTheImage(f"{signed.path}: {error}", f"Fetch it again. {_HALF}") from error
