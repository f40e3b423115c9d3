"""The table is whole: a module that makes files durable is in it, or says why it need not be."""

import ast
from pathlib import Path

import pytest

from tests.power_cut.table import DURABLE, NOT_DURABLE

ROOT = Path(__file__).parents[2]
PACKAGES = ("media_network", "blade_agent", "distribution_center", "chassis_emulator")
OPENERS = {"DurableFile", "open_writer", "opened_to_write"}
MAKERS = {"fsync", "fdatasync", "sync_folder", "sync", "rename", "replace", "truncate"}
"""What is called where something is made durable, or where a file takes another's place."""
PATHS = ("import os", "import Path")
"""Without either a module has no path to replace."""


def durable_calls(source):
    """Names of such calls in a module, with the line of each."""
    has_paths = any(words in source for words in PATHS)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Subscript):
            called = called.value
        if isinstance(called, ast.Name) and called.id in OPENERS:
            yield called.id, node.lineno
        elif isinstance(called, ast.Attribute) and called.attr in MAKERS and concerns_files(called, node, has_paths):
            yield called.attr, node.lineno
        elif isinstance(called, ast.Attribute) and called.attr == "Connection" and not reads_only(node):
            yield "Connection", node.lineno


def concerns_files(called, call, has_paths):
    """Whether `x.replace(...)` may be a path's: one argument, and not of text, or a value's."""
    if called.attr == "replace":
        return (has_paths and len(call.args) == 1 and not call.keywords) or ast.unparse(called.value) == "os"
    if called.attr == "truncate":
        return ast.unparse(called.value) in {"os", "file"}
    return True


def reads_only(call):
    return any(keyword.arg == "flags" and "READONLY" in ast.unparse(keyword.value) for keyword in call.keywords)


def modules():
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_every_module_that_makes_files_durable_is_in_the_table():
    listed = {module for durable in DURABLE for module in durable.modules} | NOT_DURABLE.keys()
    found = {}
    for path in modules():
        source = path.read_text()
        if calls := list(durable_calls(source)):
            found[str(path.relative_to(ROOT))] = calls
    unlisted = {module: calls for module, calls in found.items() if module not in listed}
    assert not unlisted, f"a line in tests/power_cut/table.py is missing: {unlisted}"
    assert listed - found.keys() == set(), "these make nothing durable any more"


@pytest.mark.parametrize(
    "line",
    [
        "file = DurableFile(path, parse, rebuilt='')",
        "file: DurableFile[bytes] = DurableFile[bytes](path, bytes, rebuilt='')",
        "os.fsync(descriptor)",
        "path.rename(other)",
        "temporary.replace(path)",
        "os.replace(temporary, path)",
        "files.sync_folder(folder)",
        "apsw.Connection(str(path))",
    ],
)
def test_whoever_writes_one_is_noticed(line):
    assert list(durable_calls(f"from pathlib import Path\n{line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "text.replace('a', 'b')",
        "msgspec.structs.replace(program, state=state)",
        "apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)",
        "list.sort()",
    ],
)
def test_whoever_writes_none_is_left_alone(line):
    assert not list(durable_calls(f"from pathlib import Path\n{line}\n"))
