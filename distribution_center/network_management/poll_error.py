"""What a poll that failed says."""

from media_network.address import Address


class PollError(Exception):
    """No answer that can be used. `refused`: the agent lives, but does not answer this user."""

    def __init__(self, agent: Address, reason: str, *, refused: bool) -> None:
        super().__init__(agent, reason)
        self.agent = agent
        self.reason = reason
        self.refused = refused

    def __str__(self) -> str:
        return f"the SNMP agent {self.agent}: {self.reason}"
