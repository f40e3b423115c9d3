"""Where `media-console` begins."""

from media_network.interrupting import ending_silently


def main() -> None:
    """`media-console`."""
    with ending_silently():
        from chassis_emulator.media_console.cli import main as commands  # noqa: PLC0415 -- slow, and Ctrl-C is quiet from here on

    commands()
