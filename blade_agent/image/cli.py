"""`blade-agent image ...`: what an image is, and whether it is what somebody signed."""

from pathlib import Path
from typing import Literal

import click

from blade_agent.image.options import NotTheImage, image_argument, key_option, look_at
from blade_agent.image.progress import Progress
from media_network.cli import Commands, UserError, echo_json, json_option


@click.group(cls=Commands)
def image() -> None:
    """Images of a board.

    \b
    Example:
      blade-agent image verify blade.img.zst --key image.pub
    """


@image.command()
@image_argument
@key_option
@json_option("an object with what was signed")
def verify(path: Path, key: Path, *, as_json: bool) -> None:
    """Read all of IMAGE, and compare it with what its key has signed. Ends with status 3 if it is anything else.

    Beside IMAGE (`blade.img`, or `blade.img.zst`) stand `blade.img.manifest` and `blade.img.manifest.minisig`.

    \b
    Example:
      blade-agent image verify blade.img.zst --key image.pub
    """
    from blade_agent.image.payload import PayloadRefused, opened_payload

    signed = look_at(path, key)
    manifest = signed.manifest
    progress = Progress("read", manifest.mapped_bytes)
    try:
        with opened_payload(path, manifest) as chunks, progress:
            for number, _ in chunks:
                progress.add(manifest.length_of(number))
    except PayloadRefused as error:
        raise NotTheImage(f"{path}: {error}", "Fetch it again; nothing of it can be trusted.") from error
    if as_json:
        echo_json(
            {
                "image": str(path),
                "kind": manifest.kind,
                "profile": manifest.profile,
                "release": manifest.release,
                "minimum": manifest.minimum,
                "size_bytes": manifest.size_bytes,
                "mapped_bytes": manifest.mapped_bytes,
                "comment": signed.comment,
            }
        )
        return
    click.echo(f"{path}: release {manifest.release} for {manifest.profile}, as signed: {signed.comment}")


@image.command()
@image_argument
@click.option("--profile", required=True, help="Kind of board that it is for.")
@click.option(
    "--kind",
    type=click.Choice(["disk", "system"]),
    default="disk",
    show_default=True,
    help="A whole disk, to flash; or the system of one slot, to update.",
)
@click.option("--release", required=True, help="What is in it, such as 1.2.3.")
@click.option(
    "--minimum",
    default="0.0.0",
    show_default=True,
    help="Once it works nothing older is taken, and a rollback does not go to anything older.",
)
@json_option("an object with the two files and what is in them")
def describe(
    path: Path, *, profile: str, kind: Literal["disk", "system"], release: str, minimum: str, as_json: bool
) -> None:
    """Write the manifest of IMAGE, which is not packed, and the block map that bmaptool reads, beside it.

    Then `minisign -S -m blade.img.manifest` signs it, and `zstd blade.img` packs it.

    \b
    Example:
      blade-agent image describe blade.img --profile virt-arm64 --release 0.1.0
    """
    from blade_agent.image.manifest import ManifestRefused, block_map, manifest_octets, parse_manifest
    from blade_agent.image.payload import PACKED
    from blade_agent.image.payload import describe as made_of
    from blade_agent.image.signed_image import block_map_path, manifest_path
    from media_network.new_file import write_new

    if path.name.endswith(PACKED):
        raise UserError(f"{path} is packed", "Describe it before it is: its holes are not in the map otherwise.")
    try:
        octets = manifest_octets(made_of(path, profile=profile, release=release, minimum=minimum, kind=kind))
        manifest = parse_manifest(octets)
    except (ManifestRefused, ValueError) as error:
        raise UserError(f"{path} cannot be described: {error}", "A release is three numbers, such as 1.2.3.") from error
    files = {manifest_path(path): octets.decode(), block_map_path(path): block_map(manifest)}
    for file, text in files.items():
        try:
            write_new(file, text)
        except FileExistsError as error:
            raise UserError(
                f"{file} is there already, and is left as it is", "Remove it, and its signature."
            ) from error
    if as_json:
        echo_json(
            {"files": list(map(str, files)), "size_bytes": manifest.size_bytes, "mapped_bytes": manifest.mapped_bytes}
        )
        return
    for file in files:
        click.echo(f"{file}: written")
