"""Every verb there is, and the tables that `docs/protocols/messages.md` shows.

    python -m tests.verbs

prints them, for the document.
"""

from collections import defaultdict
from importlib import import_module
from pkgutil import iter_modules

from blade_agent.chassis_manager import orders as manager
from chassis_emulator.chassis import orders as chassis
from chassis_emulator.network import control
from chassis_emulator.panel import orders as panel
from distribution_center.page import orders as page
from media_network import messages
from media_network.http.refusing import STATUSES
from media_network.messages.verb import KIB, MIB, Verb

CONVERSATIONS = [import_module(f"{messages.__name__}.{module.name}") for module in iter_modules(messages.__path__)]
_LOCAL = {
    "chassis manager": (manager,),
    "emulated network": (control, chassis),
    "front panel": (panel,),
    "operator's page": (page,),
}
_RECEIVERS = {
    "authentication": "authentication server",
    "billing": "subscriber billing",
    "content": "center",
    "director": "director",
    "engine": "engine",
    "headquarters": "headquarters",
    "registry": "center",
    "subscribers": "subscriber management",
}


def _verbs_of(module):
    return [verb for verb in vars(module).values() if isinstance(verb, Verb)]


VERBS = [verb for conversation in CONVERSATIONS for verb in _verbs_of(conversation)]
"""Those that travel between machines."""


def tables():
    """Verbs between machines, verbs on one machine, and the statuses of refusals: Markdown."""
    between = [
        (_RECEIVERS[verb.path.partition("/")[0]], ", ".join(sorted(verb.ports)), verb)
        for verb in sorted(VERBS, key=lambda verb: verb.path)
    ]
    on_one = [(party, verb) for party, modules in _LOCAL.items() for module in modules for verb in _verbs_of(module)]
    return [_verb_table(["to whom", "port"], between), _verb_table(["to whom"], on_one), _status_table()]


def _verb_table(heads, rows):
    """`rows` have a cell under each of the heads, and a verb."""
    return _table(
        ["verb", "who says it", *heads, "request", "answer", "what for"],
        [
            (
                f"`{verb.path}`",
                ", ".join(verb.callers),
                *cells,
                _weight(verb.request_bytes_max),
                _weight(verb.reply_bytes_max),
                verb.summary,
            )
            for *cells, verb in rows
        ],
    )


def _status_table():
    reasons = defaultdict(list)
    for reason, status in STATUSES.items():
        reasons[status].append(f"`{reason}`")
    rows = [(f"{status.value}", ", ".join(each)) for status, each in sorted(reasons.items())]
    return _table(["status", "reasons"], rows)


def _weight(count):
    return f"{count // MIB} MiB" if count >= MIB else f"{count // KIB} KiB"


def _table(head, rows):
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)) + "\n"


if __name__ == "__main__":
    print("\n".join(tables()))
