"""The commands that keep an authority."""

import json
import shutil

import pytest
from click.testing import CliRunner

from distribution_center.cli import main
from media_network.identity.credentials import Credentials
from media_network.identity.settings import IdentitySettings


@pytest.fixture
def pki(tmp_path):
    def run(*words, code=0):
        done = CliRunner().invoke(main, ["pki", *map(str, words), "--authority", str(tmp_path / "authority")])
        assert done.exit_code == code, done.output
        return done.output

    run("init", "lab.example")
    return run


def test_an_identity_is_issued_renewed_listed_and_revoked(pki, tmp_path):
    folder = tmp_path / "north-2"
    made = json.loads(pki("issue", "blade/north/2", "--host", "127.0.0.2", "--output", folder, "--json"))
    assert (made["name"], made["hosts"], made["revoked"]) == ("blade/north/2", ["127.0.0.2"], False)
    credentials = Credentials(IdentitySettings.in_folder(folder))
    assert credentials.own.uri == "spiffe://lab.example/blade/north/2"
    renewed = json.loads(pki("renew", folder, "--days", 1, "--json"))
    assert renewed["serial"] != made["serial"]
    assert renewed["good_until"] < made["good_until"]
    assert credentials.refresh()
    assert {row["serial"] for row in json.loads(pki("list", "--json"))} == {made["serial"], renewed["serial"]}
    assert "2 certificates are revoked" in pki("revoke", "blade/north/2")
    assert all(row["revoked"] for row in json.loads(pki("list", "--json")))
    assert "has been revoked" in pki("renew", folder, code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("init", "lab.example"), "there is an authority already"),
        (("issue", "blade/north"), "'blade/north' is none of blade/STATION/SLOT"),
        (("issue", "king/north"), "Names are blade/STATION/SLOT, center/NAME, headquarters"),
        (("issue", "operator/ada", "--host", "here"), "'here' is no IP address"),
        (("revoke", "operator/ada"), "operator/ada has no certificate that counts"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_and_a_hint(pki, words, said):
    shown = pki(*words, code=1)
    assert said in shown
    assert "Hint: " in shown


def test_without_an_authority_a_person_is_told_how_to_make_one(pki, tmp_path):
    shutil.rmtree(tmp_path / "authority")
    assert "pki init TRUST_DOMAIN" in pki("list", code=1)
