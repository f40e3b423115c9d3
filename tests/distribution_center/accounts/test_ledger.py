"""What every database makes of the ledger, and what is reckoned from it."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from distribution_center.accounts.invoices import GIGABYTE, csv_rows, reckon
from distribution_center.accounts.ledger import AccountCharge, Tariff, Usage
from distribution_center.accounts.stored_ledger import Nobodys, StoredLedger
from media_network.messages.billing import (
    AdmissionGround,
    BytesCounted,
    DeliverUsage,
    UsageDelivered,
    UsageRecord,
    ViewingRecord,
)

VIEWING = ViewingRecord(
    session="s1",
    epoch=3,
    subscriber="a1",
    program="film-a",
    station="north",
    at_ms=1000,
    ground=AdmissionGround.FRESH,
    push=True,
)
USED = UsageRecord(
    session="s1",
    epoch=3,
    turn=0,
    program="film-a",
    engine="127.0.0.1:1",
    boot="b",
    sent_bytes=1000,
    began_at_ms=1000,
    ended_at_ms=1900,
)
NEXT = replace(USED, turn=1, sent_bytes=500, began_at_ms=1900, ended_at_ms=2100)
TAKEN_OVER = replace(NEXT, epoch=4, sent_bytes=70)
COUNTED = BytesCounted(engine="127.0.0.1:1", boot="b", sent_bytes=1600, under_way_bytes=30, at_ms=2100)


def test_a_record_is_there_once_however_often_it_comes_and_a_take_over_makes_another(on):
    async def work(database):
        ledger = StoredLedger(database)
        delivery = DeliverUsage(viewings=(VIEWING,), usage=(USED, NEXT), counted=(COUNTED,))
        assert await ledger.deliver(delivery) == UsageDelivered(new=3, known=0)
        assert await ledger.deliver(delivery) == UsageDelivered(new=0, known=3)
        again = DeliverUsage(usage=(replace(USED, sent_bytes=9), TAKEN_OVER))
        assert await ledger.deliver(again) == UsageDelivered(new=1, known=1), "what is there is never changed"
        (used,) = await ledger.used("a1", 0, 10_000)
        assert used == Usage(subscriber="a1", program="film-a", viewings=1, sent_bytes=1570)

    on(work)


def test_usage_counts_in_the_period_in_which_it_ended_and_a_viewing_in_which_it_began(on):
    async def work(database):
        ledger = StoredLedger(database)
        unseen = replace(VIEWING, session="s2")  # let in, and nothing was sent
        await ledger.deliver(DeliverUsage(viewings=(VIEWING, unseen), usage=(USED, NEXT)))
        first, second = await ledger.used("a1", 0, 2000), await ledger.used("a1", 2000, 3000)
        assert [(each.viewings, each.sent_bytes) for each in (*first, *second)] == [(1, 1000), (0, 500)]
        assert not await ledger.used("a1", 3000, 4000)
        assert not await ledger.used("somebody", 0, 10_000)

    on(work)


def test_what_engines_counted_is_compared_with_what_is_recorded(on):
    async def work(database):
        ledger = StoredLedger(database)
        await ledger.deliver(DeliverUsage(viewings=(VIEWING,), usage=(USED, NEXT, TAKEN_OVER), counted=(COUNTED,)))
        (total,), nobodys = await ledger.totals()
        assert (total.counted_bytes, total.under_way_bytes, total.recorded_bytes) == (1600, 30, 1570)
        assert total.difference_bytes == 0
        assert nobodys == Nobodys(0, 0)
        held_up = replace(COUNTED, sent_bytes=1000, at_ms=1900)
        stranger = replace(USED, session="s9", boot="b2", sent_bytes=7)
        await ledger.deliver(DeliverUsage(usage=(stranger,), counted=(held_up,)))
        (same, other), nobodys = await ledger.totals()
        assert same == total
        assert (other.counted_bytes, other.difference_bytes) == (None, -7)
        assert nobodys == Nobodys(1, 7)

    on(work)


def test_tariffs_are_what_was_set_last(on):
    async def work(database):
        ledger = StoredLedger(database)
        for tariff in (Tariff(what="*", per_viewing=1), Tariff(what="film-a"), Tariff(what="*", per_gigabyte=5)):
            await ledger.set_tariff(tariff)
        assert await ledger.tariffs() == [Tariff(what="*", per_gigabyte=5), Tariff(what="film-a")]

    on(work)


ALL, FILM_A = Tariff(what="*", per_viewing=10, per_gigabyte=100), Tariff(what="film-a", per_viewing=300)


def test_an_invoice_has_a_line_a_charge_and_a_line_a_program():
    used = [
        Usage(subscriber="a1", program="film-a", viewings=2, sent_bytes=3 * GIGABYTE),
        Usage(subscriber="a1", program="film-b", viewings=1, sent_bytes=GIGABYTE // 200),
    ]
    charged = [AccountCharge(subscriber="a1", at_ms=1, what="rental of film-c", amount=399)]
    invoice = reckon("ada", (0, 10), used, charged, [ALL, FILM_A])
    assert [line.amount for line in invoice.lines] == [399, 600, 11], "half a unit is rounded up"
    assert invoice.amount == 1010
    assert reckon("ada", (0, 10), used, [], []).amount == 0


@given(st.integers(0, 10**15), st.integers(0, 10**6))
def test_an_amount_is_off_by_half_a_unit_at_most(sent_bytes, per_gigabyte):
    used = [Usage(subscriber="a1", program="film-b", viewings=0, sent_bytes=sent_bytes)]
    amount = reckon("ada", (0, 1), used, [], [Tariff(what="*", per_gigabyte=per_gigabyte)]).amount
    assert abs(amount * GIGABYTE - sent_bytes * per_gigabyte) * 2 <= GIGABYTE


def test_a_name_does_not_become_a_formula_in_a_spreadsheet():
    invoice = reckon("=1+1", (0, 1), [Usage(subscriber="a", program="p", viewings=1, sent_bytes=1)], [], [])
    assert list(csv.reader(io.StringIO(csv_rows(invoice)))) == [["'=1+1", "p", "1", "1", "0"]]
