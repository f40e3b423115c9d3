"""What all tests share: other people's commands as peers, and free loopback ports.

A test marked `@pytest.mark.peer("ffmpeg")` needs that command. Where it is missing the test is skipped by name and the
summary says so in one line; with `CI=true` it fails, and so does a run in which anything at all was skipped.
"""

import os
import shutil
import socket
from collections import Counter
from collections.abc import Callable

import pytest

MISSING = "peer missing"
IN_CI = os.environ.get("CI") == "true"


def pytest_runtest_setup(item):
    needed = [command for marker in item.iter_markers("peer") for command in marker.args]
    missing = [command for command in dict.fromkeys(needed) if shutil.which(command) is None]
    if not missing:
        return
    # The reports of a test carry its properties, also from the workers of pytest-xdist.
    item.user_properties.extend((MISSING, command) for command in missing)
    verdict = pytest.fail if IN_CI else pytest.skip
    verdict(f"{MISSING}: {', '.join(missing)}")


def pytest_terminal_summary(terminalreporter):
    tests, commands = 0, Counter()
    for report in (r for kind in ("skipped", "failed", "error") for r in terminalreporter.stats.get(kind, [])):
        missing = {value for name, value in getattr(report, "user_properties", ()) if name == MISSING}
        tests += bool(missing)
        commands.update(missing)
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


@pytest.fixture
def free_port() -> Callable[..., int]:
    """Find a port that nobody holds on a loopback host, neither for TCP nor for UDP; each call another."""
    given = set()

    def find(host="127.0.0.1"):
        while True:
            with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
                stream.bind((host, 0))
                port = stream.getsockname()[1]
                try:
                    datagrams.bind((host, port))
                except OSError:
                    continue
            if port not in given:
                given.add(port)
                return port

    return find
