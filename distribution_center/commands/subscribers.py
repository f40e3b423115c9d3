"""`subscribers`: who subscribes, and what they may see (claim 6)."""

import secrets
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec
from msgspec import Struct

from distribution_center.commands.accounts_database import (
    LISTED_MAX,
    accounts_option,
    known_subscriber,
    on_database,
    read_accounts_settings,
)
from distribution_center.commands.moment import Moment, in_words
from distribution_center.commands.whose_subscribers import (
    granting_options,
    require_program_name,
    require_subscriber_name,
)
from media_network.cli import (
    Commands,
    UserError,
    WholeRange,
    echo_json,
    json_option,
    run_until_told,
    saying,
    settings_option,
)
from media_network.messages.subscribers import ANY_PROGRAM, FOR_EVER_MS, Grant, SubscriberId, SubscriberState
from media_network.table import table_or
from media_network.time_of_day import now_ms

if TYPE_CHECKING:
    from distribution_center.accounts.database import Database
    from distribution_center.accounts.stored_subscribers import StoredSubscribers
    from distribution_center.accounts.subscriber_management import ManagedSubscriber

_PACKAGE = "package:"
_ID_BYTES = 8
_NOBODY = "There is no subscriber yet; `distribution-center subscribers add NAME` adds one."
_STATES = {"suspend": SubscriberState.SUSPENDED, "cancel": SubscriberState.CANCELLED, "resume": SubscriberState.ACTIVE}


class GrantRow(Struct, frozen=True, kw_only=True):
    """What was granted."""

    what: str
    from_ms: int | None
    until_ms: int | None


class ManagedRow(Struct, frozen=True, kw_only=True):
    """A subscriber, as `subscribers list` shows them."""

    name: str
    id: str
    state: str
    grants: tuple[GrantRow, ...]


@click.group(cls=Commands)
def subscribers() -> None:
    """Subscriber management and billing: run them, and say who may see what. Stations ask them through a cache.

    \b
    Example:
      distribution-center subscribers add ada
      distribution-center subscribers grant ada package:classics
    """


@subscribers.command("run")
@settings_option("/etc/media-station/accounts.toml", "state, address, database")
def run_them(path: Path) -> None:
    """Run subscriber management and billing.

    \b
    Example:
      distribution-center subscribers run --settings /etc/media-station/accounts.toml
    """
    from distribution_center.accounts.accounts_server import run_accounts
    from distribution_center.accounts.database import AccountsUnfit

    settings = read_accounts_settings(path)
    hint = f"Check `address`, `port`, `state` and `database` in {path}."
    try:
        with saying("subscriber management cannot run", hint):
            run_until_told(run_accounts(settings))
    except AccountsUnfit as error:
        raise UserError(str(error), hint) from error


@subscribers.command()
@click.argument("name")
@click.option("--id", "known_id", metavar="ID", help="As tokens name them.  [default: a new one]")
@accounts_option
def add(*, name: str, known_id: str | None, settings: Path | None, state_dir: Path) -> None:
    """Add a subscriber NAME. Tokens name them by ID, which `auth subscribers --json` shows.

    \b
    Example:
      distribution-center subscribers add ada --id 5f1c09ab77aa0c31
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers
    from distribution_center.accounts.subscriber_management import ManagedSubscriber, SubscriberTaken

    require_subscriber_name(name)
    made = known_id or secrets.token_hex(_ID_BYTES)
    try:
        msgspec.convert(made, SubscriberId)
    except msgspec.ValidationError:
        raise UserError(f"{made[:80]!r} is no id", "Use at most 64 letters, digits, and . _ -") from None

    async def work(database: "Database") -> None:
        try:
            await StoredSubscribers(database).add(ManagedSubscriber(id=made, name=name, added_at_ms=now_ms()))
        except SubscriberTaken:
            raise UserError(
                f"there is a subscriber {name} already, or one with the id {made}",
                "`distribution-center subscribers list` shows both.",
            ) from None

    on_database(settings, state_dir, work)
    click.echo(f"{name} is added with the id {made}; `distribution-center subscribers grant {name} WHAT` is next.")


@subscribers.command()
@click.argument("name")
@click.argument("how", type=click.Choice(list(_STATES)))
@accounts_option
def change(*, name: str, how: str, settings: Path | None, state_dir: Path) -> None:
    """Suspend, cancel or resume the subscription of NAME. Stations know it a moment later.

    What has begun goes on to its end.

    \b
    Example:
      distribution-center subscribers change ada suspend
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers

    async def work(database: "Database") -> None:
        stored = StoredSubscribers(database)
        await stored.set_state((await known_subscriber(stored, name)).id, _STATES[how])

    on_database(settings, state_dir, work)
    click.echo(f"{name} is {_STATES[how].value}.")


