"""Where `blade-agent` begins."""

from media_network.interrupting import ending_silently


def main() -> None:
    """`blade-agent`."""
    with ending_silently():
        from blade_agent.cli import main as commands  # noqa: PLC0415 -- slow, and Ctrl-C is quiet from here on

    commands()
