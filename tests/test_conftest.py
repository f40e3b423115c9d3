"""The peer marker keeps its promises: a run of pytest on tests of which some need a command that does not exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TESTS = """
import pytest

@pytest.mark.peer("sh")
def test_peer_is_there(): pass

@pytest.mark.peer("no-such-command", "sh", "nor-this-one")
def test_peers_are_missing(): raise AssertionError("was run")

@pytest.mark.peer("no-such-command")
def test_peer_is_missing(): raise AssertionError("was run")
"""


@pytest.fixture(params=[(), ("-n", "2")], ids=["alone", "in workers"])
def run(tmp_path, request):
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = peer\naddopts = -q -p no:cacheprovider -rs\n")

    def run(text, **environment):
        (tmp_path / "test_peers.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "test_peers.py", *request.param]
        clean = {
            name: value for name, value in os.environ.items() if name not in ("CI", "CPU") and "PYTEST" not in name
        }
        clean["PYTHONPATH"] = str(ROOT)
        done = subprocess.run(
            command, cwd=tmp_path, env=clean | environment, capture_output=True, text=True, timeout=240, check=False
        )
        return done.returncode, done.stdout

    return run


def test_missing_peers_are_skipped_by_name_with_one_line_at_the_end(run):
    code, output = run(TESTS)
    assert code == 0
    assert re.findall(r"^peers missing: .*", output, re.MULTILINE) == [
        "peers missing: no-such-command, nor-this-one (2 tests skipped)"
    ]
    assert "1 passed, 2 skipped" in output


def test_missing_peers_fail_in_ci(run):
    code, output = run(TESTS, CI="true")
    assert code == 1
    assert "1 passed, 2 error" in output
    assert "peers missing: no-such-command, nor-this-one (2 tests failed)" in output


def test_any_skip_fails_in_ci(run):
    tests = "import pytest\ndef test_passes(): pass\n@pytest.mark.skip\ndef test_is_skipped(): pass\n"
    assert run(tests)[0] == 0
    code, output = run(tests, CI="true")
    assert code == 1
    assert "1 skipped, and nothing may be skipped in CI" in output


def test_without_missing_peers_nothing_is_said(run):
    code, output = run("def test_passes(): pass\n", CI="true")
    assert code == 0
    assert "peers missing" not in output


def test_a_file_of_tests_that_leaves_a_process_running_fails(run):
    code, output = run("import subprocess\ndef test_leaves(): subprocess.Popen(['sleep', '20'])\n")
    assert code == 1
    assert "1 passed, 1 error" in output
    assert "name='sleep'" in output


def test_what_a_file_of_tests_costs_is_said_on_request(run):
    busy = (
        "from time import process_time as now\ndef test_works():\n    end = now() + 0.5\n    while now() < end: pass\n"
    )
    _, output = run(busy, CPU="1")
    (spent,) = re.findall(r"^ *([0-9.]+) test_peers.py$", output, re.MULTILINE)
    assert 0.4 < float(spent) < 5
    assert "CPU s" not in run(busy)[1]
