"""The wheel as a blade gets it: built, installed in an empty venv with the base dependencies alone, and at work."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from chassis_emulator.lines.emulated_line import open_line
from media_network.status import ProcessStatus, read_status
from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
BAUD_RATE = 115_200
COMMANDS = ("blade-agent", "chassis-emulator", "distribution-center", "media-console")
UNTOLD = ProcessStatus(pid=0, role="", state="")


SECRET = b"nobody-else-may-know-this"
PLANTED = (
    "nms.toml",
    ".env",
    "notes.txt",
    "state/credentials.json",
    "state/logs/north.1.log",
    "blade_agent/settings.local.toml",
    "blade_agent/credentials.json",
    "media_network/id_rsa",
    "media_network/pages/shared/token",
    "chassis_emulator/panel/page/server.pem",
    "distribution_center/registry.sqlite",
    "distribution_center/network_management/page/notes.txt",
    "hw_profiles/blade.toml",
    "mibs/nms/nms.toml",
    "mibs/password",
    "examples/credentials.json",
    "docs/operations/center.toml",
    "benchmarks/token",
    "tests/token",
    "tests/golden/messages/token",
)
"""Where people leave secrets when they work in a checkout."""


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A folder with sdist and wheel of a checkout in which secrets lie about; the wheel is made of the sdist."""
    checkout, folder = tmp_path_factory.mktemp("checkout") / "media-station", tmp_path_factory.mktemp("packed")
    left_out = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "dist", "build")
    shutil.copytree(ROOT, checkout, ignore=left_out)
    for name in PLANTED:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_bytes(SECRET)
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, checkout)
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    return folder


def test_nothing_with_a_secret_is_packed(packed):
    (sdist,), (wheel,) = packed.glob("*.tar.gz"), packed.glob("*.whl")
    with tarfile.open(sdist) as archive:
        files = {name.name: archive.extractfile(name).read() for name in archive if name.isfile()}
    with zipfile.ZipFile(wheel) as archive:
        files |= {f"wheel: {name}": archive.read(name) for name in archive.namelist()}
    assert len(files) > 1000
    # This file names the secret itself.
    assert [
        name for name, octets in files.items() if SECRET in octets and not name.endswith("tests/test_wheel.py")
    ] == []


def test_the_sdist_has_all_that_is_needed_to_work_on_it(packed):
    (sdist,) = packed.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.name.partition("/")[2] for name in archive if name.isfile()}
    for room in (
        "media_network",
        "blade_agent",
        "chassis_emulator",
        "distribution_center",
        "tests",
        "docs",
        "examples",
    ):
        there = {str(path.relative_to(ROOT)) for path in (ROOT / room).rglob("*") if path.is_file()}
        missing = {name for name in there - names if "__pycache__" not in name}
        assert not missing, f"pyproject.toml does not name what {missing} are"


