"""`chassis-emulator credentials` and `nms-settings`: what others need to be let in."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import UserError, echo_json, json_option, state_dir_option
from media_network.secret_file import write_secret
from media_network.table import table_or

_NOBODY = "No users have been generated yet: that is done by the first `chassis-emulator up`."


@click.command()
@json_option("an object by protocol; of further centers, one a center under `centers`")
@state_dir_option
def credentials(as_json: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Show the users that were generated for the network; of several centers, each and its stations have their own.

    \b
    Example:
      chassis-emulator credentials --json
    """
    folder = StateFolder(state_dir)
    users = folder.read_credentials()
    if as_json:
        echo_json(users)
        return
    others = users.pop("centers", {})
    rows = [row for protocol, known in users.items() for row in _user_rows(protocol, known)]
    headings: tuple[str, ...] = ("PROTOCOL", "USER", "PASSWORD", "PRIVACY")
    if others:
        headings = ("CENTER", *headings)
        rows = [(_first_center(folder), *row) for row in rows]
        rows += [
            (c, *row)
            for c, own in others.items()
            for protocol, known in own.items()
            for row in _user_rows(protocol, known)
        ]
    click.echo(table_or(_NOBODY, headings, rows))


def _first_center(folder: StateFolder) -> str:
    record = folder.record()
    return record.topology.center.name if record else ""


def _user_rows(protocol: str, known: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if "password" in known:
        yield protocol, known["user"], known["password"], ""
        return
    for user in known.values():
        auth = f"{user['auth_protocol']} {user['auth_password']}"
        yield protocol, user["user"], auth, f"{user['priv_protocol']} {user['priv_password']}"


@click.command("nms-settings")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file for it, readable for you alone."
)
@click.option("--http-port", default=8070, show_default=True, help="Where the page is to be; 0: anywhere.")
@state_dir_option
def write_nms_settings(output: Path | None, http_port: int, state_dir: Path) -> None:
    """Print the settings with which a network management system sees the network.

    It gets the read-only user that was generated, and the addresses of the
    center and of every chassis manager; blades it finds by itself.

    \b
    Example:
      chassis-emulator nms-settings --output nms.toml
      distribution-center nms run --settings nms.toml
    """
    from chassis_emulator.network.nms_settings import as_toml, nms_settings

    folder = StateFolder(state_dir)
    text = as_toml(nms_settings(folder, http_port), folder.path)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_secret(output, text)
    except OSError as error:
        raise UserError(f"{output} cannot be written: {error.strerror}", "Name a file in a folder of yours.") from error
    click.echo(f"Now run: distribution-center nms run --settings {shlex.quote(str(output))}")
    if http_port:
        click.echo(f"The page will be at http://127.0.0.1:{http_port}/")
