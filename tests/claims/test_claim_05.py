"""Claim 5: an authentication server on the network distributes tokens to media consoles."""

import json
import stat

from tests.claims.tokens import decode, ffmpeg, post


def test_a_console_gets_a_token_for_its_subscriber_and_nobody_else_does(tokens):
    issued = tokens.token(name="viewer", password=tokens.password)
    _, body, _ = issued.split(".")
    claims = decode(body)
    assert claims["iss"] == "media-station"
    assert claims["exp"] > claims["iat"]
    assert "viewer" not in json.dumps(claims), "a token travels in addresses and logs: it names no person"
    refused = tokens.run("media-console", "login", "viewer", "--password-file", "/proc/version", check=False)
    assert refused.returncode == 1
    assert "no subscriber of that name has that password" in refused.stderr


def test_what_is_kept_of_a_login_is_its_owners_alone(tokens):
    tokens.log_in("viewer", tokens.viewers)
    file = tokens.state / "console.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert tokens.password not in file.read_text()
    held = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in (tokens.state / "authentication").glob("*.sqlite*")
    }
    assert set(held.values()) == {0o600}, held


def test_the_keys_are_published_and_turn_without_a_refused_viewer(tokens):
    before = tokens.token(name="viewer", password=tokens.password)
    published = {key["kid"] for key in tokens.published()}
    rotated = tokens.json("distribution-center", "auth", "rotate")
    assert {key["place"] for key in rotated} == {"previous", "current", "next"}
    assert published < {key["kid"] for key in tokens.published()}
    after = tokens.token(name="viewer", password=tokens.password)
    assert decode(before.split(".")[0])["kid"] != decode(after.split(".")[0])["kid"]
    for token in (before, after):
        assert tokens.playlist(token) == (200, None)


def test_a_login_brings_further_tokens_and_the_console_hides_it(tokens, tmp_path):
    tokens.log_in("viewer", tokens.viewers)
    renewed = post(tokens.server["media"], "authentication/renew", renewal=tokens.kept()["renewal"])
    assert tokens.playlist(renewed["token"]) == (200, None)
    assert tokens.playlist(tokens.kept()["renewal"]) == (403, "wrong_station"), "a renewal is no token"
    url = tokens.json("media-console", "url", tokens.program, "--station", "north")["url"]
    assert not ffmpeg(url, tmp_path / "film.ts")
