"""The board under the agent: what its hardware profile says, and what is read from it."""
