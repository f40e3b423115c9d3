"""The networks of this laptop: each state folder that a network was up in has a link to it, and each number a holder.

The links are in `media-station-networks` under XDG_STATE_HOME. One whose folder is gone is removed when it is seen.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from chassis_emulator.network.errors import StateFolderError
from chassis_emulator.network.state_folder import StateFolder
from media_network.default_state import default_state_folder

logger = logging.getLogger(__name__)

_HOLDERS = Path("/proc/net/unix")
_HOLDER = re.compile(r"@media-station/network/(\d{1,3})$", re.MULTILINE)
"""What `holding_name` holds for a network, as the kernel lists it."""


class KnownNetwork(Struct, frozen=True, kw_only=True):
    """A network, up or down."""

    network: int
    """Its number: its addresses are 127.<network>.x.y."""
    name: str | None
    """None of one that is somebody else's."""
    state: str
    """`up` or `down`."""
    stations: int | None
    blades: int | None
    folder: str | None
    """Where its state is."""


def remember(folder: StateFolder) -> None:
    """Let `known_networks` find a folder later; where links cannot be made it will not."""
    path = folder.path.resolve()
    try:
        links = _links()
        links.mkdir(mode=0o700, parents=True, exist_ok=True)
        link = _link(links, path)
        if not link.is_symlink():
            link.symlink_to(path)
    except OSError as error:
        logger.warning("%s will not be listed: %s", path, error)


def forget(folder: StateFolder) -> None:
    """Let it not be found any more."""
    with suppress(OSError):
        _link(_links(), folder.path.resolve()).unlink(missing_ok=True)


def known_networks(also: StateFolder) -> list[KnownNetwork]:
    """Those that are or were up on this laptop, and whoever else has a number; by number. Raises StateFolderError."""
    mine = [row for path in _paths(also) if (row := _row(StateFolder(path)))]
    taken = {row.network for row in mine if row.state == "up"}
    others = [
        KnownNetwork(network=number, name=None, state="up", stations=None, blades=None, folder=None)
        for number in _held_numbers() - taken
    ]
    return sorted((*mine, *others), key=lambda row: (row.network, row.state != "up", row.folder or ""))


def _paths(also: StateFolder) -> Iterator[Path]:
    usual = default_state_folder({**os.environ, "MEDIA_STATION_STATE": ""}, Path.home())
    yield from dict.fromkeys((also.path.resolve(), usual.resolve(), *_linked()))


def _linked() -> Iterator[Path]:
    links = _links()
    for link in sorted(links.iterdir()) if links.is_dir() else ():
        if link.is_dir():
            yield link.resolve()
        elif link.is_symlink():
            with suppress(OSError):
                link.unlink()


def _row(folder: StateFolder) -> KnownNetwork | None:
    record = folder.record()
    if record is None:
        return None
    try:
        is_up = folder.is_up()
    except StateFolderError:
        return None  # a folder of somebody else's
    return KnownNetwork(
        network=record.network,
        name=record.name,
        state="up" if is_up else "down",
        stations=len(record.topology.every_station),
        blades=sum(station.slots for station in record.topology.every_station),
        folder=str(folder.path),
    )


def _held_numbers() -> set[int]:
    try:
        return {int(number) for number in _HOLDER.findall(_HOLDERS.read_text(errors="replace"))}
    except OSError:
        return set()


def _links() -> Path:
    usual = default_state_folder({**os.environ, "MEDIA_STATION_STATE": ""}, Path.home())
    return usual.with_name(f"{usual.name}-networks")


def _link(links: Path, path: Path) -> Path:
    return links / hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
