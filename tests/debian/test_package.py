"""The Debian package of a blade: the same octets each time, for both architectures, and a blade runs from it."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.addresses import free_port
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
FILES = ROOT / "debian" / "files"
WHEELS = ROOT / ".venv" / "wheels"
PYTHON = "/usr/bin/python3"
MACHINES = {"amd64": 0x3E, "arm64": 0xB7}
"""e_machine of elf(5)."""
EXPOSURE_MAX = "20"
"""Tenths: 2.0."""
UNITS = ("media-station-blade.service", "media-station-chassis.service")

fetched = pytest.mark.peer(str(WHEELS / "ready"), "dpkg-deb")
"""`make test` fetches the wheels."""


def build(arch, output, **environment):
    command = [sys.executable, "debian/package.py", arch, str(WHEELS), str(output)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True, capture_output=True, timeout=280)
    (package,) = output.iterdir()
    return package


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return build("amd64", tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="module")
def tree(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "-x", str(package), str(folder)], check=True, timeout=120)
    return folder


@fetched
def test_the_same_commit_makes_the_same_octets(package, tmp_path):
    """Whoever makes it, when, and with which umask, language and place."""
    before = os.umask(0o077)
    try:
        again = build(
            "amd64", tmp_path, TZ="Pacific/Kiritimati", LC_ALL="C", PYTHONHASHSEED="7", TMPDIR=str(tmp_path.parent)
        )
    finally:
        os.umask(before)
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(package.read_bytes()).digest()


def control_of(package, field):
    command = ["dpkg-deb", "--field", str(package), field]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout.strip()


def machines_in(folder):
    for path in folder.rglob("*.so"):
        octets = path.read_bytes()[:20]
        assert octets[:4] == b"\x7fELF"
        yield octets[18]


@fetched
def test_each_architecture_has_its_own_machine_code_and_only_that(tree, tmp_path):
    other = build("arm64", tmp_path / "output")
    assert control_of(other, "Architecture") == "arm64"
    subprocess.run(["dpkg-deb", "-x", str(other), str(tmp_path / "tree")], check=True, timeout=120)
    for arch, folder in (("amd64", tree), ("arm64", tmp_path / "tree")):
        found = set(machines_in(folder))
        assert found == {MACHINES[arch]}


@fetched
def test_only_what_a_blade_runs_is_in_it(tree):
    library = tree / "usr/lib/media-station"
    names = {path.name for path in library.iterdir()}
    assert {"blade_agent", "media_network", "aiohttp", "cryptography", "msgspec", "pysnmp"} <= names
    assert not names & {"chassis_emulator", "distribution_center", "tests", "av", "yaml", "zstandard", "pip"}
    assert (library / "blade_agent/_data/hw_profiles/compute-blade-cm4.toml").is_file()
    assert [path for path in library.rglob("*") if path.name in ("tests", "__pycache__") or path.suffix == ".pyx"] == []
    licensed = {path.parents[0].name for path in library.rglob("*") if "licen" in path.name.lower()}
    assert len(licensed) > 5


@fetched
def test_what_is_installed_belongs_to_root_and_is_summed(package):
    listed = subprocess.run(
        ["dpkg-deb", "-c", str(package)], check=True, capture_output=True, text=True, timeout=60
    ).stdout
    rows = listed.splitlines()
    assert {row.split()[1] for row in rows} == {"root/root"}
    assert {row.split()[0] for row in rows} == {"drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"}
    assert [row.split()[5] for row in rows if row.startswith("-rwx")] == ["./usr/bin/blade-agent"]
    assert control_of(package, "Version") == "0.1.0"


def run(tree, *words, environment=None, **more):
    """The command of the package, by Debian's own Python, from where it was unpacked."""
    script = (tree / "usr/bin/blade-agent").read_text().replace('"/usr/', f'"{tree}/usr/')
    as_started = "import os, sys\nsys.argv[0] = 'blade-agent'\nos.environ['LISTEN_PID'] = str(os.getpid())\n"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.Popen(
        [PYTHON, "-I", "-c", as_started + script, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean | (environment or {}),
        **more,
    )


@fetched
@pytest.mark.peer(PYTHON)
def test_its_command_says_its_version_and_its_profiles(tree):
    for words, said in ((("--version",), "blade-agent, version 0.1.0"), (("profile", "list"), "compute-blade-cm4")):
        process = run(tree, *words)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, said in out) == (0, True), err


