"""A network management system on duty."""

import asyncio
import logging
import os
import random
import re
from pathlib import Path

from distribution_center.network_management.alarms import AlarmList
from distribution_center.network_management.discovery import Discovered
from distribution_center.network_management.history import History
from distribution_center.network_management.live import Live
from distribution_center.network_management.monitor import Monitor
from distribution_center.network_management.network import Network
from distribution_center.network_management.notification_receiver import NotificationReceiver
from distribution_center.network_management.settings import NmsSettings
from distribution_center.network_management.snmp_poller import SnmpPoller
from distribution_center.network_management.web import Pages, serve_pages
from media_network.address import Address
from media_network.durable_file import set_aside
from media_network.holding import holding_folders
from media_network.http.client import HttpClient
from media_network.identity.credentials import credentials_of
from media_network.snmp.engine_file import start_engine
from media_network.snmp.usm import EngineIdentity
from media_network.status import ProcessStatus, StatusTeller

logger = logging.getLogger(__name__)

_TOKEN = re.compile(r"[0-9a-zA-Z_-]{16,}")
"""One that somebody chose is good too, if it is long enough."""
TOKEN_FILE = "token"  # noqa: S105 -- the name of the file


async def run_nms(settings: NmsSettings, rng: random.Random) -> None:
    """Run until cancelled.

    Raises AlreadyHeld: another process has its folder; OSError: it or an address cannot be used; HistoryError.
    """
    state = Path(settings.state)
    async with holding_folders(state, mode=0o700):
        await _run_in(state, settings, rng)


async def _run_in(state: Path, settings: NmsSettings, rng: random.Random) -> None:
    token, identity = await asyncio.get_running_loop().run_in_executor(None, _open_state, state, rng)
    history = History(state / "history.sqlite")
    found = Discovered(settings)
    poller = SnmpPoller(found.user_of, timeout_s=settings.timeout_s, retries=settings.retries, rng=rng)
    try:
        identification = credentials_of(settings.identity)
        async with HttpClient(rng, identification=identification) as http, asyncio.TaskGroup() as tasks:
            if identification:
                tasks.create_task(identification.keep_fresh(), name="identity")
            await _watch(settings, found, history, poller=poller, http=http, token=token, identity=identity, rng=rng)
    finally:
        poller.close()
        history.close()


async def _watch(
    settings: NmsSettings,
    found: Discovered,
    history: History,
    *,
    poller: SnmpPoller,
    http: HttpClient,
    token: str,
    identity: EngineIdentity,
    rng: random.Random,
) -> None:
    network = Network(found, AlarmList(*history.alarms()), settings.lost_after_s)
    live = Live(network)
    monitor = Monitor(settings, network, history, http=http, poller=poller, changed=live.changed)
    receiver = None
    if settings.notifications_port:
        listening = Address(settings.address, settings.notifications_port)
        users = dict.fromkeys(map(settings.user_at, settings.watched))
        receiver = NotificationReceiver(listening, users, identity, monitor.sender_heard, rng=rng)
        monitor.on_engine = receiver.know
    pages = Pages(settings, network=network, monitor=monitor, history=history, live=live, token=token)
    try:
        async with serve_pages(pages, Address(settings.address, settings.http_port)) as address:
            logger.info("the page is at http://%s/, the token for acknowledging in %s", address, settings.state)
            StatusTeller(Path(settings.state)).tell(_status(address))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(live.run(), name="page")
                tasks.create_task(monitor.run(), name="monitor")
    finally:
        await monitor.keep()
        if receiver is not None:
            receiver.close()


def _open_state(state: Path, rng: random.Random) -> tuple[str, EngineIdentity]:
    """The token, and who the receiver of informs is: made once; its starts are counted."""
    return _once(state / TOKEN_FILE, rng.randbytes(24).hex()), start_engine(state, rng)


def _once(path: Path, text: str) -> str:
    """What a file holds, if that is a token; else this, in a new one that its owner alone can read."""
    try:
        kept = path.read_text(errors="replace").strip()
    except FileNotFoundError:
        kept = None
    except OSError as error:
        kept = f"({error.strerror})"
    if kept is not None and _TOKEN.fullmatch(kept):
        return kept
    if kept is not None:
        logger.warning("%s holds no token, and is set aside as %s: there is a new one", path, set_aside(path))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(descriptor)
    return text


def _status(address: Address) -> ProcessStatus:
    return ProcessStatus(pid=os.getpid(), role="nms", state="serving", address=address.host, page=str(address))
