"""A blade's agent that has nothing to do: its memory and its CPU, all of it loaded, SNMP among it.

It is a process of its own, as on a board; those of an emulated chassis share their pages. Its backplane is a socket at
which nobody speaks, so that it has no role: a blade in a slot, waiting for its chassis manager.
"""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.figure import Figure, show

SETTLED_S = 5.0
MEASURED_S = 60.0
PSS_MAX_MIB = 45.0
CPU_MAX_PERCENT = 1.0


def main() -> None:
    """Start one, let it settle, and look at it for a minute."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder))
        code = "from blade_agent.entry import main; main()"
        process = subprocess.Popen(
            [sys.executable, "-c", code, "run", "--settings", str(settings)], stdout=subprocess.PIPE, text=True
        )
        try:
            if not (process.stdout and process.stdout.readline()):
                raise RuntimeError("the blade did not start")
            time.sleep(SETTLED_S)
            agent = psutil.Process(process.pid)
            before_s, began_s = _cpu_s(agent), time.monotonic()
            time.sleep(MEASURED_S)
            percent = (_cpu_s(agent) - before_s) / (time.monotonic() - began_s) * 100
            memory = agent.memory_full_info()
        finally:
            process.terminate()
            process.wait()
    mib = 1 << 20
    promised = "promised"
    show(
        Figure(
            figure="idle agent, memory (PSS)", value=memory.pss / mib, unit="MiB", peer=PSS_MAX_MIB, peer_name=promised
        ),
        Figure(figure="idle agent, CPU", value=percent, unit="% of a core", peer=CPU_MAX_PERCENT, peer_name=promised),
    )


def _cpu_s(agent: psutil.Process) -> float:
    times = agent.cpu_times()
    return times.user + times.system


def _settings(folder: Path) -> Path:
    (folder / "segments").mkdir()
    ports = [_free_port() for _ in range(4)]
    path = folder / "blade.toml"
    path.touch(0o600)
    path.write_text(
        f'slot = 2\naddress = "127.0.0.1"\nbackplane = "udp:127.0.0.1:{ports[0]}"\nmedia_port = {ports[1]}\n'
        f'control_port = {ports[2]}\nstate = "{folder / "state"}"\nchannels = ["{folder / "segments"}"]\n'
        f'profile = "generic-x86"\nwatchdog = false\n[snmp]\nhost = "127.0.0.1"\nport = {ports[3]}\n'
        '[[snmp.communities]]\ncommunity = "of-a-benchmark"\ngroup = "read-only"\n'
    )
    return path


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
