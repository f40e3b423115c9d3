"""Where `distribution-center` begins."""

from media_network.interrupting import ending_silently


def main() -> None:
    """`distribution-center`."""
    with ending_silently():
        from distribution_center.cli import main as commands  # noqa: PLC0415 -- slow, and Ctrl-C is quiet from here on

    commands()
