"""A PostgreSQL server of a test's own: Debian's, as an unprivileged user, on a UNIX socket in a folder of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

import psutil

PASSWORD = "a secret of the registry"


def binaries() -> Path:
    """Where the newest server's programs are; Debian keeps them off the PATH."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name))


class PostgresqlServer:
    """One server with a superuser `registry`, who has a password. fsync is on, as it is for people."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="registry-", dir="/tmp"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:  # as whom the server refuses to run
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self._as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            *("initdb", "--pgdata", str(self.folder / "data"), "--username=registry", f"--pwfile={password}"),
            *("--auth=scram-sha-256", "--no-locale", "--encoding=UTF8", "--no-sync"),
        )
        self.password_file = self.folder / "pgpass"
        self.password_file.write_text(f"*:*:*:registry:{PASSWORD}\n")
        self.password_file.chmod(0o600)
        self._server: subprocess.Popen[bytes] | None = None
        self._log = (self.folder / "log").open("ab")

    def dsn(self, schema: str, **settings: str) -> str:
        """Of a schema, which is as good as a database of its own."""
        host = quote(str(self.folder), safe="")
        options = "&".join(f"{name}={value}" for name, value in {"search_path": schema, **settings}.items())
        return f"postgresql://registry@{host}/postgres?{options}"

    def start(self, *options: str) -> None:
        """Start, again after a kill; returns when it answers."""
        self._server = subprocess.Popen(
            [
                *self._as_user,
                *(str(binaries() / "postgres"), "-D", str(self.folder / "data"), "-k", str(self.folder)),
                *("-c", "listen_addresses=", "-c", "shared_buffers=16MB", *options),
            ],
            stderr=self._log,
        )
        ready = [binaries() / "pg_isready", "-q", "-h", self.folder]
        while subprocess.run(ready, check=False).returncode:
            assert self._server.poll() is None, (self.folder / "log").read_text()

    def kill(self) -> None:
        """As a power cut of the machine: every process of it at once."""
        assert self._server
        self._server.send_signal(signal.SIGSTOP)  # it starts no more
        for process in psutil.Process(self._server.pid).children():
            process.kill()
        self._server.kill()
        self._server.wait()

    def stop(self) -> None:
        """Stop and leave nothing behind."""
        if self._server and self._server.poll() is None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait()
        self._log.close()
        shutil.rmtree(self.folder)

    def execute(self, sql: str) -> str:
        """Somebody else's statement, by psql."""
        command = [binaries() / "psql", "-h", self.folder, "-U", "registry", "-d", "postgres", "-Atqc", sql]
        environment = {**os.environ, "PGPASSFILE": str(self.password_file)}
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(binaries() / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.folder)
