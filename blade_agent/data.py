"""The data folders of the top level (`mibs/`, `hw_profiles/`): in a checkout beside the packages, in a wheel inside."""

from pathlib import Path


def data_folder(name: str) -> Path:
    """Where a data folder is, whether this is a checkout or an installed wheel."""
    package = Path(__file__).parent
    installed = package / "_data" / name
    return installed if installed.is_dir() else package.parent / name
