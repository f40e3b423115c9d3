"""What a command costs before it does anything: `--version` and `--help`, beside a Python that does nothing.

`import click` is measured too: without it there is no command.
"""

import resource
import subprocess
import sys
from statistics import median

from benchmarks.figure import Figure, show

ROUNDS = 9
ENTRIES = {
    "blade-agent": "blade_agent.entry",
    "chassis-emulator": "chassis_emulator.entry",
    "distribution-center": "distribution_center.entry",
    "media-console": "chassis_emulator.media_console.entry",
}
COMMANDS = (
    ("blade-agent", "--version"),
    ("blade-agent", "--help"),
    ("blade-agent", "run", "--help"),
    ("chassis-emulator", "--help"),
    ("chassis-emulator", "up", "--help"),
    ("distribution-center", "--help"),
    ("distribution-center", "publish", "--help"),
    ("media-console", "--help"),
    ("media-console", "play", "--help"),
)
_BARE = ("-c", "pass")
_CLICK = ("-c", "import click")


def main() -> None:
    """Measure them in turns, so that what else the machine does falls on all alike, and print medians."""
    programs = {words: _started(words) for words in COMMANDS}
    spent = {words: [] for words in (_BARE, _CLICK, *COMMANDS)}
    for _ in range(ROUNDS):
        for words, measured in spent.items():
            measured.append(_cpu_ms(programs.get(words, words)))
    bare = median(spent[_BARE])
    show(Figure(figure="import click", value=median(spent[_CLICK]), unit="CPU ms", peer=bare, peer_name="bare Python"))
    for words in COMMANDS:
        show(
            Figure(
                figure=" ".join(words), value=median(spent[words]), unit="CPU ms", peer=bare, peer_name="bare Python"
            )
        )


def _started(words: tuple[str, ...]) -> tuple[str, ...]:
    """How Python is told to be a command: as the script does that an installation makes of it."""
    return ("-c", f"import sys; from {ENTRIES[words[0]]} import main; sys.exit(main())", *words[1:])


def _cpu_ms(words: tuple[str, ...]) -> float:
    """User and system time of one run."""
    before = _children_s()
    subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
    return (_children_s() - before) * 1000


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
