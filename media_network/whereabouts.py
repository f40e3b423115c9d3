"""Where a network on this laptop keeps its state, and where its distribution center answers.

Every command that talks to such a network takes `--state-dir`, or `MEDIA_STATION_STATE`.
"""

from collections.abc import Mapping
from pathlib import Path

from media_network.address import Address
from media_network.status import read_status

STATE_VARIABLE = "MEDIA_STATION_STATE"


def default_state_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Where a network's state lies when nobody says: the variable, or the XDG state folder."""
    named = environment.get(STATE_VARIABLE)
    if named:
        return Path(named)
    xdg = environment.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path is invalid and must be ignored.
    return (Path(xdg) if xdg.startswith("/") else home / ".local" / "state") / "media-station"


def center_state(folder: Path) -> Path:
    """Folder of the distribution center in a network's state folder."""
    return folder / "center"


def find_center(folder: Path) -> Address | None:
    """Where the distribution center of the network in `folder` answers operators; None while none runs."""
    status = read_status(center_state(folder))
    return _parse(status.control) if status else None


def find_center_media(folder: Path) -> Address | None:
    """Where the distribution center of the network in `folder` answers consoles; None while none runs."""
    status = read_status(center_state(folder))
    return _parse(status.media) if status else None


def _parse(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None
