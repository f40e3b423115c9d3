"""`distribution-center subscribers`, `billing` and `reconcile`: what an operator types."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from distribution_center.accounts.opening import opened_database
from distribution_center.accounts.stored_ledger import StoredLedger
from distribution_center.cli import main
from media_network.messages.billing import DeliverUsage
from media_network.time_of_day import now_ms
from tests.distribution_center.accounts.test_ledger import COUNTED, NEXT, TAKEN_OVER, USED, VIEWING, replace

RECORDS = (USED, NEXT, TAKEN_OVER)


@pytest.fixture
def type_in(tmp_path):
    """Type a command; gives its output, and its status where that is not 0."""
    (tmp_path / "accounts").mkdir()

    def run(*words, status=0):
        result = CliRunner().invoke(main, [*words, "--state-dir", str(tmp_path)])
        assert result.exit_code == status, result.output
        return result.output

    return run


@pytest.fixture
def deliver(tmp_path):
    """Records that come, with this moment for theirs."""

    def run(**delivery):
        async def work():
            async with opened_database(str(tmp_path / "accounts" / "accounts.sqlite")) as database:
                await StoredLedger(database).deliver(DeliverUsage(**delivery))

        asyncio.run(work())

    return run


def test_a_subscriber_is_added_granted_and_listed(type_in):
    assert "with the id a1" in type_in("subscribers", "add", "ada", "--id", "a1")
    type_in("subscribers", "add", "bob")
    type_in("subscribers", "package", "classics", "film-a", "film-b")
    type_in("subscribers", "grant", "ada", "*", "package:classics")
    type_in("subscribers", "rent", "ada", "film-c", "--until", "+2d", "--price", "399")
    type_in("subscribers", "change", "bob", "suspend")
    ada, bob = json.loads(type_in("subscribers", "list", "--json"))
    assert [one["what"] for one in ada["grants"]] == ["*", "film-c", "package:classics"]
    assert (ada["id"], ada["state"], bob["state"], bob["grants"]) == ("a1", "active", "suspended", [])
    assert "film-c until" in type_in("subscribers", "list")
    type_in("subscribers", "grant", "ada", "*", "--withdraw")
    type_in("subscribers", "change", "bob", "resume")
    type_in("subscribers", "change", "bob", "cancel")
    ada, bob = json.loads(type_in("subscribers", "list", "--json"))
    assert (len(ada["grants"]), bob["state"]) == (2, "cancelled")
    held = json.loads(type_in("subscribers", "package", "classics", "--json"))
    assert held == {"package": "classics", "programs": ["film-a", "film-b"]}
    type_in("subscribers", "package", "classics", "film-a", "--remove")
    assert "film-b" in type_in("subscribers", "package", "classics")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("subscribers", "add", "Ada"), "lower case"),
        (("subscribers", "add", "ada"), "already"),
        (("subscribers", "add", "eve", "--id", "a 1"), "at most 64"),
        (("subscribers", "grant", "eve", "*"), "Subscribers: ada."),
        (("subscribers", "grant", "ada", "Film"), "inner hyphens"),
        (("subscribers", "grant", "ada", "f", "--from", "+2d", "--until", "+1d"), "Name a later time"),
        (("billing", "invoices", "--json", "--csv"), "Choose one"),
        (("billing", "invoices", "--from", "2026-02-01", "--until", "2026-01-01"), "Name a later time"),
        (("billing", "invoices", "eve"), "Subscribers: ada."),
        (("billing", "tariff", "Film"), "inner hyphens"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence_with_a_hint(type_in, words, said):
    type_in("subscribers", "add", "ada", "--id", "a1")
    output = type_in(*words, status=1)
    assert said in output
    assert "Traceback" not in output


def test_grants_that_are_too_many_lead_to_packages(type_in, monkeypatch):
    monkeypatch.setattr("distribution_center.accounts.stored_subscribers.GRANTS_MAX", 1)
    type_in("subscribers", "add", "ada")
    type_in("subscribers", "grant", "ada", "film-a")
    assert "package" in type_in("subscribers", "grant", "ada", "film-b", status=1)


def test_what_was_used_becomes_invoices(type_in, deliver):
    type_in("subscribers", "add", "ada", "--id", "a1")
    type_in("subscribers", "add", "bob")
    type_in("billing", "tariff", "*", "--per-viewing", "50", "--per-gigabyte", "1000000000")
    type_in("subscribers", "rent", "ada", "film-c", "--until", "+2d", "--price", "399")
    now = now_ms()
    deliver(
        viewings=(replace(VIEWING, at_ms=now),),
        usage=tuple(replace(used, ended_at_ms=now) for used in RECORDS),
    )
    ada, bob = json.loads(type_in("billing", "invoices", "--json"))
    assert [line["amount"] for line in ada["lines"]] == [399, 50 + 1570]
    assert (ada["amount"], bob["amount"]) == (399 + 50 + 1570, 0)
    assert json.loads(type_in("billing", "invoices", "ada", "--json")) == [
        {**ada, "until_ms": pytest.approx(now, abs=1e7)}
    ]
    rows = type_in("billing", "invoices", "--csv").splitlines()
    assert rows == [
        "subscriber,what,viewings,sent_bytes,amount",
        "ada,rental of film-c,0,0,399",
        "ada,film-a,1,1570,1620",
    ]
    assert "1620" in type_in("billing", "invoices")


def test_reconcile_says_whether_the_ledger_has_all_that_was_counted(type_in, deliver):
    assert json.loads(type_in("reconcile", "--json"))["equal"]
    deliver(viewings=(VIEWING,), usage=RECORDS[:2], counted=(COUNTED,))
    lacking = json.loads(type_in("reconcile", "--json", status=1))
    assert [row["difference_bytes"] for row in lacking["engines"]] == [70]
    assert "differs" in type_in("reconcile", status=1)
    deliver(usage=RECORDS[2:])
    whole = json.loads(type_in("reconcile", "--json"))
    assert (whole["equal"], whole["counted_bytes"], whole["recorded_bytes"]) == (True, 1570, 1570)
    assert "has all that was sent" in type_in("reconcile")
