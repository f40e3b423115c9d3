"""What the `up` that starts a daemon tells it, and is told: a line of JSON each way."""

from msgspec import Struct

from chassis_emulator.topology.topology import Topology


class StartOrder(Struct, frozen=True, kw_only=True):
    """The network to be."""

    topology: Topology
    any_number: bool = False
    """Take another network number where this one, or the one that the folder's network had, is taken."""


class Started(Struct, frozen=True, kw_only=True, tag=True):
    """Every process has been started."""

    topology: Topology
    """With the number that it has got."""
    changes: tuple[str, ...] = ()
    """What is not as it was when the network was last up in this folder, a clause each."""


class StartFailed(Struct, frozen=True, tag=True):
    """The network is not up."""

    sentence: str
    hint: str
