"""A whole network of stand-ins, brought up and ended by the commands a person types."""

import json
import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from chassis_emulator.commands.cli import main
from tests.signals import heed_signals

DAEMON = (sys.executable, str(Path(__file__).with_name("stand_ins.py")))
ROOT = Path(__file__).parents[3]
AS_COMMAND = f"from chassis_emulator.commands.cli import main; main(obj={DAEMON!r})"


def topology(network: int) -> str:
    return f"""
network: {network}
name: lab
center: {{name: main, home: home}}
stations:
  - {{name: home, slots: 2}}
  - {{name: north, slots: 3}}
"""


class Emulator:
    """The command, with a state folder and a topology."""

    def __init__(self, folder: Path, network: int) -> None:
        self.state = folder / "state"
        self.network = network
        self.topology = folder / "lab.yaml"
        self.topology.write_text(topology(network))

    def run(self, *arguments: object) -> Result:
        words = [*map(str, arguments), "--state-dir", str(self.state)]
        return CliRunner().invoke(main, words, obj=DAEMON)

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """The command as a process of its own, which Ctrl-C reaches; the caller waits for it."""
        words = [*map(str, arguments), "--state-dir", str(self.state)]
        return subprocess.Popen(
            [sys.executable, "-c", AS_COMMAND, *words],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=heed_signals,  # noqa: PLW1509 -- no thread of ours forks
        )

    def up(self, *arguments: object) -> str:
        result = self.run("up", *(arguments or (self.topology,)))
        assert result.exit_code == 0, result.output
        return result.output

    def ps(self) -> dict[str, dict]:
        result = self.run("ps", "--json")
        assert result.exit_code == 0, result.output
        return {row["name"]: row for row in json.loads(result.stdout)}

    def write_topology(self, *changes: tuple[str, str]) -> None:
        """The topology, with words in it replaced."""
        text = topology(self.network)
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        self.topology.write_text(text)


def refused(result: Result, status: int = 1) -> str:
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert result.stderr.startswith("Error: ")
    return result.stderr


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()
