"""Identities of a network's parties: an authority in its state folder, and what it has issued; made at `up`.

Each is a folder by the name of its process, with a dot for the slash; `operator` is the person's who types commands,
`nms` that of a network management system, and the environment asks as `emulator`.
"""

import asyncio
import logging
import shutil
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from chassis_emulator.network.errors import StateFolderError
from chassis_emulator.topology.plan import NetworkPlan
from media_network.identity.authority_folder import LIVES, AuthorityFolder, AuthorityUnfit
from media_network.identity.certificates import Authority, BadCertificate, hosts_of, read_certificate, utc_now
from media_network.identity.identity import Identity, IdentityKind
from media_network.identity.settings import CREDENTIALS, IdentitySettings
from media_network.os_trouble import in_words
from media_network.whereabouts import OPERATOR, identities_folder

logger = logging.getLogger(__name__)

EMULATOR = "emulator"
NMS = "nms"
_LOOK_S = 3600.0


class _Party(NamedTuple):
    name: str
    identity: Identity
    hosts: tuple[str, ...]


def network_identities(plan: NetworkPlan, state: Path) -> dict[str, IdentitySettings]:
    """Where each party of a network finds its identity, by name; empty where it has none. Those that are missing, are
    for other addresses, or end before half of their lives, are made. Raises StateFolderError."""
    folder = identities_folder(state)
    try:
        if not plan.topology.pki:
            shutil.rmtree(folder, ignore_errors=True)
            return {}
        return _made(plan, folder, utc_now())
    except (AuthorityUnfit, BadCertificate) as error:
        raise StateFolderError(state, f"{error}: remove {folder}, `up` makes new ones") from error
    except OSError as error:
        raise StateFolderError(state, in_words(error)) from error


async def keep_identities(plan: NetworkPlan, state: Path) -> None:
    """Renew, until cancelled, what is about to expire: whoever has it takes it up while it runs."""
    while plan.topology.pki:
        await asyncio.sleep(_LOOK_S)
        try:
            await asyncio.to_thread(network_identities, plan, state)
        except StateFolderError as error:
            logger.warning("identities cannot be renewed: %s", error)


def _made(plan: NetworkPlan, folder: Path, now: datetime) -> dict[str, IdentitySettings]:
    kept = AuthorityFolder(folder / "authority")
    authority = kept.load() if kept.exists else kept.found(plan.topology.name, now)
    made = {}
    for party in _parties(plan, authority.trust_domain):
        own = folder / party.name.replace("/", ".")
        if not _is_good(own, party, authority, kept.revoked_serials(), now):
            kept.issue(authority, party.identity, party.hosts, own, now)
        kept.hand_on(own)
        made[party.name] = IdentitySettings(
            credentials=str(own / CREDENTIALS), authority=str(kept.certificate), revoked=str(kept.revoked)
        )
    return made


def _parties(plan: NetworkPlan, domain: str) -> Iterator[_Party]:
    for center in plan.centers:
        yield _Party(center.name, Identity(domain, IdentityKind.CENTER, (center.center,)), (center.address.host,))
    if plan.mam:
        yield _Party(plan.mam.name, Identity(domain, IdentityKind.HEADQUARTERS), (plan.mam.address.host,))
    if plan.accounts:
        yield _Party(plan.accounts.name, Identity(domain, IdentityKind.ACCOUNTS), (plan.accounts.address.host,))
    for blade in plan.blades:
        names = (blade.station, str(blade.slot))
        yield _Party(blade.name, Identity(domain, IdentityKind.BLADE, names), (blade.address.host,))
    for name in (OPERATOR, EMULATOR, NMS):
        yield _Party(name, Identity(domain, IdentityKind.OPERATOR, (name,)), ())


def _is_good(own: Path, party: _Party, authority: Authority, revoked: Collection[int], now: datetime) -> bool:
    try:
        pem = (own / CREDENTIALS).read_bytes()
        shown = read_certificate(pem)
        signed = authority.has_signed(pem)
    except (FileNotFoundError, BadCertificate):
        return False
    lasts = shown.not_after - now > LIVES / 2
    counts = signed and shown.serial not in revoked
    return lasts and counts and (shown.identity, hosts_of(pem)) == (party.identity, party.hosts)
