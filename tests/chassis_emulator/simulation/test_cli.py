"""Many seeds in several processes: none outlives the command, and none dies unnoticed."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from tests.patience import PATIENCE_S, wait_until
from tests.signals import heed_signals


@contextmanager
def endless():
    """The command with more seeds than anybody waits for, two at a time; it, and the processes that play them."""
    command = [sys.executable, "-m", "chassis_emulator.simulation", "--seeds", "100000", "--jobs", "2"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,  # noqa: PLW1509 -- no thread of ours forks
    ) as process:
        try:
            workers = wait_until(lambda: two_at_work(psutil.Process(process.pid)), process=process)
            yield process, workers
        finally:
            process.kill()


def two_at_work(process):
    workers = process.children()
    return workers if len(workers) == 2 and all(worker.cpu_times().user > 0.1 for worker in workers) else None


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_the_command_ends_its_processes(number):
    with endless() as (process, workers):
        process.send_signal(number)
        # Nothing holds its pipes any more, so that whoever reads them is not left waiting.
        output, complaints = process.communicate(timeout=PATIENCE_S)
        _, alive = psutil.wait_procs(workers, PATIENCE_S)
        assert not alive
    assert process.returncode != 0
    assert "Traceback" not in output + complaints


def test_a_process_that_was_killed_ends_the_command_with_a_sentence():
    with endless() as (process, workers):
        os.kill(workers[0].pid, signal.SIGKILL)
        _, complaints = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Error: a process that played seeds was killed; " in complaints
    assert "Hint: go on with --seed " in complaints
    assert "Traceback" not in complaints
