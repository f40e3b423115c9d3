"""`registry export` and `registry import`: from SQLite to PostgreSQL and back, from machine to machine."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import click

from distribution_center.commands.conversation import Show, bar
from media_network.cli import Commands, UserError, echo_json, json_option, saying, settings_option
from media_network.files import DiskFiles
from media_network.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from distribution_center.registry.repository import Repository

_JSON = "the file and its rows"
_KEYS = "state, registry"
_SETTINGS = "/etc/media-station/center.toml"


@click.group(cls=Commands)
def registry() -> None:
    """The registry as a file: for a copy, or to move it from SQLite to PostgreSQL and back.

    \b
    Example:
      distribution-center registry export registry.gz
    """


@registry.command("export")
@settings_option(_SETTINGS, _KEYS)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option(_JSON)
def export_command(path: Path, file: Path, *, as_json: bool) -> None:
    """Write the registry of a center that is not running to FILE.

    \b
    Example:
      distribution-center registry export --settings /etc/media-station/center.toml registry.gz
    """
    new = file.with_name(f"{file.name}.new")
    try:
        with bar("exports") as show, saying("the registry is not exported", "Name a file where there is room."):
            with gzip.open(new, "wb", compresslevel=1) as into:
                rows = _with_registry(path, partial(_export, cast("IO[bytes]", into), show))
            _make_durable(new, file)
    finally:
        with suppress(FileNotFoundError):
            new.unlink()
    _tell(file, rows, "are in", as_json=as_json)


@registry.command("import")
@settings_option(_SETTINGS, _KEYS)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option(_JSON)
def import_command(path: Path, file: Path, *, as_json: bool) -> None:
    """Read FILE into the empty registry of a center that is not running.

    \b
    Example:
      distribution-center registry import --settings /etc/media-station/postgresql.toml registry.gz
    """
    from distribution_center.registry.transfer import NoRegistry, NotEmpty

    try:
        with bar("imports") as show, saying("the registry is not imported", "Is there room in `state`?"):
            rows = _with_registry(path, partial(_import, file, show))
    except NoRegistry as error:
        hint = "Export it once more; the release that exported a registry reads it, and migrates it later."
        raise UserError(f"{file} is no registry: {error}", hint) from error
    except NotEmpty as error:
        raise UserError(str(error), f"Name another `registry` or `state` in {path}.") from error
    _tell(file, rows, "were read from", as_json=as_json)


def _make_durable(new: Path, file: Path) -> None:
    """On return what is at `new` is at `file`, and survives a power cut. Raises OSError."""
    files = DiskFiles()
    written = files.append(new)
    written.sync()
    written.close()
    files.rename(new, file)
    files.sync_folder(file.absolute().parent)


async def _export(into: IO[bytes], show: Show, repository: "Repository") -> int:
    from distribution_center.registry.transfer import export_registry, rows_of

    whole = max(1, await rows_of(repository))
    return await export_registry(
        repository, into, release=version("media-station"), on_rows=lambda rows: show(rows / whole)
    )


async def _import(file: Path, show: Show, repository: "Repository") -> int:
    from distribution_center.registry.transfer import NoRegistry, import_registry

    try:
        return await import_registry(
            repository, lambda: cast("IO[bytes]", gzip.open(file, "rb")), on_rows=lambda rows, whole: show(rows / whole)
        )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise NoRegistry("it is not what gzip has written, or not all of it") from error


def _with_registry(path: Path, work: Callable[["Repository"], Awaitable[int]]) -> int:
    """Do something with a registry that nobody else has. Raises UserError, OSError."""
    from distribution_center.registry.opening import opened_registry
    from distribution_center.registry.repository import RepositoryError
    from distribution_center.settings import CenterSettings
    from media_network.holding import AlreadyHeld, holding_folders

    async def working() -> int:
        settings = read_settings(path, CenterSettings)
        async with (
            holding_folders(Path(settings.state)),
            opened_registry(settings.registry_place, alone=True) as repository,
        ):
            return await work(repository)

    try:
        return asyncio.run(working())
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/center.md describes every key.") from error
    except AlreadyHeld as error:
        raise UserError(str(error), "End the center first: what it changes meanwhile would be missing.") from error
    except RepositoryError as error:
        raise UserError(str(error), f"Check `registry` in {path}.") from error


def _tell(file: Path, rows: int, are: str, *, as_json: bool) -> None:
    if as_json:
        echo_json({"file": str(file), "rows": rows})
    else:
        click.echo(f"{rows} rows {are} {file}")
