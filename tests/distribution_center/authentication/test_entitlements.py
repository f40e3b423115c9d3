"""What a subscriber's token says, by what was granted."""

import asyncio

import pytest

from distribution_center.authentication.issuing import ASKED_MAX, Issuing
from distribution_center.authentication.key_ring import KeyRing
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.authentication.subscriber_file import Entitlement, NameTaken, SubscriberFile, for_ever
from media_network.messages.authentication import DEFAULT_AUDIENCE
from media_network.refusal import Reason
from media_network.tokens.keys import Algorithm, KeySet, VerifyingKey
from media_network.tokens.verifier import StreamingRequest, TokenVerifier

NOW_MS = 1_800_000_000_000
RING = KeyRing.begin(Algorithm.ED25519, NOW_MS)
SETTINGS = AuthenticationSettings(address="127.0.0.1", state="/nowhere", token_s=3600)


@pytest.fixture
def file(tmp_path):
    file = SubscriberFile(tmp_path / "state")
    yield file
    file.close()


def window(what, from_ms=0, until_ms=NOW_MS * 2):
    return Entitlement(what=what, package=False, from_ms=from_ms, until_ms=until_ms)


def issued(file, subscriber, program=None, settings=SETTINGS, at_ms=NOW_MS):
    entitled = asyncio.run(file.entitled(subscriber.id, at_ms, program, ASKED_MAX))
    return Issuing(settings, lambda: "1").logged_in(subscriber, entitled, RING.current, at_ms)


def outcome(answer, program, station="north", at_ms=NOW_MS):
    """Why a director refuses the token; None if it plays."""
    verifier = TokenVerifier(issuer=SETTINGS.issuer, audience=(DEFAULT_AUDIENCE, station), skew_s=0)
    verifier.keys = KeySet([VerifyingKey(RING.current.public())])
    return getattr(verifier.check(answer.token, StreamingRequest(program), at_ms / 1000), "reason", None)


def test_a_program_a_package_and_everything(file):
    ada, bob, eve = (file.add(name, "digest") for name in ("ada", "bob", "eve"))
    file.entitle(ada.id, for_ever("film-1"))
    file.entitle(ada.id, for_ever("classics", package=True))
    file.add_to_package("classics", ["film-2", "film-3"])
    file.entitle(bob.id, for_ever("*"))
    seen = {who.name: [outcome(issued(file, who), f"film-{n}") for n in range(1, 5)] for who in (ada, bob)}
    assert seen == {"ada": [None, None, None, Reason.WRONG_PROGRAM], "bob": [None] * 4}
    assert issued(file, eve).token is None
    file.take_from_package("classics", ["film-2"])
    file.withdraw(ada.id, "film-1", package=False)
    left = [outcome(issued(file, ada), f"film-{n}") for n in range(1, 4)]
    assert left == [Reason.WRONG_PROGRAM, Reason.WRONG_PROGRAM, None]


def test_a_window_begins_ends_and_ends_the_token(file):
    ada = file.add("ada", "digest")
    file.entitle(ada.id, window("film-1", NOW_MS, NOW_MS + 60_000))
    assert issued(file, ada, at_ms=NOW_MS - 1).token is None
    answer = issued(file, ada)
    assert answer.token_expires_at_ms == NOW_MS + 60_000
    assert outcome(answer, "film-1", at_ms=NOW_MS + 59_000) is None
    assert outcome(answer, "film-1", at_ms=NOW_MS + 60_000) is Reason.EXPIRED
    assert issued(file, ada, at_ms=NOW_MS + 60_000).token is None


def test_what_was_granted_twice_ends_with_the_later(file):
    ada = file.add("ada", "digest")
    file.entitle(ada.id, window("film-1", until_ms=NOW_MS + 60_000))
    file.entitle(ada.id, Entitlement(what="classics", package=True, from_ms=0, until_ms=NOW_MS + 120_000))
    file.add_to_package("classics", ["film-1"])
    assert issued(file, ada).token_expires_at_ms == NOW_MS + 120_000


def test_a_short_rental_shortens_nobody_elses_token(file):
    ada = file.add("ada", "digest")
    file.entitle(ada.id, window("film-1", until_ms=NOW_MS + 60_000))
    file.entitle(ada.id, for_ever("film-2"))
    assert issued(file, ada, "film-2").token_expires_at_ms == NOW_MS + SETTINGS.token_s * 1000


def test_too_many_programs_for_a_token_have_to_be_named(file):
    ada = file.add("ada", "digest")
    file.add_to_package("all", [f"film-{n}" for n in range(100)])
    file.entitle(ada.id, for_ever("all", package=True))
    assert issued(file, ada).token is None
    answer = issued(file, ada, "film-77")
    assert outcome(answer, "film-77") is None
    assert outcome(answer, "film-7") is Reason.WRONG_PROGRAM
    assert len(answer.token) < 700


def test_the_longest_token_fits_into_an_address(file):
    ada = file.add("ada", "digest")
    for number in range(ASKED_MAX - 1):
        file.entitle(ada.id, for_ever(f"{number:064}"))
    answer = issued(file, ada)
    assert outcome(answer, f"{3:064}") is None


def test_stations_of_a_subscriber(file):
    ada = file.add("ada", "digest", ["south"])
    file.entitle(ada.id, for_ever("*"))
    answer = issued(file, ada)
    assert outcome(answer, "film-1", station="south") is None
    assert outcome(answer, "film-1", station="north") is Reason.WRONG_STATION


def test_names_are_taken_once_and_kept_in_order(file):
    for name in ("bob", "ada"):
        file.add(name, "digest")
    with pytest.raises(NameTaken):
        file.add("ada", "other")
    assert [one.name for one in file.listed("", 10)] == ["ada", "bob"]
    assert [one.name for one in file.listed("ada", 10)] == ["bob"]
    file.entitle(file.find("ada").id, for_ever("*"))
    file.remove(file.find("ada").id)
    again = file.add("ada", "digest")
    assert file.entitlements(again.id) == ()


def test_nobody_else_may_read_the_file(file, tmp_path):
    file.add("ada", "digest")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o600}, modes
