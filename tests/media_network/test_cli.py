import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from media_network.cli import UserError, echo_json, json_option, state_dir_option


@click.command()
@state_dir_option
@json_option("where")
def where(state_dir, as_json):
    if not as_json:
        raise UserError("there is no table.", "Give --json.")
    echo_json({"where": str(state_dir)})


@pytest.mark.parametrize(
    ("arguments", "environment", "folder"),
    [
        (["--state-dir", "/srv/x"], {"MEDIA_STATION_STATE": "/srv/y"}, "/srv/x"),
        ([], {"MEDIA_STATION_STATE": "/srv/y"}, "/srv/y"),
        (["--state-dir", "here"], {}, str(Path("here").absolute())),
    ],
)
def test_state_dir(arguments, environment, folder):
    result = CliRunner().invoke(where, [*arguments, "--json"], env={"MEDIA_STATION_STATE": None, **environment})
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"where": folder}


def test_an_error_is_a_sentence_and_a_hint():
    result = CliRunner().invoke(where, [])
    assert result.exit_code == 1
    assert (result.stdout, result.stderr) == ("", "Error: there is no table.\nHint: Give --json.\n")
