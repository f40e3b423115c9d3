"""What all tests share: other people's commands as peers, free loopback ports, and workers that share the tests.

A test marked `@pytest.mark.peer("ffmpeg")` needs that command. Where it is missing the test is skipped by name and the
summary says so in one line; with `CI=true` it fails, and so does a run in which anything at all was skipped.
"""

import logging
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from zlib import crc32

import psutil
import pytest
from hypothesis import settings

from tests import addresses

APART = (
    "tests/chassis_emulator/simulation/test_story.py",
    "tests/chassis_emulator/simulation/test_speed_slips.py",
    "tests/chassis_emulator/simulation/test_exchange_story.py",
    "tests/explorer/",
    "tests/power_cut/",
)
TOGETHER = ("tests/claims/",)
"""Folders whose tests share what they bring up."""
LONG = ("tests/claims/", "tests/end_to_end/", "tests/chassis_emulator/campaign/", *APART, "tests/test_wheel.py")
NODE_MODULES = Path(__file__).parents[1] / ".venv" / "npm"
"""Where make puts them."""
MISSING = "peer missing"
SAID = "said"
"""A property with a line that the summary shows: what a test has seen that a person wants to know."""
IN_CI = os.environ.get("CI") == "true"
CPU = "cpu"
"""A property with the CPU seconds of a test, its processes among them once they have ended, where CPU=1 asks for it."""
MEASURES_CPU = os.environ.get(CPU.upper()) == "1"
CPU_FILES = 40
CPU_S = pytest.StashKey[float]()

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_runtest_setup(item):
    needed = [command for marker in item.iter_markers("peer") for command in marker.args]
    missing = [command for command in dict.fromkeys(needed) if not is_there(command)]
    if not missing:
        return
    # The reports of a test carry its properties, also from the workers of pytest-xdist.
    item.user_properties.extend((MISSING, command) for command in missing)
    verdict = pytest.fail if IN_CI else pytest.skip
    verdict(f"{MISSING}: {', '.join(missing)}")


@cache
def is_there(peer: str) -> bool:
    """Whether this machine has a command; `perl Net::SNMP` is a module of one, `node hls-parser` one that make gets.

    What begins with a stroke is a file.
    """
    command, _, module = peer.partition(" ")
    if command.startswith("/"):
        return Path(command).is_file()
    if shutil.which(command) is None:
        return False
    if command == "node":
        return not module or (NODE_MODULES / module / "package.json").is_file()
    return (
        not module or subprocess.run([command, f"-M{module}", "-e1"], capture_output=True, check=False).returncode == 0
    )


def cpu_s_so_far() -> float:
    """CPU seconds of this process and of those it has waited for, in user and in system mode."""
    return sum(os.times()[:4])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    """What a phase has cost goes with its report; what a file brings up, with its first test, or its last."""
    if MEASURES_CPU:
        so_far = cpu_s_so_far()
        item.user_properties.append((CPU, so_far - item.config.stash.get(CPU_S, so_far)))
        item.config.stash[CPU_S] = so_far


def unit(nodeid: str) -> str:
    """What one worker does as a whole: a file, whose tests share what they bring up; but seeds share nothing."""
    if nodeid.startswith(APART):
        return nodeid
    return next((folder for folder in TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])


def in_working_order(item) -> tuple[bool, int]:
    """Long ones first, so that none is left for the end; mixed, so that those that wait run beside those that work."""
    return not item.nodeid.startswith(LONG), crc32(unit(item.nodeid).encode())


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        items.sort(key=in_working_order)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling

    class Units(LoadScopeScheduling):
        _split_scope = staticmethod(unit)

    config.option.loadscopereorder = False
    return Units(config, log)


def cpu_table(reports) -> Iterator[str]:
    """The files that cost most, and what all cost: CPU seconds, a file a line."""
    files: Counter[str] = Counter()
    for report in reports:
        spent = sum(value for name, value in report.user_properties if name == CPU)
        files[report.nodeid.partition("::")[0]] += spent
    yield f"{files.total():8.1f} CPU s in tests (what workers import and collect, and orphans, not counted)"
    yield from (f"{spent:8.1f} {file}" for file, spent in files.most_common(CPU_FILES))


def pytest_terminal_summary(terminalreporter):
    if MEASURES_CPU:
        ends = (report for reports in terminalreporter.stats.values() for report in reports)
        for line in cpu_table(report for report in ends if getattr(report, "when", "") == "teardown"):
            terminalreporter.write_line(line)
    tests, commands = 0, Counter()
    for report in (r for kind in ("skipped", "failed", "error") for r in terminalreporter.stats.get(kind, [])):
        missing = {value for name, value in getattr(report, "user_properties", ()) if name == MISSING}
        tests += bool(missing)
        commands.update(missing)
    for report in terminalreporter.stats.get("passed", []):
        for line in (value for name, value in getattr(report, "user_properties", ()) if name == SAID):
            terminalreporter.write_line(line)
    if tests:
        fate = "failed" if IN_CI else "skipped"
        terminalreporter.write_line(f"peers missing: {', '.join(sorted(commands))} ({tests} tests {fate})")


def pytest_sessionfinish(session):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not IN_CI or reporter is None:
        return
    skipped = len(reporter.stats.get("skipped", []))
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"CI=true: {skipped} skipped, and nothing may be skipped in CI")


@pytest.fixture(scope="session", autouse=True)
def _nothing_is_left_in_a_persons_folders(tmp_path_factory) -> Iterator[None]:
    """What commands keep where nobody names a folder, such as which networks there are, is the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state-home")))
        yield


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    """A file of tests ends the processes it has started, and need not know of any others."""
    before = set(psutil.Process().children())
    yield
    left = [child for child in set(psutil.Process().children()) - before if child.status() != psutil.STATUS_ZOMBIE]
    assert not left


@pytest.fixture(autouse=True)
def _nothing_goes_on_in_the_log() -> Iterator[None]:
    """A command that a test runs in this process logs as commands do, and no longer than that test."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    for handler in set(root.handlers).difference(handlers):
        root.removeHandler(handler)


@pytest.fixture
def free_port() -> Callable[..., int]:
    """Find a port that nobody holds on a loopback host, neither for TCP nor for UDP; each call another."""
    return addresses.free_port
