"""What the documents say: commands and options that exist, links that lead somewhere, and no path of a machine."""

import re
import shlex
from pathlib import Path

import click
import pytest

from blade_agent.cli import main as blade_agent
from chassis_emulator.commands.cli import main as chassis_emulator
from chassis_emulator.media_console.cli import main as media_console
from distribution_center.cli import main as distribution_center
from tests.command_lines import commands_of

ROOT = Path(__file__).parents[1]
EXPECTED = (
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "SECURITY.md"),
    *("docs/README.md", "docs/architecture.md", "docs/glossary.md"),
)
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(path for name in ("docs", "mibs", "hw_profiles") for path in (ROOT / name).rglob("*.md"))]
)
PACKAGES = ("media_network", "blade_agent", "chassis_emulator", "distribution_center")
COMMANDS = {
    "blade-agent": blade_agent,
    "chassis-emulator": chassis_emulator,
    "distribution-center": distribution_center,
    "media-console": media_console,
}
FENCED = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MACHINE = re.compile(r"(?:^|[\s`\"'(=])(/(?:work|root|home|Users)/\S*)", re.MULTILINE)
MAKE_TARGETS = set(re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split())

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_person_looks_for_is_there(name):
    assert (ROOT / name).read_text().strip()


@each_document
def test_every_command_is_a_real_one(document):
    for line in command_lines(document.read_text()):
        check(line)


@each_document
def test_no_path_of_a_machine(document):
    assert MACHINE.findall(document.read_text()) == []


@each_document
def test_nothing_is_left_to_be_filled_in(document):
    assert re.findall(r"@@\w+@@|\bTODO\b|\bTBD\b", document.read_text()) == []


@each_document
def test_relative_links_lead_somewhere(document):
    for target in LINK.findall(FENCED.sub("", document.read_text())):
        path = target.partition("#")[0]
        if path and "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / path).exists(), target


@pytest.mark.parametrize("package", PACKAGES)
def test_documents_that_the_code_sends_a_person_to_are_there(package):
    for module in (ROOT / package).rglob("*.py"):
        for name in re.findall(r"\b(?:docs|hw_profiles|mibs)/[\w/-]+\.md\b", module.read_text()):
            assert (ROOT / name).exists(), f"{module.relative_to(ROOT)} names {name}"


@pytest.mark.parametrize(
    "line",
    [
        "chassis-emulator fly",
        "chassis-emulator up --fast",
        "media-console play film --by pigeon",
        "blade-agent profile remove",
        "make coffee",
    ],
)
def test_a_command_that_is_none_would_be_found(line):
    with pytest.raises(AssertionError):
        check(line)


def command_lines(text):
    """Lines of code blocks, and code inside sentences, that begin with one of our commands."""
    blocks = "\n".join(FENCED.findall(text)).replace("\\\n", " ")
    lines = [line.strip().removeprefix("$ ") for line in blocks.splitlines()]
    for line in [*lines, *INLINE.findall(FENCED.sub("", text))]:
        command = re.sub(r"^(?:[A-Z_]+=\S+ +)*(?:\.venv/bin/)?", "", line)
        name, _, rest = command.partition(" ")
        if name == "make" or (name in COMMANDS and rest):
            yield command


def check(line):
    """Assert that a command line would be understood, as far as words and options go."""
    words = shlex.split(re.split(r" [|#>&]|;", line)[0], comments=True)
    if words[0] == "make":
        targets = [word for word in words[1:] if "=" not in word and not word.startswith("-")]
        assert set(targets) <= MAKE_TARGETS, line
        return
    command, rest = COMMANDS[words[0]], words[1:]
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in commands_of(command), line
        command, rest = commands_of(command)[rest[0]], rest[1:]
    options = {name: option for option in command.params for name in (*option.opts, *option.secondary_opts)}
    given = iter(rest)
    for word in given:
        if not word.startswith("-") or word in ("-", "--help", "-h", "--version"):
            continue
        name, equals, value = word.partition("=")
        assert name in options, f"{line}: no option {name}"
        option = options[name]
        if option.is_flag:
            continue
        value = value if equals else next(given, None)
        assert value is not None, f"{line}: {name} takes a value"
        if isinstance(option.type, click.Choice):
            assert value in option.type.choices, f"{line}: {value} is none of {option.type.choices}"


@each_document
def test_every_room_that_is_named_is_there(document):
    """A path that begins with a folder of the project: a file, or a folder."""
    tops = "|".join((*PACKAGES, "tests", "docs", "mibs", "hw_profiles", "examples", "benchmarks"))
    named = re.findall(rf"`((?:{tops})/[\w./-]+)`", document.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_leads_to_every_document():
    """Of the documents in docs, but what a folder's own README lists."""
    index = ROOT / "docs" / "README.md"
    led_to = {(index.parent / target.partition("#")[0]).resolve() for target in LINK.findall(index.read_text())}
    there = {path for path in (ROOT / "docs").rglob("*.md") if path != index}
    assert there - led_to == set()
    assert "(docs/README.md)" in (ROOT / "README.md").read_text()


def test_the_glossary_has_every_state_of_hot_swap_and_a_link_in_each_row():
    rows = [row for row in (ROOT / "docs" / "glossary.md").read_text().splitlines() if row.startswith("| ")]
    said = {row.split(" | ")[0].removeprefix("| ") for row in rows}
    assert {f"M{number}" for number in range(8)} <= said
    words = [row for row in rows if not row.startswith(("| word |", "| state |")) and not re.match(r"\| M\d ", row)]
    assert len(words) > 60
    assert [row for row in words if not LINK.search(row)] == []
