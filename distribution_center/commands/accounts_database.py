"""Where subscribers and the ledger are, and work on them: commands need no server, and what they change counts at once.

Who may read the database is its operator.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from distribution_center.commands.whose_subscribers import subscribers_option
from media_network.cli import UserError
from media_network.settings import SettingsError, read_settings
from media_network.whereabouts import accounts_state

if TYPE_CHECKING:
    from distribution_center.accounts.database import Database
    from distribution_center.accounts.settings import AccountsSettings
    from distribution_center.accounts.stored_subscribers import StoredSubscribers
    from distribution_center.accounts.subscriber_management import ManagedSubscriber

_Result = TypeVar("_Result")

DEFAULT_SETTINGS = Path("/etc/media-station/accounts.toml")
LISTED_MAX = 1000
_DESCRIBED = "docs/operations/accounts.md describes every key."


accounts_option = subscribers_option("subscriber management", DEFAULT_SETTINGS)


def read_accounts_settings(path: Path) -> "AccountsSettings":
    """What a file says. Raises UserError."""
    from distribution_center.accounts.settings import AccountsSettings

    try:
        return read_settings(path, AccountsSettings)
    except SettingsError as error:
        raise UserError(str(error), error.hint or _DESCRIBED) from error


def on_database(
    settings: Path | None, state_dir: Path, work: Callable[["Database"], Coroutine[Any, Any, _Result]]
) -> _Result:
    """Do something with the database that the options name. Raises UserError."""
    from distribution_center.accounts.database import AccountsUnfit
    from distribution_center.accounts.opening import opened_database

    place = _whose(settings, state_dir).database_place

    async def do() -> _Result:
        async with opened_database(place) as database:
            return await work(database)

    try:
        return asyncio.run(do())
    except AccountsUnfit as error:
        raise UserError(str(error), "docs/operations/accounts.md has a section on it.") from error


async def known_subscriber(subscribers: "StoredSubscribers", name: str) -> "ManagedSubscriber":
    """The subscriber of that name. Raises UserError."""
    known = await subscribers.find(name)
    if known is None:
        names = ", ".join(one.name for one in await subscribers.listed("", 20)) or "nobody yet"
        raise UserError(f"There is no subscriber {name[:80]!r}", f"Subscribers: {names}.")
    return known


def _whose(settings: Path | None, state_dir: Path) -> "AccountsSettings":
    from distribution_center.accounts.settings import AccountsSettings

    folder = accounts_state(state_dir)
    if settings is None and folder.is_dir():
        return AccountsSettings(state=str(folder))
    return read_accounts_settings(settings or DEFAULT_SETTINGS)
