"""Where `chassis-emulator` begins: a base install lacks what it needs, and should say so in one sentence."""

from media_network.interrupting import ending_silently

_NEEDED = ("yaml", "av")


def main() -> None:
    """`chassis-emulator`. Ends with exit code 1 when the extra is not installed."""
    with ending_silently():
        _refuse_base_install()
        from chassis_emulator.commands.cli import main as commands  # noqa: PLC0415 -- it needs them

    commands()


def _refuse_base_install() -> None:
    from importlib.util import find_spec  # noqa: PLC0415 -- Ctrl-C is quiet from here on

    import click  # noqa: PLC0415

    missing = [module for module in _NEEDED if find_spec(module) is None]
    if missing:
        click.echo(f"Error: chassis-emulator needs {', '.join(missing)}, which a blade does not.", err=True)
        click.echo("Hint: pip install 'media-station[emulator]'", err=True)
        raise SystemExit(1)
