"""Where the commands of the emulator begin: a base install lacks what they need, and should say so in one sentence."""

from importlib.util import find_spec

import click

_NEEDED = ("yaml", "apsw", "av")


def main() -> None:
    """`chassis-emulator`. Ends with exit code 1 when the extra is not installed."""
    missing = [module for module in _NEEDED if find_spec(module) is None]
    if missing:
        click.echo(f"Error: chassis-emulator needs {', '.join(missing)}, which a blade does not.", err=True)
        click.echo("Hint: pip install 'media-station[emulator]'", err=True)
        raise SystemExit(1)
    from chassis_emulator.commands.cli import main as commands  # noqa: PLC0415 -- it needs them

    commands()
