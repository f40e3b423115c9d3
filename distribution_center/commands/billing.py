"""`billing` and `reconcile`: tariffs, invoices, and whether the ledger has all that was sent (claim 6)."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from distribution_center.commands.accounts_database import (
    LISTED_MAX,
    accounts_option,
    known_subscriber,
    on_database,
)
from distribution_center.commands.moment import Moment
from distribution_center.commands.whose_subscribers import require_program_name
from media_network.cli import Command, Commands, UserError, WholeRange, echo_json, json_option
from media_network.messages.subscribers import ANY_PROGRAM
from media_network.table import table_or
from media_network.time_of_day import now_ms

if TYPE_CHECKING:
    from distribution_center.accounts.database import Database
    from distribution_center.accounts.invoices import Invoice
    from distribution_center.accounts.ledger import EngineTotal, Tariff

_MONEY = WholeRange(0, 2**53)
_NOTHING_COUNTED = "No engine has told anything yet."


class TotalRow(Struct, frozen=True, kw_only=True):
    """An engine's count beside the ledger's, as `reconcile` shows it."""

    engine: str
    boot: str
    counted_bytes: int | None
    under_way_bytes: int
    recorded_bytes: int
    difference_bytes: int


class Reconciliation(Struct, frozen=True, kw_only=True):
    """Whether the ledger has what the engines have sent."""

    equal: bool
    counted_bytes: int
    recorded_bytes: int
    nobodys_records: int
    """Usage whose viewing has not come: it is on no invoice yet."""
    nobodys_bytes: int
    engines: tuple[TotalRow, ...]


@click.group(cls=Commands)
def billing() -> None:
    """Subscriber billing: tariffs, what was used, and invoices.

    \b
    Example:
      distribution-center billing tariff '*' --per-viewing 50 --per-gigabyte 10
      distribution-center billing invoices --csv
    """


def _period_options(command: Command) -> Command:
    begins = click.option("--from", "from_ms", type=Moment(), help="From this time on.  [default: of this month]")
    ends = click.option("--until", "until_ms", type=Moment(), help="Until this time.  [default: now]")
    return begins(ends(command))


@billing.command()
@click.argument("what", required=False)
@click.option("--per-viewing", type=_MONEY, help="Of each viewing, in the smallest unit of the currency.")
@click.option("--per-gigabyte", type=_MONEY, help="Of 10^9 bytes that were sent.")
@json_option("an array with `what`, `per_viewing` and `per_gigabyte`")
@accounts_option
def tariff(
    *,
    what: str | None,
    per_viewing: int | None,
    per_gigabyte: int | None,
    as_json: bool,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Say what viewing WHAT costs: a program, or `*` for all others; without WHAT, show the tariffs.

    \b
    Example:
      distribution-center billing tariff '*' --per-viewing 50 --per-gigabyte 10
    """
    from distribution_center.accounts.ledger import Tariff
    from distribution_center.accounts.stored_ledger import StoredLedger

    if what is not None and what != ANY_PROGRAM:
        require_program_name(what)

    async def work(database: "Database") -> list["Tariff"]:
        ledger = StoredLedger(database)
        if what is not None:
            made = Tariff(what=what, per_viewing=per_viewing or 0, per_gigabyte=per_gigabyte or 0)
            await ledger.set_tariff(made)
        return list(await ledger.tariffs())

    tariffs = on_database(settings, state_dir, work)
    if as_json:
        echo_json(tariffs)
        return
    cells = [(each.what, str(each.per_viewing), str(each.per_gigabyte)) for each in tariffs]
    click.echo(table_or("Everything is free.", ("PROGRAM", "A VIEWING", "A GIGABYTE"), cells))