@pytest.fixture
def systemd(tmp_path):
    """What listens where a service says that it works."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)
        yield listening


@fetched
@pytest.mark.peer(PYTHON)
def test_a_blade_runs_from_it_as_systemd_starts_it(tree, tmp_path, systemd):
    """It says that it works and goes on, and answers SNMP at a socket that was bound for it."""
    (tmp_path / "segments").mkdir()
    settings = tmp_path / "blade.toml"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as snmp:
        snmp.bind(("127.0.0.1", 0))
        port = snmp.getsockname()[1]
        settings.touch(0o600)
        settings.write_text(
            f'slot = 2\naddress = "127.0.0.1"\nbackplane = "udp:127.0.0.1:{free_port()}"\n'
            f"media_port = {free_port()}\ncontrol_port = {free_port()}\n"
            f'state = "{tmp_path / "state"}"\nchannels = ["{tmp_path / "segments"}"]\nprofile = "generic-x86"\n'
            f'watchdog = false\n[snmp]\nhost = "127.0.0.1"\nport = {port}\n'
            '[[snmp.communities]]\ncommunity = "of-a-test"\ngroup = "read-only"\n'
        )
        started = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "300000", "LISTEN_FDS": "1"}
        process = run(
            tree, "run", "--settings", str(settings), environment=started,
            preexec_fn=lambda: os.dup2(snmp.fileno(), 3), pass_fds=(3,),
        )  # fmt: skip
        try:
            assert [systemd.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
            said = next(line for line in process.stderr if "SNMP managers are" in line)
            assert f"SNMP managers are answered at 127.0.0.1:{port}" in said
        finally:
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert out.startswith("blade in slot 2: Any x86-64 board or virtual machine, agent 0.1.0")


# Units, users, folders, rules


@pytest.mark.peer("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_exposes_little(unit):
    command = ["systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", str(FILES / unit)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 0, finished.stdout[-400:]


@pytest.mark.peer("systemd-analyze")
def test_systemd_understands_every_line(tmp_path):
    """Unknown keys and values are warned about."""
    for path in [*FILES.glob("*.service"), *FILES.glob("*.socket")]:
        (tmp_path / path.name).write_text(path.read_text().replace("/usr/bin/blade-agent", "/bin/true"))
    command = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_told_that_the_agent_works(unit):
    text = (FILES / unit).read_text()
    assert "\nType=notify\n" in text
    assert re.search(r"^WatchdogSec=\d+$", text, re.MULTILINE)
    assert "\nUser=media-station\n" in text


@pytest.mark.peer("systemd-sysusers", "systemd-tmpfiles")
def test_its_user_and_folders_are_made(tmp_path):
    for name, folder in (("sysusers", "usr/lib/sysusers.d"), ("tmpfiles", "usr/lib/tmpfiles.d")):
        (tmp_path / folder).mkdir(parents=True)
        shutil.copy(FILES / f"media-station.{name}", tmp_path / folder / "media-station.conf")
    (tmp_path / "etc").mkdir()
    for command in (["systemd-sysusers"], ["systemd-tmpfiles", "--create"]):
        words = [*command, f"--root={tmp_path}", "media-station.conf"]
        finished = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
        assert finished.returncode == 0, finished.stderr
    assert "media-station:x:" in (tmp_path / "etc/passwd").read_text()
    assert re.search(r"^dialout:.*media-station", (tmp_path / "etc/group").read_text(), re.MULTILINE)
    assert (tmp_path / "var/lib/media-station/segments").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "etc/media-station").stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_a_maintainer_script_is_one_of_sh(name):
    subprocess.run(["sh", "-n", str(FILES / name)], check=True, timeout=60)


def test_the_lock_file_has_what_the_project_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    rows = (ROOT / "debian/requirements.lock").read_text()
    locked = dict(re.findall(r"^([a-z0-9_-]+)==(\S+) \\$", rows, re.MULTILINE))
    for line in asked:
        name, _, least = line.partition(">=")
        numbers = [int(part) for part in re.findall(r"\d+", locked[name])]
        assert numbers >= [int(part) for part in least.split(".")], line
    assert rows.count("--hash=sha256:") >= len(locked)
