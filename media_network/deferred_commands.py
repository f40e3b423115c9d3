"""Commands that are imported when they are asked for: whoever asks one thing does not wait for the imports of all."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click
from click.shell_completion import CompletionItem

from media_network.interrupting import ending_silently

_SUMMARY_LETTERS_MIN = 45
"""As little of a sentence as click shows in a narrow terminal."""


class Deferred(NamedTuple):
    """Where a command is, as `package.module:attribute`, and the first sentence of its help.

    The sentence stands here a second time so that a list of all commands imports none; a test holds both together.
    """

    where: str
    sentence: str


class DeferredCommands(click.Group):
    """A group that knows commands by name only until they are needed; `deferred` is by what a person types."""

    def __init__(self, *args: Any, deferred: Mapping[str, Deferred] | None = None, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.deferred = deferred or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See `click.Group`."""
        return sorted({*super().list_commands(ctx), *self.deferred})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See `click.Group`. Ctrl-C during the import ends the program without a word."""
        deferred = self.deferred.get(cmd_name)
        if cmd_name not in self.commands and deferred is not None:
            module, _, attribute = deferred.where.partition(":")
            with ending_silently():
                self.add_command(getattr(import_module(module), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See `click.Group`."""
        names = self.list_commands(ctx)
        letters = max(formatter.width - 6 - max(map(len, names), default=0), _SUMMARY_LETTERS_MIN)
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._sentence(name, letters)) for name in names])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """See `click.Group`."""
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._sentence(name, _SUMMARY_LETTERS_MIN)) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def _sentence(self, name: str, letters: int) -> str:
        if name in self.commands:
            return self.commands[name].get_short_help_str(letters)
        return click.Command(name, help=self.deferred[name].sentence).get_short_help_str(letters)
