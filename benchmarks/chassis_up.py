"""A chassis of sixteen blades on this laptop: how soon it serves, what memory it takes, what it costs to idle."""

import os
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, show
from benchmarks.network import laptop

TOPOLOGY = "sixteen-blades"
SETTLE_S = 5.0
"""Until the chassis managers have asked every blade what it has: a network that has just come up is not idle."""
IDLE_S = 15.0
IDLE_BOUND = 5.0
"""Per cent of one core, for all processes of the network together."""
BOUND_S = 2.0
"""What was promised of the whole command."""
WARM_BOUND_S = 1.0
"""And of what comes after the parent is warm."""

_IN_OFFICE = re.compile(r"^(\S+ \S+) INFO .*: slot \d+: (?:director|engine) at epoch", re.MULTILINE)
_MIB = 1024 * 1024


def main() -> None:
    """Bring it up once and print."""
    with laptop() as network:
        began_at = time.time()
        network.run("chassis-emulator", "up", TOPOLOGY)
        serving_at = time.time()
        up_s = serving_at - began_at
        rows = network.json("chassis-emulator", "ps")
        warm_s = serving_at - first_fork(rows)
        in_office_s = last_in_office(rows) - first_fork(rows)
        time.sleep(SETTLE_S)
        blade_pids = [row["pid"] for row in rows if row["slot"]]
        everything = [nursery(blade_pids[0]), *children(nursery(blade_pids[0]))]
        before_s = [cpu_s(pid) for pid in everything]
        time.sleep(IDLE_S)
        spent = {pid: (cpu_s(pid) - before) / IDLE_S * 100 for pid, before in zip(everything, before_s, strict=True)}
        engines = [row["pid"] for row in rows if row["role"] == "engine"]
        centers = [row["pid"] for row in rows if row["role"] == "center"]
        environment = (set(everything) - {row["pid"] for row in rows} - {nursery(blade_pids[0])}).pop()
        show(
            Figure(
                figure="16 blades up, all stations serve",
                value=up_s,
                unit="s",
                peer=BOUND_S,
                peer_name="bound",
            ),
            Figure(
                figure="16 blades, first fork to all stations serve",
                value=warm_s,
                unit="s",
                peer=WARM_BOUND_S,
                peer_name="bound",
            ),
            Figure(
                figure="16 blades, first fork to last role taken",
                value=in_office_s,
                unit="s",
                peer=up_s,
                peer_name="the whole command",
            ),
            Figure(
                figure="memory of 16 blades (PSS)",
                value=sum(map(pss_bytes, blade_pids)) / _MIB,
                unit="MiB",
                peer=sum(map(rss_bytes, blade_pids)) / _MIB,
                peer_name="with nothing shared (RSS)",
            ),
            Figure(
                figure="memory of the whole network (PSS)", value=sum(map(pss_bytes, everything)) / _MIB, unit="MiB"
            ),
            Figure(
                figure="idle CPU of one engine",
                value=sum(spent[pid] for pid in engines) / len(engines),
                unit="% of a core",
            ),
            Figure(figure="idle CPU of lines, physics and slots", value=spent[environment], unit="% of a core"),
            Figure(
                figure="idle CPU of the chassis: blades, manager, lines, physics",
                value=sum(spent.values()) - sum(spent[pid] for pid in centers),
                unit="% of a core",
                peer=IDLE_BOUND,
                peer_name="bound",
            ),
            Figure(figure="idle CPU of the whole network", value=sum(spent.values()), unit="% of a core"),
        )


def last_in_office(rows: list[dict[str, Any]]) -> float:
    """When the last blade acknowledged its role to the chassis manager, as its log has it; seconds since 1970."""
    manager = next(row for row in rows if row["role"] == "chassis_manager")
    times = _IN_OFFICE.findall(Path(manager["log"]).read_text())
    return max(datetime.fromisoformat(text.replace(",", ".")).astimezone().timestamp() for text in times)


def first_fork(rows: list[dict[str, Any]]) -> float:
    """When the first blade was born; seconds since 1970."""
    return min(birth(row["pid"]) for row in rows if row["slot"])


def birth(pid: int) -> float:
    """proc_pid_stat(5), starttime: ticks since boot."""
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    age_s = uptime_s - int(fields(pid)[19]) / os.sysconf("SC_CLK_TCK")
    return time.time() - age_s


def cpu_s(pid: int) -> float:
    """What the threads of a process have run; /proc/<pid>/task/<tid>/schedstat, which counts nanoseconds."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def nursery(blade: int) -> int:
    """The process that forks all others of the network."""
    return int(fields(blade)[1])


def children(pid: int) -> list[int]:
    """The processes that a process has forked."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def fields(pid: int) -> list[str]:
    """What stands after the name in /proc/<pid>/stat."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def pss_bytes(pid: int) -> int:
    """Its memory, with its share of what it shares."""
    return rollup_bytes(pid, "Pss")


def rss_bytes(pid: int) -> int:
    """Its memory, with all of what it shares."""
    return rollup_bytes(pid, "Rss")


def rollup_bytes(pid: int, name: str) -> int:
    """A line of /proc/<pid>/smaps_rollup."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


if __name__ == "__main__":
    main()
