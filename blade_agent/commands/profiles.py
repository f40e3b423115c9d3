"""`blade-agent profile`: what is known of a board."""

from pathlib import Path

import click
from click.shell_completion import CompletionItem

from blade_agent.hardware.profile import ProfileError, load_profile, profile_names
from media_network.cli import Commands, UserError, echo_json, json_option
from media_network.table import table_or


def _profiles_or_files(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
    """What a shell completes."""
    found = [CompletionItem(name) for name in profile_names() if name.startswith(begun)]
    return [*found, CompletionItem(begun, type="file")]


@click.group(cls=Commands)
def profile() -> None:
    """Hardware profiles: what is known of a board.

    \b
    Example:
      blade-agent profile probe raspberry-pi-5
    """


@profile.command(name="list")
@json_option("a list of objects")
def list_profiles(*, as_json: bool) -> None:
    """List the profiles that come with the agent.

    \b
    Example:
      blade-agent profile list --json
    """
    rows = [(name, load_profile(name).title) for name in profile_names()]
    if as_json:
        echo_json([{"profile": name, "title": title} for name, title in rows])
        return
    click.echo(table_or("There is no profile.", ("PROFILE", "BOARD"), rows))


@profile.command()
@click.argument("name", shell_complete=_profiles_or_files)
@json_option("an object with `profile` and `title`")
def lint(name: str, *, as_json: bool) -> None:
    """Check a profile (a name, or a TOML file) against the schema.

    \b
    Example:
      blade-agent profile lint generic-x86
    """
    try:
        found = load_profile(name)
    except ProfileError as error:
        raise UserError(str(error), "hw_profiles/README.md describes the schema.") from error
    if as_json:
        echo_json({"profile": name, "title": found.title})
        return
    click.echo(f"{name}: {found.title}: follows the schema")


@profile.command(name="probe")
@click.argument("name", required=False, shell_complete=_profiles_or_files)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("/"),
    show_default=True,
    help="Folder that holds sys and proc: of this board, or copied from another.",
)
@json_option("an object")
def probe_board(name: str | None, root: Path, *, as_json: bool) -> None:
    """Show what this board offers, and what a profile (a name, or a TOML file) reads of it.

    Without a name the profile is the one for what the device tree says, if there is one. Nothing is set or started.

    \b
    Example:
      blade-agent profile probe raspberry-pi-5 --json
    """
    from blade_agent.hardware.probe import describe, probe

    try:
        found = probe(root, name)
    except ProfileError as error:
        raise UserError(str(error), "hw_profiles/README.md describes the schema.") from error
    if as_json:
        echo_json(found)
        return
    for line in describe(found):
        click.echo(line)


@profile.command()
@click.argument("name", required=False, shell_complete=_profiles_or_files)
def rules(name: str | None) -> None:
    """Print the rules by which udev gives the board's ports the names /dev/backplane and /dev/service-port.

    Of a profile (a name, or a TOML file); without one of what the device tree says.

    \b
    Example:
      blade-agent profile rules generic-x86
    """
    from blade_agent.hardware.probe import profile_for
    from blade_agent.hardware.udev_rules import rules_for

    try:
        chosen = name or profile_for(Path("/"))
        text = rules_for(load_profile(chosen))
    except ProfileError as error:
        raise UserError(str(error), "hw_profiles/README.md describes the schema.") from error
    if not text:
        raise UserError(f"the profile {chosen} knows neither port", "Name a file with [backplane] and its device.")
    click.echo(text, nl=False)
