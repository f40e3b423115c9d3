"""`auth`: an authentication server, its subscribers, and the keys of its tokens.

The commands work on the server's file, whether it runs or not: who may read that file is its operator.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from distribution_center.commands.moment import in_words
from distribution_center.commands.whose_subscribers import (
    granting_options,
    require_program_name,
    require_subscriber_name,
    subscribers_option,
)
from media_network.cli import (
    Commands,
    UserError,
    echo_json,
    json_option,
    run_until_told,
    saying,
)
from media_network.messages.authentication import PASSWORD_MAX
from media_network.password_input import password_option, read_password
from media_network.settings import SettingsError, read_settings
from media_network.table import table_or
from media_network.time_of_day import now_ms
from media_network.whereabouts import authentication_state

if TYPE_CHECKING:
    from distribution_center.authentication.settings import AuthenticationSettings
    from distribution_center.authentication.subscriber_file import Entitlement, SubscriberFile
    from distribution_center.authentication.subscribers import Subscriber

_DEFAULT_SETTINGS = Path("/etc/media-station/auth.toml")
_PACKAGE = "package:"
_LISTED_MAX = 1000
_NOBODY = "There is no subscriber yet; `distribution-center auth add-subscriber NAME` adds one."
_NO_KEYS = "There are no keys yet: the server makes them when it runs first."


class SubscriberRow(Struct, frozen=True, kw_only=True):
    """A subscriber, as `auth subscribers` lists them."""

    name: str
    id: str
    suspended: bool
    stations: tuple[str, ...]
    entitlements: tuple["EntitlementRow", ...]


class EntitlementRow(Struct, frozen=True, kw_only=True):
    """What was granted."""

    what: str
    from_ms: int | None
    until_ms: int | None


class KeyRow(Struct, frozen=True, kw_only=True):
    """A key of tokens; its secret half is shown by nothing."""

    place: str
    kid: str
    algorithm: str
    made_at_ms: int


@click.group(cls=Commands)
def auth() -> None:
    """The authentication server: subscribers log in there, and their consoles get tokens.

    \b
    Example:
      distribution-center auth run --settings auth.toml
      distribution-center auth add-subscriber ada --settings auth.toml
      distribution-center auth entitle ada '*' --settings auth.toml
    """


_settings_option = subscribers_option("the server", _DEFAULT_SETTINGS)


@auth.command("run")
@click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    default=_DEFAULT_SETTINGS,
    show_default=True,
    help="TOML file with address, state.",
)
def run_server(path: Path) -> None:
    """Run an authentication server.

    \b
    Example:
      distribution-center auth run --settings /etc/media-station/auth.toml
    """
    import random

    from distribution_center.authentication.authentication_server import run_authentication

    settings = _read_settings(path)
    with _unfit(), saying("the authentication server cannot run", f"Check `address` and `state` in {path}."):
        run_until_told(run_authentication(settings, random.SystemRandom()))


@auth.command("add-subscriber")
@click.argument("name")
@click.option(
    "--station", "stations", multiple=True, metavar="NAME", help="May watch at this station only; repeatable."
)
@password_option
@_settings_option
def add_subscriber(
    *, name: str, stations: tuple[str, ...], password_file: Path | None, settings: Path | None, state_dir: Path
) -> None:
    """Add a subscriber NAME. The password is asked for, or read from a file; it is never an argument.

    \b
    Example:
      distribution-center auth add-subscriber ada --station north
    """
    from distribution_center.authentication.passwords import digest_of
    from distribution_center.authentication.subscriber_file import NameTaken

    require_subscriber_name(name)
    with _file(settings, state_dir) as file:
        if file.find(name):
            raise _taken(name)
        digest = digest_of(read_password(password_file, PASSWORD_MAX, confirm=True))
        try:
            file.add(name, digest, stations)
        except NameTaken:
            raise _taken(name) from None
    click.echo(f"{name} is added; `distribution-center auth entitle {name} PROGRAM` says what they may see.")


@auth.command("change-subscriber")
@click.argument("name")
@click.option("--password/--no-password", "asks", default=False, help="Set another password.")
@click.option("--suspend/--resume", "suspended", default=None, help="Give no more tokens, or again.")
@click.option("--remove", is_flag=True, help="Forget the subscriber, and what was granted.")
@password_option
@_settings_option
def change_subscriber(
    *,
    name: str,
    asks: bool,
    suspended: bool | None,
    remove: bool,
    password_file: Path | None,
    settings: Path | None,
    state_dir: Path,
) -> None:
    """Change the password of a subscriber NAME, suspend or remove them.

    Tokens that are out are good until they expire.

    \b
    Example:
      distribution-center auth change-subscriber ada --suspend
    """
    from distribution_center.authentication.passwords import digest_of

    with _file(settings, state_dir) as file:
        known = _known(file, name)
        if asks or password_file:
            file.set_password(known.id, digest_of(read_password(password_file, PASSWORD_MAX, confirm=True)))
        if suspended is not None:
            file.suspend(known.id, suspended=suspended)
        if remove:
            file.remove(known.id)
    click.echo(f"{name} is {'removed' if remove else 'changed'}.")


@auth.command()
@granting_options
@_settings_option
def entitle(
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
      distribution-center auth entitle ada film-5f1c09ab --until +2d
      distribution-center auth entitle ada package:classics
    """
    from media_network.messages.subscribers import FOR_EVER_MS

    if from_ms is not None and until_ms is not None and until_ms <= from_ms:
        raise UserError("--until is not after --from", "Name a later time.")
    wanted = [_granted(one, from_ms or 0, FOR_EVER_MS if until_ms is None else until_ms) for one in what]
    with _file(settings, state_dir) as file:
        known = _known(file, name)
        for one in wanted:
            if withdraw:
                file.withdraw(known.id, one.what, package=one.package)
            else:
                file.entitle(known.id, one)
    click.echo(f"{name} may {'not ' if withdraw else ''}see {', '.join(what)}.")


