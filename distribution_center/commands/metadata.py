"""`metadata`: what is understood of a provider's metadata. It runs without a center."""

from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from distribution_center.commands.moment import in_words
from media_network.cli import UserError, echo_json, json_option

_LEGAL = "Name an ADI (CableLabs VOD Metadata 1.1), SCTE 236 or JSON file; docs/protocols/metadata.md has all three."
_WIDTH = 12


class Zone(click.ParamType[tzinfo]):
    """A time zone by its name."""

    name = "zone"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tzinfo:
        """See `click.ParamType`."""
        if isinstance(value, tzinfo):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fail(f"{value[:40]!r} is no time zone. Write UTC, Europe/Berlin, America/Denver.", param, ctx)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--zone", type=Zone(), default="UTC", show_default=True, help="Where times without a zone are of.")
@json_option("an object with `title`, `film`, `fields`, `warnings` and more")
def metadata(*, file: Path, zone: tzinfo, as_json: bool) -> None:
    """Show what is understood of the metadata in FILE, and what is not.

    \b
    Example:
      distribution-center metadata ADI.XML --json
    """
    from distribution_center.content.errors import BadMetadata
    from distribution_center.content.metadata.program_metadata import METADATA_BYTES_MAX
    from distribution_center.content.metadata.reading import read_metadata

    try:
        with file.open("rb") as opened:
            octets = opened.read(METADATA_BYTES_MAX + 1)
        understood = read_metadata(octets, str(file), zone)
    except BadMetadata as error:
        raise UserError(str(error), _LEGAL) from error
    except OSError as error:
        raise UserError(f"{file} cannot be read: {(error.strerror or '').lower()}", _LEGAL) from error
    if as_json:
        echo_json(understood)
        return
    for warning in understood.warnings:
        click.echo(f"warning: {warning}", err=True)
    for name, value in _lines(understood):
        # Whatever a stranger wrote: a terminal takes orders from letters that nobody sees.
        click.echo(f"{name:{_WIDTH}} " + "".join(letter if letter.isprintable() else "\ufffd" for letter in value))


def _lines(understood: Any) -> list[tuple[str, str]]:
    """What was understood, a line each."""
    lines = [("form", understood.form.value)]
    texts = [(name, getattr(understood, name)) for name in ("title", "summary", "rating", "year")]
    lists = [(name, ", ".join(getattr(understood, name))) for name in ("genres", "languages")]
    lines += [(name, value) for name, value in (*texts, *lists) if value]
    if understood.run_time_ms is not None:
        minutes, seconds = divmod(understood.run_time_ms // 1000, 60)
        lines.append(("run time", f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"))
    for name, moment_ms in (("begins", understood.window_begins_ms), ("ends", understood.window_ends_ms)):
        if moment_ms is not None:
            lines.append((name, in_words(moment_ms)))
    files = [("film", understood.film), *(("picture", one) for one in understood.pictures)]
    lines += [(name, _file(asset)) for name, asset in files if asset is not None]
    lines += [("left aside", f"{asset.kind} {asset.file or ''}") for asset in understood.others]
    return [*lines, ("fields", f"{len(understood.fields)}, all of them kept")]


def _file(asset: Any) -> str:
    length = "" if asset.length_bytes is None else f", {asset.length_bytes} bytes"
    digests = [f", {name} {value}" for name, value in (("SHA-256", asset.sha256), ("MD5", asset.md5)) if value]
    return f"{asset.file or 'no file'}{length}{''.join(digests)}"
