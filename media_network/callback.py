"""The callback of nobody."""


def do_nothing(*_: object) -> None:
    """Stand where a callback is called and nobody wants to know: not yet, not any more, or not at all."""