@auth.command()
@click.argument("name")
@click.argument("programs", nargs=-1, metavar="PROGRAM...")
@click.option("--remove", is_flag=True, help="Take these programs out of it.")
@json_option("an object with `package` and `programs`")
@_settings_option
def package(
    *, name: str, programs: tuple[str, ...], remove: bool, as_json: bool, settings: Path | None, state_dir: Path
) -> None:
    """Put programs into a package NAME; without programs, show what is in it.

    \b
    Example:
      distribution-center auth package classics film-5f1c09ab film-77aa0c31
    """
    for program in (name, *programs):
        require_program_name(program)
    with _file(settings, state_dir) as file:
        (file.take_from_package if remove else file.add_to_package)(name, programs)
        held = file.package(name)
    if as_json:
        echo_json({"package": name, "programs": held})
    else:
        click.echo(f"{name}: {', '.join(held) or 'nothing'}")


@auth.command()
@click.option("--after", default="", metavar="NAME", help=f"Those after this name: {_LISTED_MAX} are shown at a time.")
@json_option("an array with `name`, `entitlements` and more")
@_settings_option
def subscribers(*, after: str, as_json: bool, settings: Path | None, state_dir: Path) -> None:
    """List the subscribers, and what they may see.

    \b
    Example:
      distribution-center auth subscribers --json
    """
    with _file(settings, state_dir) as file:
        rows = [_row(file, one) for one in file.listed(after, _LISTED_MAX)]
    if as_json:
        echo_json(rows)
        return
    headings = ("SUBSCRIBER", "MAY SEE", "AT", "")
    cells = [
        (
            row.name,
            ", ".join(map(_in_words, row.entitlements)) or "nothing",
            ", ".join(row.stations) or "every station",
            "suspended" if row.suspended else "",
        )
        for row in rows
    ]
    click.echo(table_or(_NOBODY, headings, cells))


@auth.command()
@json_option("an array with `place`, `kid` and more")
@_settings_option
def keys(*, as_json: bool, settings: Path | None, state_dir: Path) -> None:
    """List the keys of tokens. Their secret halves are shown by nothing.

    \b
    Example:
      distribution-center auth keys
    """
    with _file(settings, state_dir) as file:
        rows = _key_rows(file)
    _show_keys(rows, as_json=as_json)


