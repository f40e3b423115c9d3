"""The wheels of others that a blade runs on: which ones, by version and digest, and fetching them.

python debian/wheels.py lock           asks pip for the newest that pyproject.toml allows, and writes the lock file
python debian/wheels.py fetch FOLDER   has the locked ones in FOLDER, a folder an architecture; asks nobody if they are
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "requirements.lock"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Debian's word for an architecture, and that of wheels."""
_GLIBC_MINORS = (36, 34, 28, 17)
"""Debian 12 has glibc 2.36: what is made for an older one runs there (PEP 600)."""
_PYTHON = "3.11"
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_HEAD = f"""\
# What a blade runs on, by version and digest: Python {_PYTHON}, {" and ".join(MACHINES)}.
# Made by `python debian/wheels.py lock` of the dependencies in pyproject.toml.
"""


def pip(command: str, arch: str, *words: str) -> None:
    """Run pip for another machine: it takes wheels only, and runs nothing of theirs."""
    platforms = [f"manylinux_2_{minor}_{MACHINES[arch]}" for minor in _GLIBC_MINORS] + [
        f"manylinux2014_{MACHINES[arch]}"
    ]
    target = [word for platform in platforms for word in ("--platform", platform)]
    target += [
        "--python-version",
        _PYTHON,
        "--implementation",
        "cp",
        "--abi",
        "cp311",
        "--abi",
        "abi3",
        "--abi",
        "none",
    ]
    quiet = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    subprocess.run([sys.executable, "-m", "pip", command, *quiet, *target, *words], check=True)


def lock() -> None:
    """Write the lock file."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    digests: dict[str, set[str]] = {}
    for arch in MACHINES:
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            words = ("--dry-run", "--ignore-installed", "--target", folder, "--report", str(report))
            pip("install", arch, *words, *project["dependencies"])
            for one in json.loads(report.read_text())["install"]:
                name = f"{one['metadata']['name'].lower()}=={one['metadata']['version']}"
                digests.setdefault(name, set()).add(one["download_info"]["archive_info"]["hashes"]["sha256"])
    rows = (
        " \\\n    ".join((name, *(f"--hash=sha256:{each}" for each in sorted(found))))
        for name, found in digests.items()
    )
    LOCK.write_text(_HEAD + "\n".join(sorted(rows)) + "\n")


def locked_digests() -> frozenset[str]:
    """Every digest that the lock file knows."""
    return frozenset(_HASH.findall(LOCK.read_text()))


def locked_count() -> int:
    """How many wheels an architecture has."""
    return sum("==" in line for line in LOCK.read_text().splitlines())


def wheels_of(folder: Path, arch: str) -> list[Path]:
    """The locked wheels of an architecture that are there, each with a digest that the lock file knows, by name."""
    known = locked_digests()
    there = sorted((folder / arch).glob("*.whl"))
    return [path for path in there if hashlib.sha256(path.read_bytes()).hexdigest() in known]


def fetch(folder: Path) -> None:
    """Have all of them. Raises CalledProcessError: pip cannot have one, or one is not what was locked."""
    for arch in MACHINES:
        if len(wheels_of(folder, arch)) < locked_count():
            words = ("--no-deps", "--require-hashes", "--requirement", str(LOCK), "--dest", str(folder / arch))
            pip("download", arch, *words)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["lock"]:
            lock()
        case ["fetch", folder]:
            fetch(Path(folder))
        case _:
            sys.exit(__doc__)
