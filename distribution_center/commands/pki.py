"""`pki`: a small authority for a laptop or a lab, and the identities that it gives to the parties."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from media_network.cli import Command, Commands, UserError, WholeRange, echo_json, json_option
from media_network.identity.identity import FORMS, BadIdentity, Identity
from media_network.table import table_or

if TYPE_CHECKING:
    from media_network.identity.authority_folder import AuthorityFolder, Issued

_DEFAULT = Path("/etc/media-station/authority")
_DAYS = 30
_NOBODY = "It has given nobody a certificate yet; `distribution-center pki issue NAME` does."


class CertificateRow(Struct, frozen=True, kw_only=True):
    """A certificate, as the commands tell of it."""

    name: str
    serial: str
    """Hexadecimal."""
    good_until: str
    """ISO 8601."""
    hosts: tuple[str, ...]
    revoked: bool


@click.group(cls=Commands)
def pki() -> None:
    """Who is who between machines: an authority in a folder, and the certificates that it gives.

    \b
    Example:
      distribution-center pki init lab.example
      distribution-center pki issue blade/north/2 --host 192.0.2.12 --output north-2
      distribution-center pki revoke blade/north/2
    """


def _authority_option(command: Command) -> Command:
    return click.option(
        "--authority",
        type=click.Path(file_okay=False, path_type=Path),
        default=_DEFAULT,
        show_default=True,
        help="Folder of the authority.",
    )(command)


_days_option = click.option(
    "--days", type=WholeRange(1, 825), default=_DAYS, show_default=True, help="How long the certificate is good."
)
_as_row = json_option("an object with `name`, `serial`, `good_until`, `hosts` and `revoked`")


@pki.command()
@click.argument("trust_domain")
@_authority_option
def init(*, trust_domain: str, authority: Path) -> None:
    """Make an authority for TRUST_DOMAIN: whoever has its folder can say who is who.

    \b
    Example:
      distribution-center pki init lab.example --authority ~/authority
    """
    from media_network.identity.certificates import utc_now

    with _saying(), _folder(authority) as folder:
        folder.found(trust_domain, utc_now())


@pki.command()
@click.argument("name")
@click.option("--host", "hosts", multiple=True, metavar="IP", help="An address at which NAME answers; may be repeated.")
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Folder for it.  [default: NAME, / as -]"
)
@_days_option
@_authority_option
@_as_row
def issue(*, name: str, hosts: tuple[str, ...], output: Path | None, days: int, authority: Path, as_json: bool) -> None:
    """Give NAME an identity: blade/STATION/SLOT, center/NAME, headquarters, accounts, operator/NAME.

    It is a folder for that party: identity.pem is its key and certificate; authority.pem and revoked.pem are
    everybody's.

    \b
    Example:
      distribution-center pki issue blade/north/2 --host 192.0.2.12 --output north-2
    """
    from media_network.identity.certificates import utc_now

    with _saying(), _folder(authority) as folder:
        known = folder.load()
        identity = Identity.named(known.trust_domain, name)
        to = output or Path(name.replace("/", "-"))
        _tell(folder.issue(known, identity, hosts, to, utc_now(), timedelta(days=days)), to, as_json=as_json)


@pki.command()
@click.argument("identity", type=click.Path(file_okay=False, exists=True, path_type=Path))
@_days_option
@_authority_option
@_as_row
def renew(*, identity: Path, days: int, authority: Path, as_json: bool) -> None:
    """Give the party whose folder IDENTITY is another key and certificate; it takes them up while it runs.

    \b
    Example:
      distribution-center pki renew north-2
    """
    from media_network.identity.certificates import utc_now

    with _saying(), _folder(authority) as folder:
        _tell(folder.renew(folder.load(), identity, utc_now(), timedelta(days=days)), identity, as_json=as_json)


@pki.command()
@click.argument("name")
@_authority_option
@json_option("an object with `name` and `revoked`, how many certificates it had")
def revoke(*, name: str, authority: Path, as_json: bool) -> None:
    """Have no certificate of NAME count any more, wherever the authority's revoked.pem is copied to.

    \b
    Example:
      distribution-center pki revoke blade/north/2
    """
    from media_network.identity.certificates import utc_now

    with _saying(), _folder(authority) as folder:
        known = folder.load()
        count = folder.revoke(known, Identity.named(known.trust_domain, name), utc_now())
        if not count:
            raise UserError(f"{name} has no certificate that counts", "`distribution-center pki list` shows them all.")
        if as_json:
            echo_json({"name": name, "revoked": count})
            return
        click.echo(f"{name}: {count} certificates are revoked. Copy {folder.revoked} to every party.")


@pki.command("list")
@_authority_option
@json_option("a list of such objects as `issue` prints")
def list_certificates(*, authority: Path, as_json: bool) -> None:
    """List the certificates that have yet to expire.

    \b
    Example:
      distribution-center pki list --json
    """
    from media_network.identity.certificates import utc_now

    with _saying(), _folder(authority) as folder:
        folder.load()
        rows = [_row(one) for one in folder.issued(utc_now())]
    if as_json:
        echo_json(rows)
        return
    shown = [(row.name, row.good_until, ", ".join(row.hosts), "revoked" if row.revoked else "") for row in rows]
    click.echo(table_or(_NOBODY, ("NAME", "GOOD UNTIL", "HOSTS", ""), shown))


def _row(issued: "Issued") -> CertificateRow:
    return CertificateRow(
        name=issued.identity.path,
        serial=f"{issued.serial:x}",
        good_until=issued.not_after.isoformat(),
        hosts=issued.hosts,
        revoked=issued.revoked,
    )


def _tell(issued: "Issued", to: Path, *, as_json: bool) -> None:
    row = _row(issued)
    if as_json:
        echo_json(row)
        return
    click.echo(f"{row.name}: in {to}, good until {row.good_until}")


@contextmanager
def _folder(path: Path) -> Iterator["AuthorityFolder"]:
    from media_network.identity.authority_folder import AuthorityFolder, AuthorityUnfit

    try:
        yield AuthorityFolder(path)
    except AuthorityUnfit as error:
        raise UserError(str(error), "`distribution-center pki init TRUST_DOMAIN` makes an authority.") from error


@contextmanager
def _saying() -> Iterator[None]:
    from media_network.identity.certificates import BadCertificate

    try:
        yield
    except BadIdentity as error:
        raise UserError(str(error), f"Names are {FORMS}.") from error
    except BadCertificate as error:
        raise UserError(str(error), "`distribution-center pki issue --help` shows what goes into one.") from error
