"""What a seed fails by, where it is to be seen to fail."""


def first_failure(tell, seeds):
    """The failure of the first of the seeds under which a story does not hold; None: it holds under all."""
    for seed in seeds:
        try:
            tell(seed)
        except BaseException as error:  # noqa: BLE001 -- an ExceptionGroup or a SimulationError: what it is, is the test
            return _innermost(error)
    return None


def _innermost(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