@subscribers.command()
@granting_options
@accounts_option
def grant(
    *,
    name: str,
    what: tuple[str, ...],
    from_ms: int | None,
    until_ms: int | None,
    withdraw: bool,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Let a subscriber NAME see WHAT: a program, `*` for all of them, or package:NAME.

    \b
    Example:
      distribution-center subscribers grant ada package:classics
      distribution-center subscribers grant ada film-5f1c09ab --until +2d
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers

    wanted = [_granted(one, from_ms, until_ms) for one in what]

    async def work(database: "Database") -> None:
        stored = StoredSubscribers(database)
        known = await known_subscriber(stored, name)
        for one in wanted:
            if withdraw:
                await stored.withdraw(known.id, one.what, package=one.package)
            else:
                await _saying_too_much(stored.grant(known.id, one, now_ms()))

    on_database(settings, state_dir, work)
    click.echo(f"{name} may {'not ' if withdraw else ''}see {', '.join(what)}.")


@subscribers.command()
@click.argument("name")
@click.argument("program")
@click.option("--from", "from_ms", type=Moment(), help="Not before this time.  [default: at once]")
@click.option("--until", "until_ms", type=Moment(), required=True, help="Until this time.")
@click.option("--price", type=WholeRange(0, 2**53), required=True, help="In the smallest unit of the currency: 399.")
@accounts_option
def rent(
    *,
    name: str,
    program: str,
    from_ms: int | None,
    until_ms: int,
    price: int,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Let a subscriber NAME see a PROGRAM for a while, and charge for it.

    \b
    Example:
      distribution-center subscribers rent ada film-5f1c09ab --until +2d --price 399
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers
    from distribution_center.accounts.subscriber_management import Rental

    rental = Rental(grant=_granted(program, from_ms, until_ms), price=price, at_ms=now_ms())

    async def work(database: "Database") -> None:
        stored = StoredSubscribers(database)
        await _saying_too_much(stored.rent((await known_subscriber(stored, name)).id, rental))

    on_database(settings, state_dir, work)
    click.echo(f"{name} may see {program} until {in_words(until_ms)}, for {price}.")


@subscribers.command()
@click.argument("name")
@click.argument("programs", nargs=-1, metavar="PROGRAM...")
@click.option("--remove", is_flag=True, help="Take these programs out of it.")
@click.option("--after", default="", metavar="PROGRAM", help=f"Show those after it: {LISTED_MAX} at a time.")
@json_option("an object with `package` and `programs`")
@accounts_option
def package(
    *,
    name: str,
    programs: tuple[str, ...],
    remove: bool,
    after: str,
    as_json: bool,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Put programs into a package NAME; without programs, show what is in it.

    \b
    Example:
      distribution-center subscribers package classics film-5f1c09ab film-77aa0c31
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers

    for each in (name, *programs):
        require_program_name(each)

    async def work(database: "Database") -> Iterable[str]:
        stored = StoredSubscribers(database)
        if remove:
            await stored.take_from_package(name, programs)
        else:
            await _saying_too_much(stored.add_to_package(name, programs))
        return await stored.package(name, after, LISTED_MAX)

    held = on_database(settings, state_dir, work)
    if as_json:
        echo_json({"package": name, "programs": held})
    else:
        click.echo(f"{name}: {', '.join(held) or 'nothing'}")


@subscribers.command("list")
@click.option("--after", default="", metavar="NAME", help=f"Those after this name: {LISTED_MAX} are shown at a time.")
@json_option("an array with `name`, `id`, `state` and `grants`")
@accounts_option
def list_them(*, after: str, as_json: bool, settings: Path | None, state_dir: Path) -> None:
    """List the subscribers, and what they may see.

    \b
    Example:
      distribution-center subscribers list --json
    """
    from distribution_center.accounts.stored_subscribers import StoredSubscribers

    async def work(database: "Database") -> list[ManagedRow]:
        stored = StoredSubscribers(database)
        return [await _row(stored, one) for one in await stored.listed(after, LISTED_MAX)]

    rows = on_database(settings, state_dir, work)
    if as_json:
        echo_json(rows)
        return
    cells = [(row.name, row.state, ", ".join(map(_in_words, row.grants)) or "nothing", row.id) for row in rows]
    click.echo(table_or(_NOBODY, ("SUBSCRIBER", "STATE", "MAY SEE", "ID"), cells))


async def _saying_too_much(granting: Coroutine[Any, Any, None]) -> None:
    from distribution_center.accounts.subscriber_management import TooMuchGranted

    try:
        await granting
    except TooMuchGranted as error:
        raise UserError(str(error), "Put programs into a package, and grant that.") from None


def _granted(what: str, from_ms: int | None, until_ms: int | None) -> Grant:
    begins, ends = from_ms or 0, FOR_EVER_MS if until_ms is None else until_ms
    if ends <= begins:
        raise UserError("--until is not after --from", "Name a later time.")
    name = what.removeprefix(_PACKAGE)
    if what != ANY_PROGRAM:
        require_program_name(name)
    return Grant(what=name, package=name != what, from_ms=begins, until_ms=ends)


async def _row(stored: "StoredSubscribers", known: "ManagedSubscriber") -> ManagedRow:
    return ManagedRow(
        name=known.name,
        id=known.id,
        state=known.state.value,
        grants=tuple(
            GrantRow(
                what=f"{_PACKAGE if one.package else ''}{one.what}",
                from_ms=one.from_ms or None,
                until_ms=one.until_ms if one.until_ms < FOR_EVER_MS else None,
            )
            for one in await stored.granted(known.id)
        ),
    )


def _in_words(row: GrantRow) -> str:
    begins = f" from {in_words(row.from_ms)}" if row.from_ms else ""
    ends = f" until {in_words(row.until_ms)}" if row.until_ms else ""
    return f"{row.what}{begins}{ends}"
