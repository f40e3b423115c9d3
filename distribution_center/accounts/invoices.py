"""What a subscriber owes for a period, reckoned from usage, charges and tariffs. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from distribution_center.accounts.ledger import AccountCharge, Tariff, Usage
from media_network.messages.subscribers import ANY_PROGRAM

GIGABYTE = 10**9
_FREE = Tariff(what=ANY_PROGRAM)
CSV_HEADINGS = ("subscriber", "what", "viewings", "sent_bytes", "amount")


class InvoiceLine(Struct, frozen=True, kw_only=True):
    """One thing that is paid for."""

    what: str
    viewings: int = 0
    sent_bytes: int = 0
    amount: int
    """In the smallest unit of the currency."""


class Invoice(Struct, frozen=True, kw_only=True):
    """What a subscriber owes."""

    subscriber: str
    """By the operator's name."""
    from_ms: int
    until_ms: int
    lines: tuple[InvoiceLine, ...]
    amount: int


def reckon(
    subscriber: str,
    period: tuple[int, int],
    used: Iterable[Usage],
    charged: Iterable[AccountCharge],
    tariffs: Sequence[Tariff],
) -> Invoice:
    """An invoice: a line a charge, and a line a program. Each line is rounded once, half up."""
    by_program = {tariff.what: tariff for tariff in tariffs}
    lines = (*map(_charge_line, charged), *(_usage_line(each, by_program) for each in used))
    return Invoice(
        subscriber=subscriber,
        from_ms=period[0],
        until_ms=period[1],
        lines=lines,
        amount=sum(line.amount for line in lines),
    )


def _charge_line(charge: AccountCharge) -> InvoiceLine:
    return InvoiceLine(what=charge.what, amount=charge.amount)


def _usage_line(used: Usage, tariffs: Mapping[str, Tariff]) -> InvoiceLine:
    tariff = tariffs.get(used.program) or tariffs.get(ANY_PROGRAM) or _FREE
    for_bytes = (used.sent_bytes * tariff.per_gigabyte + GIGABYTE // 2) // GIGABYTE
    return InvoiceLine(
        what=used.program,
        viewings=used.viewings,
        sent_bytes=used.sent_bytes,
        amount=used.viewings * tariff.per_viewing + for_bytes,
    )


def csv_rows(invoice: Invoice) -> str:
    """A row a line, without headings; what a spreadsheet would take for a formula stands behind an apostrophe."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    for line in invoice.lines:
        rows.writerow(
            (_harmless(invoice.subscriber), _harmless(line.what), line.viewings, line.sent_bytes, line.amount)
        )
    return text.getvalue()


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
