"""Where the example topologies and scenarios are: in the installed package, or beside the packages in a checkout."""

from pathlib import Path

DEFAULT_EXAMPLE = "two-stations"

_PACKAGE = Path(__file__).resolve().parent


def examples_folder() -> Path:
    """The folder of example topologies."""
    installed = _PACKAGE / "_data" / "examples"
    return installed if installed.is_dir() else _PACKAGE.parent / "examples"


def examples() -> dict[str, Path]:
    """Every example topology by its name, which is the name of its file without `.yaml`."""
    return {path.stem: path for path in sorted(examples_folder().glob("*.yaml"))}


def scenarios() -> dict[str, Path]:
    """Every example scenario by its name."""
    return {path.stem: path for path in sorted((examples_folder() / "scenarios").glob("*.yaml"))}
