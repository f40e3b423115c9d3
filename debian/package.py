"""Makes the Debian package of a blade: `python debian/package.py ARCH WHEELS OUTPUT`; the same inputs, the same octets.

What is in it: our own code that a blade runs, the locked wheels of others (all but what only developing takes), units,
rules, and documents. Nothing of it is run while it is made, so that any machine makes it for any architecture.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from wheels import HERE, MACHINES, locked_count, wheels_of

ROOT = HERE.parent
NAME = "media-station-blade"
LIBRARY = PurePosixPath("usr/lib/media-station")
OURS = ("media_network", "blade_agent")
DATA = {"mibs": "blade_agent/_data/mibs", "hw_profiles": "blade_agent/_data/hw_profiles"}
_CODE = frozenset({".py", ".js", ".css", ".html", ".svg", ".toml", ".txt", ".md"})
_FILES = {
    "media-station-blade.service": "lib/systemd/system",
    "media-station-blade-snmp.socket": "lib/systemd/system",
    "media-station-chassis.service": "lib/systemd/system",
    "60-media-station.rules": "lib/udev/rules.d",
}
_RENAMED = {
    "media-station.sysusers": "usr/lib/sysusers.d/media-station.conf",
    "media-station.tmpfiles": "usr/lib/tmpfiles.d/media-station.conf",
}
_DOCUMENTS = ("LICENSE", "README.md", "CHANGELOG.md", "SECURITY.md", "docs")
_ONLY_DEVELOPING = frozenset({"tests", "test", "testing"})
_SOURCES = frozenset({".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".hash"})
_SCRIPT = f"""\
#!/usr/bin/python3 -I
import sys

sys.path.insert(0, "/{LIBRARY}")
from blade_agent.entry import main

main()
"""
_METADATA = "Metadata-Version: 2.1\nName: media-station\nVersion: {version}\n"
_CONTROL = """\
Package: {name}
Version: {version}
Architecture: {arch}
Maintainer: The media station's maintainers <root@localhost>
Installed-Size: {kib}
Depends: python3 (>= 3.11~), python3 (<< 3.12), libc6 (>= 2.36), systemd, udev
Section: net
Priority: optional
Description: agent of a blade in a media station
 What is flashed onto a Linux single-board-computer blade: its chassis blade
 controller, media director and media engine, and the chassis manager.
"""


def main(arch: str, wheels: Path, output: Path) -> Path:
    """Make the package of an architecture."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        _bring_wheels(tree / LIBRARY, arch, wheels)
        _bring_ours(tree / LIBRARY, version)
        _bring_files(tree)
        _control(tree, version, arch)
        moment = _moment()
        _make_alike(tree, moment)
        output.mkdir(parents=True, exist_ok=True)
        package = output / f"{NAME}_{version}_{arch}.deb"
        # The number of threads says where xz begins a new block.
        command = [
            "dpkg-deb",
            "--root-owner-group",
            "-Zxz",
            "-z1",
            "--threads-max=1",
            "--build",
            str(tree),
            str(package),
        ]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(moment)}
        subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return package


def _moment() -> int:
    """Seconds since 1970 that all files bear: what the environment says, or the last commit's, or none."""
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(said)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(found.stdout) if found.returncode == 0 and found.stdout.strip() else 0


def _bring_wheels(library: Path, arch: str, wheels: Path) -> None:
    found = wheels_of(wheels, arch)
    if len(found) != locked_count():
        sys.exit(f"{wheels / arch} has {len(found)} of {locked_count()} wheels: python debian/wheels.py fetch {wheels}")
    for wheel in found:
        with zipfile.ZipFile(wheel) as archive:
            for entry in archive.infolist():
                path = PurePosixPath(entry.filename)
                if entry.is_dir() or path.is_absolute() or ".." in path.parts or not _is_run(path):
                    continue
                target = library / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(entry))


def _is_run(path: PurePosixPath) -> bool:
    """Whether a blade needs it: no tests, no sources of what is compiled, no scripts; licences stay."""
    top = path.parts[0]
    if top.endswith(".data"):
        return False
    if top.endswith(".dist-info"):
        return path.name == "METADATA" or "licen" in str(path).lower()
    return not _ONLY_DEVELOPING & set(path.parts[:-1]) and path.suffix not in _SOURCES


def _bring_ours(library: Path, version: str) -> None:
    for package in OURS:
        for path in _kept(ROOT / package, _CODE):
            if path.parts[:2] != ("blade_agent", "_data"):
                _copy(ROOT / path, library / path)
    for folder, inside in DATA.items():
        for path in _kept(ROOT / folder, _CODE):
            _copy(ROOT / path, library / inside / path.relative_to(folder))
    player = ROOT / "blade_agent/_data/player"
    for path in sorted(player.glob("*")):  # What `make player` gets, if it was there.
        _copy(path, library / "blade_agent/_data/player" / path.name)
    information = library / f"media_station-{version}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(_METADATA.format(version=version))


def _bring_files(tree: Path) -> None:
    script = tree / "usr/bin/blade-agent"
    script.parent.mkdir(parents=True)
    script.write_text(_SCRIPT)
    script.chmod(0o755)
    for name, folder in _FILES.items():
        _copy(HERE / "files" / name, tree / folder / name)
    for name, path in _RENAMED.items():
        _copy(HERE / "files" / name, tree / path)
    documents = tree / "usr/share/doc" / NAME
    for name in _DOCUMENTS:
        if (ROOT / name).is_file():
            _copy(ROOT / name, documents / ("copyright" if name == "LICENSE" else name))
        for path in _kept(ROOT / name, frozenset({".md"})):
            _copy(ROOT / path, documents / path)


def _control(tree: Path, version: str, arch: str) -> None:
    control = tree / "DEBIAN"
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    sums = (
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(tree)}\n"
        for path in files
    )
    kib = sum(-(-path.stat().st_size // 1024) for path in files)
    control.mkdir()
    (control / "md5sums").write_text("".join(sums))
    (control / "control").write_text(_CONTROL.format(name=NAME, version=version, arch=arch, kib=kib))
    for name in ("postinst", "prerm", "postrm"):
        _copy(HERE / "files" / name, control / name)
        (control / name).chmod(0o755)


def _kept(folder: Path, kinds: frozenset[str]) -> Iterator[Path]:
    """Files of these kinds below a folder, from the root of the project, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in kinds and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _make_alike(tree: Path, moment: int) -> None:
    """Permissions and times that say nothing of who made it, and when."""
    for path in sorted(tree.rglob("*"), reverse=True):
        executable = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if executable else 0o644)
        os.utime(path, (moment, moment))
    tree.chmod(0o755)
    os.utime(tree, (moment, moment))


if __name__ == "__main__":
    match sys.argv[1:]:
        case [arch, wheels, output] if arch in MACHINES:
            print(main(arch, Path(wheels), Path(output)))
        case _:
            sys.exit(__doc__)
