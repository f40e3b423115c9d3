"""Which state folder is meant where nobody names one."""

from collections.abc import Mapping
from pathlib import Path

STATE_VARIABLE = "MEDIA_STATION_STATE"


def default_state_folder(environment: Mapping[str, str], home: Path) -> Path:
    """Where a network's state lies when nobody says: the variable, or the XDG state folder."""
    named = environment.get(STATE_VARIABLE)
    if named:
        return Path(named)
    xdg = environment.get("XDG_STATE_HOME", "")
    # The XDG specification: a relative path is invalid and must be ignored.
    return (Path(xdg) if xdg.startswith("/") else home / ".local" / "state") / "media-station"
