"""A network on this laptop, driven by the commands a person types."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import msgspec

from chassis_emulator.network.control import PROCESSES, ListProcesses, order
from chassis_emulator.network.state_folder import StateFolder
from tests.patience import wait_until

BIN = Path(sys.executable).parent


class Laptop:
    """One network in a state folder of its own."""

    def __init__(self, state, topology):
        self.state = Path(state)
        self.topology = str(topology)
        self.environment = {**os.environ, "MEDIA_STATION_STATE": str(state)}

    @classmethod
    @contextmanager
    def running(cls, folder, plan):
        """A network up as a topology says it; down again at the end, also when it did not come up."""
        topology = folder / "topology.yaml"
        topology.write_text(plan)
        laptop = cls(folder / "state", topology)
        try:
            laptop.up()
            yield laptop
        finally:
            laptop.down()

    def run(self, command, *arguments, check=True, timeout=90):
        finished = subprocess.run(
            [BIN / command, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert finished.returncode == 0, f"{command} {arguments}: {finished.stderr}\n{self.logs()}"
        return finished

    def start(self, command, *arguments):
        """A command that goes on; the caller waits for it."""
        return subprocess.Popen(
            [BIN / command, *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def json(self, command, *arguments, **options):
        return json.loads(self.run(command, *arguments, "--json", **options).stdout)

    def up(self):
        return self.run("chassis-emulator", "up", self.topology)

    def down(self):
        return self.run("chassis-emulator", "down")

    def ps(self):
        """What `chassis-emulator ps --json` prints, asked for in this process: it is asked again and again."""
        rows = order(StateFolder(self.state), PROCESSES, ListProcesses()).processes
        return json.loads(msgspec.json.encode(rows))

    def blade(self, station, slot):
        return next(row for row in self.ps() if (row["station"], row["slot"]) == (station, slot))

    def director(self, station):
        return next(row for row in self.ps() if (row["station"], row["role"]) == (station, "director"))

    def new_director(self, old):
        """The blade that directs a station now that `old` does not."""

        def look():
            rows = (row for row in self.ps() if (row["station"], row["role"]) == (old["station"], "director"))
            return next((row for row in rows if row["slot"] != old["slot"]), None)

        return wait_until(look, why=self.logs)

    def engines(self, station):
        return [row for row in self.ps() if (row["station"], row["role"]) == (station, "engine")]

    def publish(self, clip, *stations, segment_ms=1000, copies=2):
        """Ingest, distribute and publish; returns the program as `distribution-center ingest --json` printed it."""
        program = self.json("distribution-center", "ingest", clip, "--segment-ms", segment_ms)
        if stations:
            self.run("distribution-center", "distribute", program["program"], *stations, "--copies", copies)
        self.run("distribution-center", "publish", program["program"])
        return program

    def service(self, station):
        """Where a station serves players, whichever blade directs."""
        return next(row["media"] for row in self.ps() if (row["station"], row["slot"]) == (station, None))

    def playlist(self, station, program):
        return f"http://{self.service(station)}/programs/{program}/playlist.m3u8"

    def logs(self):
        """The tails of all logs, for the message of a test that fails."""
        return "\n".join(
            f"== {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in sorted(self.state.glob("logs/*.log"))
        )


def topology(network, *stations, center="main", home="home", providers=(), zones=(), cost=(), facts=()):
    """A topology as YAML: `stations` are (name, slots), `providers` (name, address); zones by name of a station, and
    what else is to be said of one; what a term of the cost counts by its name."""
    zones, cost, facts = dict(zones), dict(cost), dict(facts)
    lines = [f"network: {network}", f"name: test-{network}", "center:", f"  name: {center}", f"  home: {home}"]
    if providers:
        lines.append("  providers:")
    for name, address in providers:
        lines += [f"    - name: {name}", f"      address: {address}"]
    if cost:
        lines += ["  cost:", *(f"    {term}: {weight}" for term, weight in cost.items())]
    lines.append("stations:")
    for name, slots in stations:
        lines += [f"  - name: {name}", f"    slots: {slots}"]
        if name in zones:
            lines.append(f"    zone: {zones[name]}")
        lines += [f"    {fact}: {value}" for fact, value in facts.get(name, {}).items()]
    return "\n".join(lines) + "\n"
