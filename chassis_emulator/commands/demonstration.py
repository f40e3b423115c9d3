"""The main job from beginning to end, by the very commands a person would type (claim 10)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from chassis_emulator.commands.hints import PsRow, Scene, Surroundings, as_text, browser_hints, shell_hints
from chassis_emulator.topology.topology import VIEWER, Topology
from media_network.default_state import STATE_VARIABLE, default_state_folder
from media_network.fields import ProgramId, Sha256
from media_network.table import format_table
from media_network.whereabouts import find_identity

_SEGMENT_MS = 800
_NMS_PORT = 8070

Say = Callable[[str], None]


class DemoFailed(Exception):
    """A step of the demo did not do what it should have done."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(step, reason)
        self.step = step
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.step}: {self.reason}"


class _Program(Struct):
    program: ProgramId
    sha256: Sha256
    bytes: int


class _Segment(Struct):
    number: int
    engine: str
    bytes: int
    sha256: Sha256


class _Reception(Struct):
    program: ProgramId
    sha256: Sha256
    bytes: int
    segments: list[_Segment]


class _Up(Struct):
    panel: str


class Demo:
    """One run of the demo in one state folder; `named` is what the topology is called, as for `up`."""

    def __init__(self, named: str, topology: Topology, state: Path, say: Say) -> None:
        self._environment = {**os.environ, STATE_VARIABLE: str(state)}
        self._named = named
        self._logs_in = topology.authentication
        self._station = _station_of_viewers(topology)
        self._state = state
        self._say = say

    def play_the_main_job(self, clip: Path) -> str:
        """Bring a network up, and a program into it, and out again both ways; its name. Raises DemoFailed."""
        self._run("chassis-emulator", "up", self._named, "--network", "free")
        if self._logs_in:
            self._log_in()
        document = self._run(
            "distribution-center", "ingest", str(clip), "--segment-ms", str(_SEGMENT_MS), "--json", quiet=True
        )
        program = msgspec.json.decode(document, type=_Program)
        self._say(f"{program.program}: {program.bytes} bytes, SHA-256 {program.sha256}")
        self._run("distribution-center", "distribute", program.program, self._station)
        self._run("distribution-center", "publish", program.program)
        receptions = {by: self._play(program, by) for by in ("hls", "push")}
        self._say(_table(receptions))
        for by in receptions:
            received = sha256(self._output(by).read_bytes()).hexdigest()
            if received != program.sha256:
                raise DemoFailed(by, f"the file received has SHA-256 {received}, the program's is {program.sha256}")
        engines = {segment.engine for segment in receptions["push"].segments}
        self._say(f"both consoles received the program's very bytes; {len(engines)} engines took turns at the push")
        return program.program

    def leave_up(self, program: str) -> None:
        """Say what to open, poll and play, each line ready to be pasted. Raises DemoFailed."""
        panel = self._ask("chassis-emulator", "up", "--control", "--json", type=_Up).panel
        scene = Scene(
            program=program,
            station=self._station,
            panel=panel,
            rows=self._ask("chassis-emulator", "ps", "--json", type=list[PsRow]),
            users=self._ask("chassis-emulator", "credentials", "--json", type=dict[str, Any]),
        )
        self._say("")
        self._say("The network stays up. Open in a browser:\n")
        self._say(as_text(browser_hints(scene)))
        self._say("\nPaste into a shell, the first lines first:\n")
        self._say(as_text(shell_hints(scene, _surroundings(self._state, os.environ))))
        self._say("")

    def is_up(self) -> bool:
        """Whether a network is up in the state folder."""
        return self._finish("chassis-emulator", "ps", errors=subprocess.DEVNULL).returncode == 0

    def take_down(self) -> None:
        """End what is up. Raises DemoFailed."""
        self._run("chassis-emulator", "down")

    def _log_in(self) -> None:
        users = self._ask("chassis-emulator", "credentials", "--json", type=dict[str, Any])
        password = str(users["console"]["password"]).encode()
        self._run("media-console", "login", VIEWER, "--password-file", "-", said=password)

    def _ask(self, *command: str, type: Any) -> Any:  # noqa: A002 -- as msgspec calls it
        return msgspec.json.decode(self._run(*command, quiet=True), type=type)

    def _play(self, program: _Program, by: str) -> _Reception:
        self._output(by).parent.mkdir(exist_ok=True)
        command = ("media-console", "play", program.program, "--station", self._station, "--by", by)
        document = self._run(*command, "--output", str(self._output(by)), "--json", quiet=True)
        return msgspec.json.decode(document, type=_Reception)

    def _output(self, by: str) -> Path:
        return demo_folder(self._state) / f"received-by-{by}.ts"

    def _run(self, *command: str, quiet: bool = False, said: bytes | None = None) -> bytes:
        """Run a command of ours, shown as it would be typed; its progress and errors go where ours go."""
        self._say(f"$ {' '.join(command)}")
        finished = self._finish(*command, said=said)
        if finished.returncode:
            raise DemoFailed(command[0], f"ended with exit code {finished.returncode}")
        if not quiet:
            self._say(finished.stdout.decode().rstrip())
        return finished.stdout

    def _finish(
        self, command: str, *arguments: str, errors: int | None = None, said: bytes | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it to its end, also when this is interrupted: it is told to end in order, and only then it goes on.

        `said` is its standard input; else it has ours.
        """
        # Our own commands, from the folder that ours is in. Ctrl-C reaches them by us alone.
        with subprocess.Popen(  # noqa: S603
            [str(_commands() / command), *arguments],
            env=self._environment,
            stdin=None if said is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            process_group=0,
        ) as process:
            try:
                output, _ = process.communicate(said)
            except KeyboardInterrupt:
                process.send_signal(signal.SIGTERM)
                process.wait()
                raise
        return subprocess.CompletedProcess(process.args, process.returncode, output)


def demo_folder(state: Path) -> Path:
    """Where the demo keeps what it received, in a state folder."""
    return state / "demo"


def _commands() -> Path:
    return Path(sys.executable).parent


def _surroundings(state: Path, environment: Mapping[str, str]) -> Surroundings:
    found = shutil.which("chassis-emulator", path=environment.get("PATH"))
    return Surroundings(
        commands=None if found and Path(found).parent == _commands() else _commands(),
        state=None if default_state_folder(environment, Path.home()) == state else state,
        nms_settings=demo_folder(state) / "nms.toml",
        nms_port=_free_port(),
        identity=find_identity(state, environment),
    )


def _free_port() -> int:
    """Of 127.0.0.1, for a page: the usual one if it is free."""
    for port in (_NMS_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return 0


def _station_of_viewers(topology: Topology) -> str:
    """The first that is not the home of what the center has."""
    center = topology.center
    names = [station.name for station in topology.stations]
    return topology.station_name(center.name, next((name for name in names if name != center.home), names[0]))


def _table(receptions: dict[str, _Reception]) -> str:
    headings = ("BY", "SEGMENT", "ENGINE", "BYTES", "SHA-256")
    rows: list[Sequence[str]] = [
        (by, str(segment.number), segment.engine, str(segment.bytes), segment.sha256[:16])
        for by, reception in receptions.items()
        for segment in reception.segments
    ]
    return format_table(headings, rows)
