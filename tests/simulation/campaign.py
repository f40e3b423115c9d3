"""A campaign of many seeds that runs beside all the other tests, for those wait most of their time."""

import subprocess
import sys

SEEDS = 200


class Campaign:
    """Begun before the first test, and asked for by the last; with what the others leave of the processors."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "chassis_emulator.simulation", "--seeds", str(SEEDS)]
        self._process = subprocess.Popen(
            ["nice", "-n", "19", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def wait(self) -> tuple[int, str]:
        """Its exit code, and what it printed."""
        printed, _ = self._process.communicate()
        return self._process.returncode, printed

    def close(self) -> None:
        """End it if it has not ended."""
        with self._process as process:
            process.terminate()
