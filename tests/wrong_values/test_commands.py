"""Every option and argument of every command, given a wrong value: an exit code, one sentence, a hint, no traceback."""

import builtins
import socket

import click
import pytest
from click.testing import CliRunner

from blade_agent.cli import main as blade_agent
from chassis_emulator.commands.cli import main as chassis_emulator
from chassis_emulator.media_console.cli import main as media_console
from distribution_center.cli import main as distribution_center
from tests.command_lines import commands_of
from tests.wrong_values.library_wording import assert_one_sentence
from tests.wrong_values.table import AUTH, BLADE, CENTER, CHASSIS, MAM, NMS, as_toml_text

NOWHERE = "/proc/nothing/here"
"""Neither there, nor can it be made."""
GROUPS = (blade_agent, chassis_emulator, distribution_center, media_console)
STARTS_A_NETWORK = ("demo",)
"""In a folder of its own: with a wrong value that it takes for text it would come up."""


_NEVER_TAKEN = (click.Choice, click.types.IntParamType, click.types.FloatParamType)


def commands(group, words=()):
    for name, command in commands_of(group).items():
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


def wrong_values(parameter):
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return ["pigeon", ""]
    if isinstance(kind, click.types.IntParamType):
        return ["x", "1.5"]
    if isinstance(kind, click.types.FloatParamType):
        return ["x"]
    if isinstance(kind, click.Path):
        return [NOWHERE]
    return [NOWHERE, "no such thing \N{SNOWMAN}"]


def right_value(parameter):
    """A value that leads as far as can be where there is no network."""
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return str(next(iter(kind.choices)))
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        return "1"
    return "north/1"


def cases():
    return list(all_cases())


def all_cases():
    for group in GROUPS:
        for words, command in commands(group):
            for parameter in command.params:
                if getattr(parameter, "is_flag", False) or parameter.name == "help":
                    continue
                if words[0] in STARTS_A_NETWORK and not isinstance(parameter.type, _NEVER_TAKEN):
                    continue
                for wrong in wrong_values(parameter):
                    yield pytest.param(group, words, command, parameter, wrong, id=f"{group.name} {' '.join(words)}")


def line_of(command, wrong_one, wrong):
    """The arguments and options of a command with one of them wrong."""
    line = []
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            if parameter is wrong_one:
                line += ["--", wrong] if wrong.startswith("-") else [wrong]
            elif parameter.required:
                line.append(right_value(parameter))
        elif parameter is wrong_one:
            line += [parameter.opts[0], wrong]
    return line


@pytest.mark.parametrize(("group", "words", "command", "parameter", "wrong"), cases())
def test_a_wrong_value(group, words, command, parameter, wrong, monkeypatch):
    monkeypatch.setenv("MEDIA_STATION_STATE", NOWHERE)
    result = CliRunner().invoke(group, [*words, *line_of(command, parameter, wrong)])
    if parameter.name == "state_dir" and result.exit_code == 0:
        assert result.stdout.strip(), "where there is nothing, a command says so"
    else:
        assert_refused(result)


def assert_refused(result):
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2), result.output
    said = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(said) == 1, result.stderr
    assert_one_sentence(said[0])
    rest = result.stderr.replace(said[0], "")
    assert "Hint: " in rest or "Try '" in rest, result.stderr


@pytest.mark.parametrize(
    ("group", "words", "meant"),
    [
        (blade_agent, ["rnu"], "run"),
        (blade_agent, ["profile", "prob"], "probe"),
        (blade_agent, ["chassis", "stats"], "status"),
        (chassis_emulator, ["pul"], "pull"),
        (chassis_emulator, ["fault", "crahs"], "crash"),
        (distribution_center, ["distribut"], "distribute"),
        (media_console, ["paly"], "play"),
    ],
)
def test_a_command_that_is_none_is_said_with_the_one_that_is_meant(group, words, meant):
    result = CliRunner().invoke(group, words)
    assert result.exit_code == 2
    assert f"(did you mean {meant}?)" in result.stderr


SETTINGS = (
    (blade_agent, ["run"], BLADE),
    (blade_agent, ["manage"], CHASSIS),
    (blade_agent, ["set-epoch", "7"], CHASSIS),
    (distribution_center, ["run"], CENTER),
    (distribution_center, ["nms", "run"], NMS),
    (distribution_center, ["mam", "run"], MAM),
    (distribution_center, ["auth", "run"], AUTH),
)
each_part = pytest.mark.parametrize(("group", "words", "whole"), SETTINGS, ids=lambda value: str(value)[:40])


def run_with(tmp_path, group, words, document):
    path = tmp_path / "settings.toml"
    path.touch(0o600)
    path.write_text(as_toml_text(document))
    return CliRunner().invoke(group, [*words, "--settings", str(path)])


@each_part
def test_a_part_with_a_wrong_key(tmp_path, group, words, whole):
    result = run_with(tmp_path, group, words, whole | {"stat": "/tmp"})
    assert_refused(result)
    assert "did you mean state?" in result.stderr
    assert "describes every key" in result.stderr


@each_part
def test_a_part_whose_folders_cannot_be_made(tmp_path, group, words, whole):
    folders = {"state": NOWHERE, "epoch_file": f"{NOWHERE}/epoch", "channels": [str(tmp_path)]}
    document = {key: folders.get(key, value) for key, value in whole.items() if key not in ("snmp", "lan")}
    result = run_with(tmp_path, group, words, document)
    assert_refused(result)
    assert "/proc/nothing" in result.stderr


@pytest.mark.parametrize(
    ("group", "words", "whole", "keys", "kind"),
    [
        (distribution_center, ["run"], CENTER, ("control_port", "media_port"), socket.SOCK_STREAM),
        (distribution_center, ["nms", "run"], NMS, ("http_port", None), socket.SOCK_STREAM),
        (distribution_center, ["auth", "run"], AUTH, ("port", None), socket.SOCK_STREAM),
        (blade_agent, ["manage"], CHASSIS, None, socket.SOCK_DGRAM),
    ],
    ids=("center", "nms", "authentication", "manager"),
)
def test_a_part_whose_address_is_taken(tmp_path, group, words, whole, keys, kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        document = whole | {"state": str(tmp_path / "state")}
        for beside in ("snmp", "providers", "identity"):
            document.pop(beside, None)
        if keys is None:
            document |= {"slots": {}, "profile": "", "epoch_file": str(tmp_path / "state" / "epoch"), "orders": ""}
            document["lan"] = whole["lan"] | {"address": "127.0.0.1", "port": port}
        else:
            document |= {"address": "127.0.0.1", keys[0]: port, "notifications_port": 0}
            document = {key: value for key, value in document.items() if key in whole}
            if "registry" in document:
                document["registry"] = ""
        result = run_with(tmp_path, group, words, document)
    assert_refused(result)
    assert f"127.0.0.1:{port}: address already in use" in result.stderr


@pytest.mark.parametrize(("module", "extra"), [("apsw", "center"), ("av", "center"), ("asyncpg", "postgresql")])
def test_what_a_base_install_has_not(tmp_path, monkeypatch, module, extra):
    """The module of an extra is missing, wherever it is asked for."""
    import distribution_center.center as real

    imported = builtins.__import__

    def base_install(name, *arguments, **more):
        if name == "distribution_center.center":
            raise ModuleNotFoundError(f"No module named {module!r}", name=module)
        return imported(name, *arguments, **more)

    assert real
    monkeypatch.setattr(builtins, "__import__", base_install)
    result = run_with(tmp_path, distribution_center, ["run"], CENTER)
    assert_refused(result)
    assert f"pip install 'media-station[{extra}]'" in result.stderr
