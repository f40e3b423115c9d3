"""The folder of one network on this laptop: what survives `down`, and how its processes and commands find each other.

```
lock                    held (flock) while any process of the network lives
network.json            the network that is, or was last, up: where its center answers
control.sock            where the environment takes orders
credentials.json        users generated for the network, by protocol; mode 0600
logs/<process>.log      what each process printed
center/                 state of the distribution center; of several, of the headquarters
centers/<center>/       state of each of the others
mam/                    state of the media asset management, where there are several centers
accounts/               subscribers and ledger of subscriber management and billing, if there are any
identities/             of its parties, and their authority, where machines show certificates; only its owner reads it
authentication/         subscribers and keys of the authentication server, if there is one
console.json            the login of `media-console` to it
demo/                   what a demo received, if one was left up
nms/                    state of a network management system, if one is started with what `nms-settings` printed
stations/<station>/manager/root/      what stands for the management board's `/`
stations/<station>/manager/orders.sock
stations/<station>/<slot>/root/       what stands for the blade's `/`: its sensors, lights, fan and handle
stations/<station>/<slot>/out         there while the slot is empty
stations/<station>/<slot>/state/
stations/<station>/<slot>/channel-<n>/
stations/<center>.<station>/          the same of the stations of the other centers
```
"""

import fcntl
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from chassis_emulator.network.errors import AnotherIsUp, StateFolderError
from chassis_emulator.topology.topology import Topology
from media_network.durable_file import set_aside
from media_network.holding import holder_of
from media_network.os_trouble import in_words
from media_network.secret_file import write_secret

logger = logging.getLogger(__name__)

_LOCK_TRIES = 10
_LOCK_PAUSE_S = 0.02


class NetworkRecord(Struct, frozen=True, kw_only=True):
    """`network.json`: what every command that talks to a laptop network reads first."""

    network: int
    name: str
    center: str
    """Address of the distribution center, `host:port`."""
    pid: int
    """Process id of the environment."""
    boot: str
    """New at every `up`."""
    topology: Topology


class _Login(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: str
    password: str


class _SnmpLogin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: str
    auth_protocol: str
    auth_password: str
    priv_protocol: str
    priv_password: str


class _SnmpLogins(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    read_only: _SnmpLogin
    read_write: _SnmpLogin


class _CenterCredentials(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of one center and its stations."""

    console: _Login | None = None
    ipmi: _Login | None = None
    snmp: _SnmpLogins | None = None


class _Credentials(_CenterCredentials, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The grammar of `credentials.json`."""

    centers: dict[str, _CenterCredentials] = {}
    """Of the centers beside the headquarters."""


@dataclass(frozen=True)
class StateFolder:
    """Paths in the folder, and its lock."""

    path: Path

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.path / "logs"

    @property
    def control(self) -> Path:
        """The environment's socket."""
        return self.path / "control.sock"

    @property
    def credentials(self) -> Path:
        """Users by protocol."""
        return self.path / "credentials.json"

    def log(self, process: str) -> Path:
        """Log of a process, such as `north/2`."""
        return self.logs / f"{process.replace('/', '.')}.log"

    def prepare(self) -> None:
        """Make the folder and what every process expects in it. Raises StateFolderError."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.logs.mkdir(exist_ok=True)
            # A hand-over of a secret must not pass through a moment in which everybody may read the file.
            if not os.path.lexists(self.credentials):
                write_secret(self.credentials, "{}\n")
            elif self.credentials.is_file():
                self.credentials.chmod(0o600)
        except OSError as error:
            raise StateFolderError(self.path, f"{error.strerror} ({error.filename})") from error

    def set_damaged_aside(self) -> None:
        """Set aside what cannot be used of an earlier network, and say so. The folder has to be taken.

        Raises StateFolderError.
        """
        try:
            for path, grammar, then in (
                (self.credentials, _Credentials, "there are new users and passwords, which `credentials` shows"),
                (self.path / "network.json", NetworkRecord, "it is written anew"),
            ):
                if os.path.lexists(path) and not _follows(path, grammar):
                    logger.warning("%s is damaged, and set aside as %s: %s", path, set_aside(path), then)
            self.prepare()
        except OSError as error:
            raise StateFolderError(self.path, f"{error.strerror} ({error.filename})") from error

    def take(self) -> int:
        """Lock the folder for as long as the descriptor that is returned (and every copy of it) is open.

        Raises AnotherIsUp, StateFolderError.
        """
        lock = self._open_lock()
        for _ in range(_LOCK_TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # It may be no network but a command that looks whether there is one.
                time.sleep(_LOCK_PAUSE_S)
            else:
                return lock
        os.close(lock)
        record = self.record()
        raise AnotherIsUp(record.name if record else "one that is just starting", self.path, self.holder())

    def is_up(self) -> bool:
        """Whether any process of a network lives in this folder."""
        if not (self.path / "lock").exists():
            return False
        lock = self._open_lock()
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def holder(self) -> int | None:
        """The process that locked the folder; None if it cannot be seen."""
        return holder_of(self.path / "lock")

    def _open_lock(self) -> int:
        try:
            return os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StateFolderError(self.path, error.strerror or "cannot be locked") from error

    def record(self) -> NetworkRecord | None:
        """The network that is, or was last, up here; None if there never was one."""
        try:
            return msgspec.json.decode((self.path / "network.json").read_bytes(), type=NetworkRecord)
        except (OSError, msgspec.MsgspecError):
            return None

    def write_record(self, record: NetworkRecord) -> None:
        """Write `network.json` in one step: a reader sees the old one or the new one."""
        unfinished = self.path / "network.json.new"
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        unfinished.rename(self.path / "network.json")

    def read_credentials(self) -> dict[str, Any]:
        """The users generated for the network, by protocol. Raises StateFolderError."""
        try:
            return msgspec.json.decode(self.credentials.read_bytes(), type=dict[str, Any])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise StateFolderError(self.path, in_words(error)) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateFolderError(self.path, "credentials.json is damaged: remove it, `up` makes new ones") from error

    def write_credentials(self, users: dict[str, Any]) -> None:
        """Keep them; the file can be read by its owner only, from its first byte on."""
        write_secret(self.credentials, msgspec.json.format(msgspec.json.encode(users)).decode() + "\n")


def _follows(path: Path, grammar: type[Struct]) -> bool:
    try:
        msgspec.json.decode(path.read_bytes(), type=grammar)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True
