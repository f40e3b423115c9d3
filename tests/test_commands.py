"""Every command of every program of ours, found by walking: what a person reads who asks for help, or for data."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import entry_points

import click
import pytest
from click.testing import CliRunner

from blade_agent.cli import main as blade_agent
from chassis_emulator.campaign.cli import main as campaign
from chassis_emulator.commands.cli import main as chassis_emulator
from chassis_emulator.media_console.cli import main as media_console
from chassis_emulator.simulation.cli import main as simulation
from distribution_center.cli import main as distribution_center
from tests.command_lines import commands_of

PROGRAMS = {
    "blade-agent": blade_agent,
    "chassis-emulator": chassis_emulator,
    "distribution-center": distribution_center,
    "media-console": media_console,
    "python -m chassis_emulator.simulation": simulation,
    "python -m chassis_emulator.campaign": campaign,
}
INSTALLED = [name for name in PROGRAMS if not name.startswith("python")]
ENTRIES = {
    "blade-agent": "blade_agent.entry",
    "chassis-emulator": "chassis_emulator.entry",
    "distribution-center": "distribution_center.entry",
    "media-console": "chassis_emulator.media_console.entry",
}
RUNS = "runs a part of the system until it is told to end"
ORDERS = "does what it is told, and has no more to say than that it is done"
NO_DATA = {
    "blade-agent run": RUNS,
    "blade-agent manage": RUNS,
    "blade-agent set-epoch": ORDERS,
    "blade-agent chassis power": ORDERS,
    "blade-agent chassis reset": ORDERS,
    "blade-agent chassis identify": ORDERS,
    "blade-agent chassis activate": ORDERS,
    "blade-agent chassis deactivate": ORDERS,
    "distribution-center run": RUNS,
    "distribution-center nms run": RUNS,
    "distribution-center mam run": RUNS,
    "distribution-center auth run": RUNS,
    "distribution-center pki init": ORDERS,
    "distribution-center auth add-subscriber": ORDERS,
    "distribution-center auth change-subscriber": ORDERS,
    "distribution-center auth entitle": ORDERS,
    "distribution-center subscribers run": RUNS,
    "distribution-center subscribers add": ORDERS,
    "distribution-center subscribers change": ORDERS,
    "distribution-center subscribers grant": ORDERS,
    "distribution-center subscribers rent": ORDERS,
    "chassis-emulator down": ORDERS,
    "chassis-emulator pull": ORDERS,
    "chassis-emulator insert": ORDERS,
    "chassis-emulator power": ORDERS,
    "chassis-emulator reset": ORDERS,
    "chassis-emulator identify": ORDERS,
    "chassis-emulator scenario": "tells what it does while it does it",
    "chassis-emulator demo": "tells what it does while it does it",
    "blade-agent update apply": ORDERS,
    "blade-agent update commit": ORDERS,
    "blade-agent update rollback": ORDERS,
    "blade-agent profile rules": "prints a file, in the format of that file",
    "chassis-emulator nms-settings": "prints a file, in the format of that file",
    "chassis-emulator logs": "prints text as others have written it",
    **dict.fromkeys((f"{name} completion" for name in INSTALLED), "prints a script"),
}
EXAMPLES = re.compile(r"^\s*Examples?:\n((?:[ ]+\S.*\n)+)", re.MULTILINE)


def walk(name, command):
    yield name, command
    if isinstance(command, click.Group):
        for below, each in commands_of(command).items():
            yield from walk(f"{name} {below}", each)


ALL = dict(pair for name, program in PROGRAMS.items() for pair in walk(name, program))
LEAVES = {name: command for name, command in ALL.items() if not isinstance(command, click.Group)}


def help_of(name):
    program = next(each for each in PROGRAMS if name == each or name.startswith(f"{each} "))
    result = CliRunner().invoke(PROGRAMS[program], [*name.removeprefix(program).split(), "--help"])
    assert result.exit_code == 0, result.output
    return result.output


def examples_of(name):
    found = EXAMPLES.search(help_of(name) + "\n")
    return [line.strip() for line in found[1].splitlines()] if found else []


def understand(line):
    """The command that a line of an example runs. Assert that its options exist and its arguments are all there."""
    line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", line)
    program = next((each for each in PROGRAMS if line.startswith(f"{each} ")), None)
    assert program, f"{line} begins with none of our programs"
    name, command, words = program, PROGRAMS[program], shlex.split(line.removeprefix(program))
    context = click.Context(command, info_name=program)
    while isinstance(command, click.Group):
        assert words, line
        assert words[0] in commands_of(command), line
        command, name = commands_of(command)[words[0]], f"{name} {words.pop(0)}"
        context = click.Context(command, parent=context, info_name=name)
    try:
        given, left, _ = command.make_parser(context).parse_args(words)
    except click.UsageError as error:
        raise AssertionError(f"{line}: {error.format_message()}") from error
    assert left == [], line
    for param in command.params:
        value = given.get(param.name)
        if param.required:
            assert isinstance(value, str | tuple | list), f"{line}: {param.name} is missing"
            assert value, f"{line}: {param.name} is missing"
        if isinstance(value, str) and isinstance(param.type, click.Choice | click.types.IntParamType | click.IntRange):
            param.type.convert(value, param, context)
    return name


@pytest.mark.parametrize("name", ALL)
def test_help_shows_what_can_be_typed(name):
    lines = examples_of(name)
    assert lines, f"the help of {name} has no example"
    understood = [understand(line) for line in lines]
    if isinstance(ALL[name], click.Group):
        assert any(each.startswith(f"{name} ") for each in understood)
    else:
        assert name in understood


@pytest.mark.parametrize("name", LEAVES)
def test_what_is_no_number_is_told_so_in_our_words(name):
    ranges = [param.type for param in ALL[name].params if isinstance(param.type, click.IntRange | click.FloatRange)]
    assert {kind.name for kind in ranges} <= {"whole number", "number"}


@pytest.mark.parametrize("name", LEAVES)
def test_what_prints_data_prints_it_as_json_too(name):
    has_json = any("--json" in param.opts for param in LEAVES[name].params)
    assert has_json != (name in NO_DATA), NO_DATA.get(name, "prints data, and has no --json")


def test_what_prints_no_data_is_there():
    assert NO_DATA.keys() - LEAVES.keys() == set()


@pytest.mark.parametrize(
    "line",
    [
        "chassis-emulator up --fast",
        "chassis-emulator pull",
        "chassis-emulator power north/3 sideways",
        "distribution-center ingest a.mp4 b.mp4",
        "media-console fly",
        "blade-agent chassis power three on",
    ],
)
def test_an_example_that_cannot_be_typed_would_be_found(line):
    with pytest.raises((AssertionError, click.BadParameter)):
        understand(line)


def test_the_programs_that_are_installed_are_these():
    scripts = entry_points(group="console_scripts")
    ours = {script.name: script.module for script in scripts if script.dist and script.dist.name == "media-station"}
    assert ours == ENTRIES


# Ctrl-C while a command is imported

INTERRUPTED_AT = """
import importlib.abc, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)

