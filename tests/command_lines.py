"""The commands of a program, deferred ones too."""

import click


def commands_of(group: click.Group) -> dict[str, click.Command]:
    """Commands of a group, each imported, by what a person types."""
    context = click.Context(group)
    return {name: group.get_command(context, name) for name in group.list_commands(context)}
