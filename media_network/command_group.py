"""A whole command line program: what all of them have beside their commands."""

from typing import Any

import click
from click.shell_completion import get_completion_class

from media_network.cli import Commands
from media_network.interrupting import INTERRUPTED_STATUS

_SHELLS = ("bash", "zsh", "fish")


class Program(Commands):
    """The group of all commands: Ctrl-C at one that has nothing to say ends it without a word."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, context_settings={"help_option_names": ["-h", "--help"]}, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """See `click.Command`."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(INTERRUPTED_STATUS) from None


def add_completion(program: click.Group, name: str) -> None:
    """Give a program the command `completion`; `name` is what a person types."""
    completing = click.Command(
        "completion",
        callback=lambda shell: click.echo(_script(program, name, shell)),
        params=[click.Argument(["shell"], type=click.Choice(_SHELLS))],
        help="Print what makes SHELL complete commands, options and names; for the file that it reads at its start."
        f'\n\n\b\nExample:\n  eval "$({name} completion bash)"',
    )
    program.add_command(completing)


def _script(program: click.Group, name: str, shell: str) -> str:
    completing = get_completion_class(shell)
    if completing is None:
        raise click.BadParameter(f"click {click.__version__} does not know {shell}.")
    return completing(program, {}, name, f"_{name}_COMPLETE".replace("-", "_").upper()).source()
