"""Where a network on this laptop keeps its state, and where its distribution centers answer.

Every command that talks to such a network takes `--state-dir`, or `MEDIA_STATION_STATE`.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from media_network.address import Address
from media_network.status import ProcessStatus, read_status

IDENTITY_VARIABLE = "MEDIA_STATION_IDENTITY"
"""Names the folder of an operator's identity, as `distribution-center pki issue` makes it."""
OPERATOR = "operator"
"""Whoever types commands for a network on this laptop."""


def identities_folder(folder: Path) -> Path:
    """Where the identities of the parties of a network on this laptop are; there is none where they have no such."""
    return folder / "identities"


def find_identity(folder: Path, environment: Mapping[str, str]) -> Path | None:
    """The folder of an operator's identity: the one that the variable names, or the network's in `folder`; None: there
    is none, for nobody shows who he is."""
    if named := environment.get(IDENTITY_VARIABLE):
        return Path(named)
    own = identities_folder(folder) / OPERATOR
    return own if own.is_dir() else None


def center_state(folder: Path) -> Path:
    """Folder of the distribution center in a network's state folder."""
    return folder / "center"


def authentication_state(folder: Path) -> Path:
    """Folder of the authentication server in a network's state folder; there is none where it has no such server."""
    return folder / "authentication"


def accounts_state(folder: Path) -> Path:
    """Folder of subscriber management and billing in a network's state folder; there is none where it has none."""
    return folder / "accounts"


def find_authentication(folder: Path) -> Address | None:
    """Where the authentication server of the network in `folder` answers consoles; None if none has run."""
    status = read_status(authentication_state(folder))
    return _parse(status.media) if status else None


def other_center_state(folder: Path, center: str) -> Path:
    """Folder of a further distribution center, by its name."""
    return folder / "centers" / center


def mam_state(folder: Path) -> Path:
    """Folder of the media asset management of the headquarters."""
    return folder / "mam"


def find_center(folder: Path, name: str | None = None) -> Address | None:
    """Where a distribution center of the network in `folder` answers operators: the one of that name, or the only one,
    which of several is the headquarters. None while none such runs."""
    return _find(folder, name, lambda status: status.control)


def find_center_media(folder: Path, name: str | None = None) -> Address | None:
    """Where it answers consoles."""
    return _find(folder, name, lambda status: status.media)


def find_mam(folder: Path) -> Address | None:
    """Where the media asset management of the network in `folder` answers operators; None while none runs."""
    status = read_status(mam_state(folder))
    return _parse(status.control) if status else None


def known_centers(folder: Path) -> tuple[str, ...]:
    """Names of the distribution centers of the network in `folder`, the headquarters first."""
    return tuple(status.station for status in _statuses(folder) if status.station)


def _find(folder: Path, name: str | None, where: Callable[[ProcessStatus], str]) -> Address | None:
    if name is None:
        status = read_status(center_state(folder))
    else:
        status = next((status for status in _statuses(folder) if status.station == name), None)
    return _parse(where(status)) if status else None


def _statuses(folder: Path) -> Iterator[ProcessStatus]:
    try:
        others = sorted((folder / "centers").iterdir())
    except OSError:
        others = []
    for state in (center_state(folder), *others):
        if status := read_status(state):
            yield status


def _parse(text: str) -> Address | None:
    try:
        return Address.parse(text)
    except ValueError:
        return None