@auth.command()
@click.option("--force", is_flag=True, help="Also if tokens of the key that goes have yet to expire.")
@click.option("--revoke", is_flag=True, help="Take all keys away, and begin anew: all tokens are void.")
@json_option("an array with `place`, `kid` and more")
@_settings_option
def rotate(*, force: bool, revoke: bool, as_json: bool, settings: Path | None, state_dir: Path) -> None:
    """Sign with the next key from now on, and make another next one. No viewer is refused for it.

    \b
    Example:
      distribution-center auth rotate
    """
    from distribution_center.authentication.key_ring import KeyRing

    known = _whose(settings, state_dir)
    with _file(settings, state_dir) as file:
        ring, now = file.key_ring(), now_ms()
        if ring is None or revoke:
            file.keep_key_ring(KeyRing.begin(known.algorithm, now))
        else:
            # The key that goes has signed nothing since it became the previous one.
            fresh_ms = ring.turned_at_ms + max(known.token_s, known.renewal_s) * 1000 - now
            if fresh_ms > 0 and len(ring.keys) > 2 and not force:
                raise UserError(
                    f"tokens and renewals of the previous key are good for {fresh_ms // 3_600_000 + 1} h more",
                    "Rotate again later, or with --force: whoever has them logs in again then.",
                )
            file.keep_key_ring(ring.turned(known.algorithm, now))
        rows = _key_rows(file)
    _show_keys(rows, as_json=as_json)


def _whose(settings: Path | None, state_dir: Path) -> "AuthenticationSettings":
    from distribution_center.authentication.settings import AuthenticationSettings

    folder = authentication_state(state_dir)
    if settings is None and folder.is_dir():
        return AuthenticationSettings(address="127.0.0.1", state=str(folder))
    return _read_settings(settings or _DEFAULT_SETTINGS)


def _read_settings(path: Path) -> "AuthenticationSettings":
    from distribution_center.authentication.settings import AuthenticationSettings

    try:
        return read_settings(path, AuthenticationSettings)
    except SettingsError as error:
        raise UserError(str(error), error.hint or "docs/operations/authentication.md describes every key.") from error


@contextmanager
def _file(settings: Path | None, state_dir: Path) -> Iterator["SubscriberFile"]:
    from distribution_center.authentication.subscriber_file import SubscriberFile

    with _unfit(), closing(SubscriberFile(Path(_whose(settings, state_dir).state))) as file:
        yield file


@contextmanager
def _unfit() -> Iterator[None]:
    from distribution_center.authentication.subscriber_file import SubscribersUnfit

    try:
        yield
    except SubscribersUnfit as error:
        raise UserError(str(error), "docs/operations/authentication.md has a section on it.") from error


def _known(file: "SubscriberFile", name: str) -> "Subscriber":
    known = file.find(name)
    if known is None:
        names = ", ".join(one.name for one in file.listed("", 20)) or "nobody yet"
        raise UserError(f"There is no subscriber {name[:80]!r}", f"Subscribers: {names}.")
    return known


def _taken(name: str) -> UserError:
    return UserError(f"there is a subscriber {name} already", "`auth change-subscriber` sets another password.")


def _granted(what: str, from_ms: int, until_ms: int) -> "Entitlement":
    from distribution_center.authentication.subscriber_file import Entitlement
    from media_network.messages.subscribers import ANY_PROGRAM

    name = what.removeprefix(_PACKAGE)
    if what != ANY_PROGRAM:
        require_program_name(name)
    return Entitlement(what=name, package=name != what, from_ms=from_ms, until_ms=until_ms)


def _row(file: "SubscriberFile", known: "Subscriber") -> SubscriberRow:
    from media_network.messages.subscribers import FOR_EVER_MS

    return SubscriberRow(
        name=known.name,
        id=known.id,
        suspended=known.suspended,
        stations=known.stations,
        entitlements=tuple(
            EntitlementRow(
                what=f"{_PACKAGE if one.package else ''}{one.what}",
                from_ms=one.from_ms or None,
                until_ms=one.until_ms if one.until_ms < FOR_EVER_MS else None,
            )
            for one in file.entitlements(known.id)
        ),
    )


def _in_words(row: EntitlementRow) -> str:
    begins = f" from {in_words(row.from_ms)}" if row.from_ms else ""
    ends = f" until {in_words(row.until_ms)}" if row.until_ms else ""
    return f"{row.what}{begins}{ends}"


def _key_rows(file: "SubscriberFile") -> list[KeyRow]:
    ring = file.key_ring()
    return [
        KeyRow(place=one.place.value, kid=one.key.kid, algorithm=one.key.algorithm.value, made_at_ms=one.made_at_ms)
        for one in (ring.keys if ring else ())
    ]


def _show_keys(rows: list[KeyRow], *, as_json: bool) -> None:
    if as_json:
        echo_json(rows)
        return
    cells = [(row.place, row.kid, row.algorithm, in_words(row.made_at_ms)) for row in rows]
    click.echo(table_or(_NO_KEYS, ("KEY", "NAME", "ALGORITHM", "MADE"), cells))
