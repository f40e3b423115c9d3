"""nginx (Debian: nginx-light), the yardstick of whatever is answered by HTTP: one worker, in the foreground."""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from media_network.address import Address
from tests.addresses import free_port

HOST = "127.0.0.1"
_TRIES = 200
_PAUSE_S = 0.02
_CONFIGURATION = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address};
        location / {{ {location} }}
    }}
}}
"""


class Nginx:
    """One that runs."""

    def __init__(self, address: Address, pid: int) -> None:
        self.address = address
        self.pid = pid
        self._before_s = _cpu_s(pid)

    async def cost_s(self) -> float:
        """CPU it took since the last time."""
        now_s = _cpu_s(self.pid)
        spent_s, self._before_s = now_s - self._before_s, now_s
        return spent_s


def is_installed() -> bool:
    """Whether it is there to be measured."""
    return _program() is not None


@asynccontextmanager
async def nginx(folder: Path, location: str) -> AsyncIterator[Nginx]:
    """One whose root location has these directives, while the context is open. Raises FileNotFoundError."""
    program = _program()
    if program is None:
        raise FileNotFoundError("nginx is not installed (Debian: nginx-light)")
    address = Address(HOST, free_port(HOST))
    (folder / "nginx.conf").write_text(_CONFIGURATION.format(folder=folder, address=address, location=location))
    process = await asyncio.create_subprocess_exec(program, "-p", str(folder), "-c", str(folder / "nginx.conf"))
    try:
        await _answers(address)
        yield Nginx(address, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


def _program() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


async def _answers(address: Address) -> None:
    for _ in range(_TRIES):
        try:
            _, writer = await asyncio.open_connection(*address)
        except ConnectionRefusedError:
            await asyncio.sleep(_PAUSE_S)
        else:
            writer.close()
            return
    raise OSError(f"nginx does not answer at {address}")


def _cpu_s(pid: int) -> float:
    """User and system time of a process (proc(5), stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