@billing.command()
@click.argument("names", nargs=-1, metavar="NAME...")
@_period_options
@click.option("--csv", "as_csv", is_flag=True, help="A row a line of an invoice, for a spreadsheet.")
@click.option("--after", default="", metavar="NAME", help=f"Those after this name: {LISTED_MAX} are shown at a time.")
@json_option("an array with `subscriber`, `lines`, `amount` and the period")
@accounts_option
def invoices(
    *,
    names: tuple[str, ...],
    from_ms: int | None,
    until_ms: int | None,
    as_csv: bool,
    after: str,
    as_json: bool,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Reckon what subscribers owe for a period, all of them or NAMEs. Amounts are in the currency's smallest unit.

    What blades have yet to deliver is not in it: the same invoice may become longer, and never shorter.

    \b
    Example:
      distribution-center billing invoices --from 2026-12-01T00:00 --until 2027-01-01T00:00 --csv
    """
    if as_csv and as_json:
        raise UserError("--csv and --json exclude each other", "Choose one of them.")
    period = _period(from_ms, until_ms)

    async def work(database: "Database") -> list["Invoice"]:
        return await _reckoned(database, names, after, period)

    reckoned = on_database(settings, state_dir, work)
    if as_csv:
        from distribution_center.accounts.invoices import CSV_HEADINGS, csv_rows

        click.echo(",".join(CSV_HEADINGS) + "\r\n" + "".join(map(csv_rows, reckoned)), nl=False)
    elif as_json:
        echo_json(reckoned)
    else:
        click.echo(_invoice_table(reckoned))


@click.command()
@json_option("an object with `equal`, `engines` and sums")
@accounts_option
def reconcile(*, as_json: bool, settings: Path | None, state_dir: Path) -> None:
    """Compare what engines have counted of the bytes they sent with the records in the ledger. Status 1: they differ.

    \b
    Example:
      distribution-center reconcile
    """
    from distribution_center.accounts.stored_ledger import StoredLedger

    async def work(database: "Database") -> Reconciliation:
        totals, nobodys = await StoredLedger(database).totals()
        return Reconciliation(
            equal=not any(total.difference_bytes for total in totals),
            counted_bytes=sum((total.counted_bytes or 0) - total.under_way_bytes for total in totals),
            recorded_bytes=sum(total.recorded_bytes for total in totals),
            nobodys_records=nobodys.records,
            nobodys_bytes=nobodys.sent_bytes,
            engines=tuple(map(_total_row, totals)),
        )

    found = on_database(settings, state_dir, work)
    if as_json:
        echo_json(found)
    else:
        click.echo(_reconciliation_table(found))
    if not found.equal:
        raise click.exceptions.Exit(1)


async def _reckoned(
    database: "Database", names: tuple[str, ...], after: str, period: tuple[int, int]
) -> list["Invoice"]:
    from distribution_center.accounts.invoices import reckon
    from distribution_center.accounts.stored_ledger import StoredLedger
    from distribution_center.accounts.stored_subscribers import StoredSubscribers

    stored, ledger = StoredSubscribers(database), StoredLedger(database)
    if names:
        known = [await known_subscriber(stored, name) for name in names]
    else:
        known = list(await stored.listed(after, LISTED_MAX))
    tariffs = await ledger.tariffs()
    return [
        reckon(
            each.name,
            period,
            await ledger.used(each.id, *period),
            await ledger.charged(each.id, *period),
            tariffs,
        )
        for each in known
    ]


def _period(from_ms: int | None, until_ms: int | None) -> tuple[int, int]:
    month = datetime.now().astimezone().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begins = int(month.timestamp() * 1000) if from_ms is None else from_ms
    ends = now_ms() + 1 if until_ms is None else until_ms
    if ends <= begins:
        raise UserError("--until is not after --from", "Name a later time.")
    return begins, ends


def _total_row(total: "EngineTotal") -> TotalRow:
    return TotalRow(
        engine=total.engine,
        boot=total.boot,
        counted_bytes=total.counted_bytes,
        under_way_bytes=total.under_way_bytes,
        recorded_bytes=total.recorded_bytes,
        difference_bytes=total.difference_bytes,
    )


def _invoice_table(reckoned: list["Invoice"]) -> str:
    cells = [
        (invoice.subscriber, line.what, str(line.viewings), str(line.sent_bytes), str(line.amount))
        for invoice in reckoned
        for line in invoice.lines
    ]
    nothing = "Nobody has used anything in that time."
    return table_or(nothing, ("SUBSCRIBER", "WHAT", "VIEWINGS", "BYTES", "AMOUNT"), cells)


def _reconciliation_table(found: Reconciliation) -> str:
    cells = [
        (
            row.engine,
            row.boot,
            "" if row.counted_bytes is None else str(row.counted_bytes),
            str(row.under_way_bytes),
            str(row.recorded_bytes),
            str(row.difference_bytes),
        )
        for row in found.engines
    ]
    headings = ("ENGINE", "BOOT", "COUNTED", "UNDER WAY", "RECORDED", "DIFFERENCE")
    verdict = "The ledger has all that was sent." if found.equal else "The ledger differs from what was counted."
    nobodys = f"\n{found.nobodys_records} records are of viewings that have not come." if found.nobodys_records else ""
    return f"{table_or(_NOTHING_COUNTED, headings, cells)}\n{verdict}{nobodys}"
