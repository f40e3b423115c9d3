"""Every verb that travels between machines."""

from importlib import import_module
from pkgutil import iter_modules

from media_network import messages
from media_network.messages.verb import Verb

CONVERSATIONS = [import_module(f"{messages.__name__}.{module.name}") for module in iter_modules(messages.__path__)]
VERBS = [verb for conversation in CONVERSATIONS for verb in vars(conversation).values() if isinstance(verb, Verb)]
