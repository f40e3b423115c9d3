"""`distribution-center auth`: what an operator types."""

import json

import pytest
from click.testing import CliRunner

from distribution_center.authentication.subscriber_file import SubscriberFile
from distribution_center.cli import main


@pytest.fixture
def type_in(tmp_path):
    """Type a command; gives its output, and its status where that is not 0."""
    (tmp_path / "authentication").mkdir()

    def run(*words, stdin=None, status=0):
        result = CliRunner().invoke(main, ["auth", *words, "--state-dir", str(tmp_path)], input=stdin)
        assert result.exit_code == status, result.output
        return result.output

    return run


def test_a_subscriber_is_added_entitled_and_listed(type_in, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("correct horse\n")
    type_in("add-subscriber", "ada", "--station", "north", "--password-file", str(secret))
    type_in("add-subscriber", "bob", stdin="secret\nsecret\n")
    type_in("entitle", "ada", "film-1", "--until", "+2d")
    type_in("entitle", "ada", "package:classics", "*")
    ada, bob = json.loads(type_in("subscribers", "--json"))
    assert [one["what"] for one in ada["entitlements"]] == ["*", "film-1", "package:classics"]
    assert (ada["stations"], bob["entitlements"]) == (["north"], [])
    assert "ada" in type_in("subscribers")
    type_in("entitle", "ada", "*", "--withdraw")
    type_in("change-subscriber", "bob", "--suspend")
    ada, bob = json.loads(type_in("subscribers", "--json"))
    assert len(ada["entitlements"]) == 2
    assert bob["suspended"]
    type_in("change-subscriber", "bob", "--remove")
    assert len(json.loads(type_in("subscribers", "--json"))) == 1
    file = SubscriberFile(tmp_path / "authentication")
    assert file.find("ada").digest.startswith("$argon2id$")
    file.close()


def test_packages(type_in):
    assert json.loads(type_in("package", "classics", "film-1", "film-2", "--json"))["programs"] == ["film-1", "film-2"]
    assert type_in("package", "classics", "film-1", "--remove") == "classics: film-2\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add-subscriber", "Ada Lovelace"), "no name of a subscriber"),
        (("entitle", "nobody", "*"), "no subscriber 'nobody'"),
        (("entitle", "nobody", "../film"), "no name of a program"),
        (("entitle", "nobody", "*", "--from", "+2d", "--until", "+1d"), "not after"),
        (("change-subscriber", "nobody", "--suspend"), "no subscriber 'nobody'"),
        (("add-subscriber", "ada", "--password-file", "/dev/null/password"), "cannot be read"),
        (("add-subscriber", "ada", "--password-file", "/dev/null"), "there is no password"),
        (("subscribers", "--settings", "/nowhere.toml"), "cannot be read"),
    ],
)
def test_what_is_wrong_is_a_sentence_and_a_hint(type_in, words, said):
    output = type_in(*words, status=1)
    assert said in output
    assert "Hint: " in output
    assert "Traceback" not in output


def test_keys_turn_by_command(type_in):
    assert "no keys yet" in type_in("keys")
    first = json.loads(type_in("rotate", "--json"))
    assert [key["place"] for key in first] == ["current", "next"]
    second = json.loads(type_in("rotate", "--json"))
    places = {key["place"]: key["kid"] for key in second}
    assert places["previous"] == first[0]["kid"]
    assert places["current"] == first[1]["kid"]
    assert "good for 720 h more" in type_in("rotate", status=1)
    third = json.loads(type_in("rotate", "--force", "--json"))
    assert {key["place"]: key["kid"] for key in third}["previous"] == places["current"]
    revoked = json.loads(type_in("rotate", "--revoke", "--json"))
    assert not {key["kid"] for key in revoked} & {key["kid"] for key in third}
    assert "current" in type_in("keys")
