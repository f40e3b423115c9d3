"""What a person reads who asks for help, or asks for what is not there."""

import pytest
from click.testing import CliRunner

from chassis_emulator.commands.cli import main
from chassis_emulator.faults.kinds import KINDS

VERBS = [*(name for name in main.commands if name != "fault"), "fault clear"]


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_a_command_to_try(verb):
    result = CliRunner().invoke(main, [*verb.split(), "--help"])
    assert f"Example:\n    chassis-emulator {verb}" in result.output
    assert "--state-dir" in result.output


@pytest.mark.parametrize("kind", KINDS)
def test_help_of_every_kind_of_fault_shows_one_that_can_be_typed(kind, tmp_path):
    result = CliRunner().invoke(main, ["fault", kind, "--help"])
    example = result.output.partition("Example:\n")[2].splitlines()[0].split()
    assert example[:3] == ["chassis-emulator", "fault", kind]
    tried = CliRunner().invoke(main, [*example[1:], "--state-dir", str(tmp_path)])
    assert "No network is up" in tried.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["up", "no-such-file.yaml"], "no example of that name (one-station, sixteen-blades, two-stations)"),
        (["ps"], "No network is up"),
        (["logs", "north/1"], "There is no log of 'north/1'"),
    ],
)
def test_errors_are_one_sentence_and_a_hint(words, sentence, tmp_path):
    result = CliRunner().invoke(main, [*words, "--state-dir", str(tmp_path)])
    assert result.exit_code == 1
    error, hint = result.stderr.splitlines()
    assert error.startswith("Error: ")
    assert sentence in error
    assert hint.startswith("Hint: ")
