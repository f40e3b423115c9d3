"""A command that is not carried out."""

from blade_agent.backplane.message import Completion


class NotCarriedOut(Exception):
    """The command is known and its body could be read, but it is not carried out."""

    def __init__(self, code: Completion, data: bytes = b"") -> None:
        """`data` are those of the response: the seal of a command that has one."""
        super().__init__(f"refused with completion code {code.text}")
        self.code = code
        self.data = data