class Finger(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == at:
            os.kill(os.getpid(), signal.SIGINT)

entry, at = sys.argv[1:]
sys.meta_path.insert(0, Finger())
sys.argv = ["command", "--version"]
__import__(entry, fromlist=["main"]).main()
print("it has gone on")
"""


@pytest.mark.parametrize("at", ["click", "last"])
@pytest.mark.parametrize("name", INSTALLED)
def test_ctrl_c_while_it_is_imported_ends_a_command_without_a_word(name, at):
    last = {"chassis-emulator": "chassis_emulator.commands.cli"}.get(name, ENTRIES[name].replace(".entry", ".cli"))
    finished = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT, ENTRIES[name], last if at == "last" else at],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (-2, "", "")


# Completion


def completed(program, line, **environment):
    """What a shell is offered at the end of a line, asked as the script of bash asks."""
    words = line.split()
    position = len(words) - (0 if line.endswith(" ") else 1)
    variable = f"_{program}_COMPLETE".replace("-", "_").upper()
    result = CliRunner().invoke(
        PROGRAMS[program],
        prog_name=program,
        env={variable: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(position), **environment},
    )
    return [line.partition(",")[2] for line in result.output.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("program", INSTALLED)
def test_a_shell_gets_a_script_that_asks_the_program(program, shell):
    result = CliRunner().invoke(PROGRAMS[program], ["completion", shell])
    assert result.exit_code == 0, result.output
    assert f"_{program}_COMPLETE".replace("-", "_").upper() in result.stdout
    assert program in result.stdout


def test_commands_and_options_are_completed():
    assert "restart" in completed("chassis-emulator", "chassis-emulator res")
    assert "--surprise" in completed("chassis-emulator", "chassis-emulator pull --s")
    assert "raspberry-pi-5" in completed("blade-agent", "blade-agent profile probe rasp")


# Commands are imported when they are asked for

HEAVY = {"aiohttp", "apsw", "asyncio", "av", "construct", "cryptography", "msgspec", "pysnmp", "ssl", "yaml"}
"""What takes longer to import than click does, or pulls in what does."""

IMPORTED = """
import sys
from contextlib import suppress
entry, *sys.argv = sys.argv[1:]
with suppress(SystemExit):
    __import__(entry, fromlist=["main"]).main()
print("", *sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("word", ["--version", "--help", "completion --help"])
@pytest.mark.parametrize("name", INSTALLED)
def test_who_asks_for_help_or_the_version_waits_for_no_heavy_import(name, word):
    words = [sys.executable, "-c", IMPORTED, ENTRIES[name], name, *word.split()]
    finished = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert finished.stdout
    assert not HEAVY & set(finished.stderr.split())


@pytest.mark.parametrize("letters", [45, 1000])
@pytest.mark.parametrize("name", INSTALLED)
def test_what_a_program_lists_of_a_command_is_the_first_sentence_of_its_help(name, letters):
    program = PROGRAMS[name]
    for below, deferred in program.deferred.items():
        command = commands_of(program)[below]
        assert command.name == below
        assert click.Command(below, help=deferred.sentence).get_short_help_str(letters) == command.get_short_help_str(
            letters
        )
