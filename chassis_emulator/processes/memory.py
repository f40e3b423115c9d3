"""Memory of a process, seen from outside."""

import re
from pathlib import Path

_PSS = re.compile(rb"^Pss:\s+(\d+) kB$", re.MULTILINE)


def pss_bytes(pid: int) -> int:
    """Memory of a process, its share of shared pages included (proc_pid_smaps(5), Pss); 0 when it is gone."""
    try:
        found = _PSS.search(Path(f"/proc/{pid}/smaps_rollup").read_bytes())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
