"""Time from a player's request to its first byte of a segment that only another station holds, beside one that is here.

On a real network of processes. Each segment of the program is asked for twice, by a player that follows the redirect:
first it has to be brought, then it is here. Segments lie so far apart that nothing is brought ahead of its request.
"""

import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from urllib.request import urlopen

from benchmarks.figure import Figure, show
from benchmarks.network import CLIP, Network, laptop

TOPOLOGY = """\
network: 253
name: on-demand
center: {name: main, home: home}
stations:
  - {name: home, slots: 2}
  - {name: south, slots: 3}
"""
SEGMENT_MS = 200
EVERY = 5
"""Every fifth segment: three are brought ahead."""
_COPIED_S = 1.0
_SESSION = "b" * 24


def main() -> None:
    """Ask for segments and print."""
    with laptop() as network, tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "topology.yaml"
        plan.write_text(TOPOLOGY)
        network.run("chassis-emulator", "up", plan)
        program = network.json("distribution-center", "ingest", CLIP, "--segment-ms", SEGMENT_MS)
        network.run("distribution-center", "publish", program["program"])
        urls = [
            f"http://{door(network)}/programs/{program['program']}/{number}.ts?session={_SESSION}"
            for number in range(0, program["segments"], EVERY)
        ]
        brought = [first_byte_ms(url) for url in urls]
        sleep(_COPIED_S)
        here = [first_byte_ms(url) for url in urls]
    show(
        Figure(
            figure="request to first byte, from another station",
            value=median(brought),
            unit="ms",
            peer=median(here),
            peer_name="a segment that is here",
            runs=len(urls),
        )
    )


def door(network: Network) -> str:
    """Where `south` serves players."""
    rows = network.json("chassis-emulator", "ps")
    return str(next(row["media"] for row in rows if (row["station"], row["slot"]) == ("south", None)))


def first_byte_ms(url: str) -> float:
    """Follow the redirect, and wait for the first byte."""
    began_s = perf_counter()
    with urlopen(url, timeout=30) as response:
        response.read(1)
        took_s = perf_counter() - began_s
        response.read()
    return took_s * 1000


if __name__ == "__main__":
    main()
