"""Which version of this package is installed: it is what a blade and a chassis manager say of their firmware."""

from functools import cache
from importlib.metadata import version

PACKAGE = "media-station"


@cache  # read from the package's metadata, by every blade of a nursery
def installed_version() -> str:
    """Version of the installed package.

    Raises PackageNotFoundError: it runs from a folder that was never installed.
    """
    return version(PACKAGE)
