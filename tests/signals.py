"""Signals to the processes that tests start."""

import signal


def heed_signals() -> None:
    """Heed what a suite ignores that runs in the background, or under nohup. For `preexec_fn`: it is inherited."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
