"""Every command of the backplane, by where it stands in the command space."""

import importlib
import pkgutil

from blade_agent.backplane import messages
from blade_agent.backplane.command import Command
from blade_agent.backplane.message import CompletionCode

MODULES = tuple(
    importlib.import_module(found.name) for found in pkgutil.iter_modules(messages.__path__, f"{messages.__name__}.")
)
COMMANDS = {found.code: found for module in MODULES for found in vars(module).values() if isinstance(found, Command)}


def completion(code, number):
    """Give a completion code as it is meant with the command that stands there, known or not. Raises ValueError."""
    command = COMMANDS.get(code)
    return CompletionCode(number) if command is None else command.completion(number)
