"""Users generated for a network: made once, kept in its state folder, told to the parts that let them in."""

import random
import string
from typing import NamedTuple

from blade_agent.chassis_manager.lan.users import LanUser, generated_administrator
from chassis_emulator.network.state_folder import StateFolder
from media_network.snmp.keys import AUTH_PROTOCOLS, password_to_key
from media_network.snmp.settings import READ_ONLY, READ_WRITE, UserSettings

_ALPHABET = string.ascii_letters + string.digits
_PASSWORD_OCTETS = 24
_GROUPS = {"read_only": READ_ONLY, "read_write": READ_WRITE}
_NAMES = {"read_only": "reader", "read_write": "writer"}


class SnmpUsers(NamedTuple):
    """The two whom every SNMP agent of the network answers."""

    read_only: UserSettings
    read_write: UserSettings


def ipmi_administrator(folder: StateFolder) -> LanUser:
    """The one whom every chassis manager of the network lets in. Raises StateFolderError."""
    users = folder.read_credentials()
    if "ipmi" not in users:
        made = generated_administrator(random.SystemRandom())
        users["ipmi"] = {"user": made.name, "password": made.password}
        folder.write_credentials(users)
    known = users["ipmi"]
    return LanUser(name=known["user"], password=known["password"], privilege="administrator")


def snmp_users(folder: StateFolder) -> SnmpUsers:
    """Those whom every SNMP agent of the network answers. Raises StateFolderError."""
    users = folder.read_credentials()
    if "snmp" not in users:
        users["snmp"] = {name: _made(user) for name, user in _NAMES.items()}
        folder.write_credentials(users)
    known = users["snmp"]
    return SnmpUsers(**{name: UserSettings(**known[name], group=group) for name, group in _GROUPS.items()})


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
