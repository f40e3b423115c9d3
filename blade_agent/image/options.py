"""What the commands on images share: how one is named, and what ends a command."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from media_network.cli import Command, UserError

if TYPE_CHECKING:
    from blade_agent.image.signed_image import SignedImage

KEY = "/etc/media-station/image.pub"


class NotTheImage(UserError):
    """The image is not what its key has signed."""

    exit_code = 3


def image_argument(command: Command) -> Command:
    """IMAGE, which is there."""
    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.argument("path", metavar="IMAGE", type=kind)(command)


def key_option(command: Command) -> Command:
    """`--key`, the public key that an image has to be signed with."""
    return click.option(
        "--key",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        default=Path(KEY),
        show_default=True,
        help="Public key of minisign, a file.",
    )(command)


def look_at(path: Path, key: Path) -> "SignedImage":
    """Read what stands beside an image. Raises NotTheImage, OSError."""
    from blade_agent.image.signed_image import NotSigned, read_signed  # noqa: PLC0415 -- --help answers at once

    try:
        return read_signed(path, key)
    except NotSigned as error:
        raise NotTheImage(
            str(error), "Fetch image, manifest and signature again, or name the key with --key."
        ) from error
