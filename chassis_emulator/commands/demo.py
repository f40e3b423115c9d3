"""`chassis-emulator demo`: the main job from beginning to end, by the very commands a person would type (claim 10)."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from chassis_emulator.commands.table import format_table
from chassis_emulator.data import DEFAULT_EXAMPLE
from chassis_emulator.topology.topology import Topology, find_topology, read_topology
from media_network.cli import UserError, state_dir_option
from media_network.fields import ProgramId, Sha256
from media_network.whereabouts import STATE_VARIABLE

_SEGMENT_MS = 800
_MANAGER = "chassis_manager"
"""The row of `ps` that is about a whole station."""

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


class _Process(Struct):
    station: str | None
    role: str
    media: str | None


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


class Demo:
    """One run of the demo in one state folder; `topology` is a file or the name of an example, as for `up`."""

    def __init__(self, topology: str, state: Path, say: Say) -> None:
        self._environment = {**os.environ, STATE_VARIABLE: str(state)}
        self._topology = topology
        self._station = _station_of_viewers(read_topology(find_topology(topology)))
        self._state = state
        self._say = say

    def play_the_main_job(self, clip: Path) -> None:
        """Bring a network up, and a program into it, and out again both ways. Raises DemoFailed."""
        self._run("chassis-emulator", "up", self._topology)
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

    def leave_up(self) -> None:
        """Say what to open, poll and play."""
        self._run("chassis-emulator", "ps")
        rows = msgspec.json.decode(self._run("chassis-emulator", "ps", "--json", quiet=True), type=list[_Process])
        [service] = [row.media for row in rows if (row.station, row.role) == (self._station, _MANAGER)]
        program = msgspec.json.decode(
            self._run("distribution-center", "programs", "--json", quiet=True), type=list[_Program]
        )[0].program
        self._say(
            "The network stays up. Try, or open in a player:\n"
            f"  export {STATE_VARIABLE}={self._state}\n"
            f"  ffplay http://{service}/programs/{program}/playlist.m3u8\n"
            f"  media-console play {program} --by push --output received.ts\n"
            f"  curl http://{service}/openapi.json\n"
            "  ipmitool -I serial-basic -D <SERIAL of chassis-emulator ps>:115200 mc info\n"
            "  chassis-emulator down"
        )

    def take_down(self) -> None:
        """End what is up."""
        self._run("chassis-emulator", "down")

    def _play(self, program: _Program, by: str) -> _Reception:
        command = ("media-console", "play", program.program, "--station", self._station, "--by", by)
        document = self._run(*command, "--output", str(self._output(by)), "--json", quiet=True)
        return msgspec.json.decode(document, type=_Reception)

    def _output(self, by: str) -> Path:
        return self._state / f"received-by-{by}.ts"

    def _run(self, command: str, *arguments: str, quiet: bool = False) -> bytes:
        """Run a command of ours, shown as it would be typed; its progress and errors go where ours go."""
        self._say(f"$ {' '.join((command, *arguments))}")
        path = str(Path(sys.executable).parent / command)
        # Our own commands, from the folder that ours is in.
        finished = subprocess.run(  # noqa: S603
            [path, *arguments], env=self._environment, stdout=subprocess.PIPE, check=False
        )
        if finished.returncode:
            raise DemoFailed(command, f"ended with exit code {finished.returncode}")
        if not quiet:
            self._say(finished.stdout.decode().rstrip())
        return finished.stdout


@contextmanager
def demo_state(*, keep: Path | None) -> Iterator[Path]:
    """The folder to keep, or one that is gone afterwards."""
    if keep:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="media-station-demo-") as folder:
        yield Path(folder)


def _station_of_viewers(topology: Topology) -> str:
    """The first that is not the home of what the center has."""
    names = [station.name for station in topology.stations]
    return next((name for name in names if name != topology.center.home), names[0])


def _table(receptions: dict[str, _Reception]) -> str:
    headings = ("BY", "SEGMENT", "ENGINE", "BYTES", "SHA-256")
    rows: list[Sequence[str]] = [
        (by, str(segment.number), segment.engine, str(segment.bytes), segment.sha256[:16])
        for by, reception in receptions.items()
        for segment in reception.segments
    ]
    return format_table(headings, rows)


@click.command()
@click.argument("topology", default=DEFAULT_EXAMPLE)
@click.option(
    "--clip",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The video that goes in, and comes out again.",
)
@click.option("--keep", is_flag=True, help="Leave the network up, in the usual state folder.")
@state_dir_option
def demo(topology: str, clip: Path, keep: bool, state_dir: Path) -> None:  # noqa: FBT001 -- click passes options by name
    """Do the main job once: bring a network up, a program in, and play it both ways.

    TOPOLOGY is a YAML file, or the name of an example, as for `up`.

    \b
    Example:
      chassis-emulator demo --clip film.mp4
    """
    with demo_state(keep=state_dir if keep else None) as state:
        run = Demo(topology, state, click.echo)
        try:
            run.play_the_main_job(clip)
            if keep:
                run.leave_up()
        except DemoFailed as error:
            raise UserError(str(error), f"The logs are in {state / 'logs'}; --keep keeps them.") from error
        finally:
            if not keep:
                run.take_down()
    click.echo("demo: ok")
