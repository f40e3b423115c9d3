import json

import click
import pytest
from click.testing import CliRunner

from media_network import presenting
from media_network.cli import UserError, json_option
from media_network.presenting import present, watch_option
from media_network.table import format_table, table_or


def command(seen):
    """A command that shows these, one a look, and is interrupted then."""
    looks = iter(seen)

    def look():
        found = next(looks, None)
        if found is None:
            raise KeyboardInterrupt
        if isinstance(found, Exception):
            raise found
        return found

    @click.command()
    @watch_option
    @json_option("a number")
    def show(watch, as_json):
        present(look, "{} sheep".format, as_json=as_json, watch=watch)

    return show


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "1 sheep\n"),
        (["--json"], "1\n"),
        (["--watch"], "1 sheep\n2 sheep\n"),
        (["--watch", "--json"], "1\n2\n"),
    ],
)
def test_it_is_shown_once_or_until_ctrl_c(options, said, monkeypatch):
    monkeypatch.setattr(presenting, "_LOOK_EVERY_S", 0.0)
    result = CliRunner().invoke(command([1, 2]), options)
    assert (result.exit_code, result.stdout) == (0, said)


def test_a_terminal_is_wiped_before_each_look(monkeypatch):
    monkeypatch.setattr(presenting, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(presenting, "_is_watched", lambda: True)
    result = CliRunner().invoke(command([1, 2]), ["--watch"], color=True)
    assert result.stdout == "\033[H\033[J1 sheep\n\033[H\033[J2 sheep\n"
    assert json.loads(CliRunner().invoke(command([1]), ["--watch", "--json"]).stdout) == 1


def test_what_goes_wrong_meanwhile_is_said(monkeypatch):
    monkeypatch.setattr(presenting, "_LOOK_EVERY_S", 0.0)
    result = CliRunner().invoke(command([1, UserError("The sheep have gone.")]), ["--watch"])
    assert (result.exit_code, result.stdout, result.stderr) == (1, "1 sheep\n", "Error: The sheep have gone.\n")


def test_a_table_has_headings_and_an_empty_one_says_so():
    assert format_table(("A", "B"), [("long", ""), ("x", "y")]) == "A     B\nlong\nx     y"
    assert table_or("There is nothing.", ("A", "B"), []) == "There is nothing."
    told = table_or("Nothing.", ("A",), [("x",), ("y",), ("z",)], [["1", "2"], [], ["3"]])
    assert told.splitlines() == ["A", "x", "    1", "    2", "y", "z", "    3"]
