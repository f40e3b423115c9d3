"""Users generated for a network: made once, kept in its state folder, told to the parts that let them in.

Each center has its own, for itself and its stations. Those of the only one, or of the headquarters, stand by
themselves in the file, and those of the others under `centers`.
"""

import random
import string
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from blade_agent.chassis_manager.lan.users import LanUser, generated_administrator
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import VIEWER, Topology
from distribution_center.accounts.opening import opened_database
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.accounts.stored_subscribers import StoredSubscribers
from distribution_center.accounts.subscriber_management import ManagedSubscriber
from distribution_center.authentication.passwords import digest_of
from distribution_center.authentication.subscriber_file import SubscriberFile, for_ever
from media_network.messages.subscribers import ANY_PROGRAM, Grant
from media_network.snmp.keys import AUTH_PROTOCOLS, password_to_key
from media_network.snmp.settings import READ_ONLY, READ_WRITE, UserSettings
from media_network.time_of_day import now_ms

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_OCTETS = 24
_GROUPS = {"read_only": READ_ONLY, "read_write": READ_WRITE}
_NAMES = {"read_only": "reader", "read_write": "writer"}


class SnmpUsers(NamedTuple):
    """The two whom every SNMP agent of a center and its stations answers."""

    read_only: UserSettings
    read_write: UserSettings


class NetworkUsers(NamedTuple):
    """Whom the parts of a center and its stations let in."""

    ipmi: LanUser
    """Every chassis manager does."""
    snmp: SnmpUsers


def network_users(folder: StateFolder, topology: Topology) -> dict[str, NetworkUsers]:
    """By center; those that are not there yet are made. Raises StateFolderError."""
    users = folder.read_credentials()
    before = deepcopy(users)
    found = {}
    for center in topology.centers:
        own = users if center.name == topology.center.name else _of_other(users, center.name)
        found[center.name] = NetworkUsers(_ipmi_administrator(own), _snmp_users(own))
    if users != before:
        folder.write_credentials(users)
    return found


def _of_other(users: dict[str, Any], center: str) -> dict[str, Any]:
    own: dict[str, Any] = users.setdefault("centers", {}).setdefault(center, {})
    return own


def _ipmi_administrator(users: dict[str, Any]) -> LanUser:
    if "ipmi" not in users:
        made = generated_administrator(random.SystemRandom())
        users["ipmi"] = {"user": made.name, "password": made.password}
    known = users["ipmi"]
    return LanUser(name=known["user"], password=known["password"], privilege="administrator")


def _snmp_users(users: dict[str, Any]) -> SnmpUsers:
    if "snmp" not in users:
        users["snmp"] = {name: _made(user) for name, user in _NAMES.items()}
    known = users["snmp"]
    return SnmpUsers(**{name: UserSettings(**known[name], group=group) for name, group in _GROUPS.items()})


def first_subscriber(folder: StateFolder, authentication: Path) -> None:
    """Have a subscriber who may see everything, with the state of an authentication server in that folder.

    Raises StateFolderError, SubscribersUnfit.
    """
    users = folder.read_credentials()
    generated = "console" not in users
    if generated:
        users["console"] = {"user": VIEWER, "password": _password()}
        folder.write_credentials(users)
    known = users["console"]
    with closing(SubscriberFile(authentication, check=True)) as file:
        subscriber = file.find(known["user"])
        if subscriber is None:
            subscriber = file.add(known["user"], digest_of(known["password"]))
            file.entitle(subscriber.id, for_ever(ANY_PROGRAM))
        elif generated:
            file.set_password(subscriber.id, digest_of(known["password"]))


async def first_account(accounts: AccountsSettings, authentication: Path) -> None:
    """Have subscriber management know the subscriber who may see everything. Raises AccountsUnfit, SubscribersUnfit."""
    with closing(SubscriberFile(authentication)) as file:
        subscriber = file.find(VIEWER)
    async with opened_database(accounts.database_place, check=True) as database:
        stored = StoredSubscribers(database)
        if subscriber and await stored.find(VIEWER) is None:
            now = now_ms()
            await stored.add(ManagedSubscriber(id=subscriber.id, name=VIEWER, added_at_ms=now))
            await stored.grant(subscriber.id, Grant(what=ANY_PROGRAM), now)


def digest_passwords(users: SnmpUsers) -> None:
    """Digest the passwords once: whoever is forked after this need not."""
    for user in users:
        for password in (user.auth_password, user.priv_password):
            password_to_key(AUTH_PROTOCOLS[user.auth_protocol].digest, password.encode())


def _made(user: str) -> dict[str, str]:
    return {
        "user": user,
        "auth_protocol": "SHA-256",
        "auth_password": _password(),
        "priv_protocol": "AES",
        "priv_password": _password(),
    }


def _password() -> str:
    rng = random.SystemRandom()
    return "".join(rng.choice(_ALPHABET) for _ in range(_PASSWORD_OCTETS))