@pytest.fixture(scope="module")
def blade(packed, tmp_path_factory):
    """The `bin` folder of a venv with the wheel and nothing beyond what it requires."""
    folder = tmp_path_factory.mktemp("blade")
    (wheel,) = packed.glob("*.whl")
    venv.create(folder / "venv", with_pip=True)
    bin_folder = folder / "venv" / "bin"
    install = (bin_folder / "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    subprocess.run(install, check=True, timeout=110)
    return bin_folder


def run(blade, command, *arguments):
    """Run a command as on a machine where there is no checkout."""
    return subprocess.run(
        [blade / command, *map(str, arguments)],
        cwd=blade,
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


def bare_environment():
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}


def test_the_base_install_brings_nothing_that_a_blade_does_not_need(blade):
    probe = (
        "import importlib.util as u, json;"
        "print(json.dumps([n for n in ('apsw', 'av', 'yaml', 'pytest', 'aiohttp') if u.find_spec(n)]))"
    )
    assert json.loads(run(blade, "python", "-c", probe)) == ["apsw", "aiohttp"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_are_there(blade, command):
    assert os.access(blade / command, os.X_OK)


def test_the_agent_says_its_version(blade):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert run(blade, "blade-agent", "--version").split()[-1] == version


def test_the_data_folders_travelled(blade):
    probe = (
        "from blade_agent.data import data_folder;"
        "import importlib.util as u; from pathlib import Path;"
        "print(data_folder('mibs'));"
        "print(data_folder('hw_profiles'));"
        "print(Path(u.find_spec('chassis_emulator').origin).parent / '_data' / 'examples')"
    )
    folders = [Path(line) for line in run(blade, "python", "-c", probe).splitlines()]
    for folder, source in zip(folders, ("mibs", "hw_profiles", "examples"), strict=True):
        assert folder.is_relative_to(blade.parent)
        expected = files_in(ROOT / source)
        assert files_in(folder) == expected
        assert expected


def test_the_pages_travelled(blade):
    probe = "import importlib.util as u; print(u.find_spec('media_network').origin)"
    installed = Path(run(blade, "python", "-c", probe).strip()).parents[1]
    assert installed.is_relative_to(blade.parent)
    for room in (
        "media_network/pages/shared",
        "chassis_emulator/panel/page",
        "distribution_center/network_management/page",
        "distribution_center/page/files",
        "blade_agent/main_board/director/doors/page",
    ):
        expected = files_in(ROOT / room)
        assert files_in(installed / room) == expected
        assert expected


def files_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_agent_lists_its_hardware_profiles(blade):
    listed = json.loads(run(blade, "blade-agent", "profile", "list", "--json"))
    assert [row["profile"] for row in listed] == sorted(path.stem for path in (ROOT / "hw_profiles").glob("*.toml"))


def test_the_agent_becomes_director_by_the_word_of_its_chassis_manager(blade, tmp_path, free_port):
    """A blade and a management board with a serial line between them, both as the wheel has them."""
    media_port, control_port = free_port(), free_port()

    async def story():
        async with AsyncExitStack() as stack:
            line = stack.enter_context(open_line(BAUD_RATE))
            for disk in ("disk-1", "disk-2"):
                (tmp_path / disk).mkdir()
            blade_settings = tmp_path / "blade.toml"
            blade_settings.write_text(f"""\
                slot = 1
                address = "127.0.0.1"
                media_port = {media_port}
                control_port = {control_port}
                backplane = "{line.blade_path}"
                state = "{tmp_path}/state"
                channels = ["{tmp_path}/disk-1", "{tmp_path}/disk-2"]
            """)
            chassis_settings = tmp_path / "chassis.toml"
            chassis_settings.write_text(f"""\
                station = "north"
                epoch_file = "{tmp_path}/epoch"

                [slots.1]
                type = "serial"
                path = "{line.manager_path}"
            """)
            agent = await stack.enter_async_context(running(blade, "run", blade_settings, tmp_path))
            manager = await stack.enter_async_context(running(blade, "manage", chassis_settings, tmp_path))
            await answers_as("media director", f"http://127.0.0.1:{media_port}/openapi.json", agent, manager)
            async with asyncio.timeout(PATIENCE_S):
                while (read_status(tmp_path / "state") or UNTOLD).role != "director":  # noqa: ASYNC110 -- another process sets no event
                    await asyncio.sleep(0.05)

    asyncio.run(story())
    assert (tmp_path / "epoch").read_text().startswith("1\n")


@asynccontextmanager
async def running(blade, verb, settings, folder):
    """`blade-agent` in a process of its own, ended in good order."""
    log = folder / f"{verb}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(blade / "blade-agent", verb, "--settings", settings),
            cwd=blade,
            env=bare_environment(),
            stdout=output,
            stderr=output,
        )
    process.log = log
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        assert await process.wait() == 0, log.read_text()
        assert "Traceback" not in log.read_text()


async def answers_as(title, url, *processes):
    """Return when the blade answers, and as that."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(PATIENCE_S):
        while True:
            for process in processes:
                assert process.returncode is None, process.log.read_text()
            try:
                async with http.get(url) as answer:
                    if (await answer.json())["info"]["title"] == title:
                        return
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.05)
