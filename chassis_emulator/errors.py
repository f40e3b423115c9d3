"""What the commands of the emulator tell whoever runs a network on a laptop."""


class EmulatorError(Exception):
    """An order that could not be carried out: `str()` is one sentence, `hint` says what to do."""

    hint = ""
