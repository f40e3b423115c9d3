"""What the environment of a network can be asked and told, and how a command asks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct

from chassis_emulator.network.errors import EnvironmentLost, NotUp, OrderRefused
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.topology import Topology
from media_network import local_orders
from media_network.messages.verb import MIB, Caller, Done, Reply, Request, Verb
from media_network.refusal import Refused


class AskNetwork(Struct, frozen=True):
    """Ask which network is up."""


class RunningNetwork(Struct, frozen=True, kw_only=True):
    """The network that is up."""

    pid: int
    topology: Topology


class ListProcesses(Struct, frozen=True):
    """Ask for every process."""


class ProcessRow(Struct, frozen=True, kw_only=True):
    """A process of the network; what `ps` shows."""

    name: str
    network: int
    station: str | None
    slot: int | None
    role: str
    """Of a blade: `director`, `engine`, `unassigned`; `empty` without one; else `center`, `mam`, `chassis_manager`."""
    state: str
    """What the process says of itself, `running` while it says nothing; `hung`, `stopped`, `crashed` or `empty`."""
    pid: int | None
    address: str
    serial: str | None
    """Path of the service port."""
    control: str | None
    """Where machines and operators speak to it, `host:port`."""
    media: str | None
    """Where it serves consoles, `host:port`."""
    page: str | None
    """Where it shows itself to people, as a URL."""
    snmp: str | None
    ipmi: str | None
    epoch: int
    exit_code: int | None
    """How it ended; a negative one is the signal that ended it."""
    pss_bytes: int
    log: str


class ProcessRows(Struct, frozen=True):
    """Every process of the network."""

    processes: tuple[ProcessRow, ...]


class Revive(Struct, frozen=True):
    """Start every process that has ended."""


class Revived(Struct, frozen=True):
    """The processes that were started."""

    names: tuple[str, ...]


class Restart(Struct, frozen=True):
    """End processes in order, and start them again."""

    names: tuple[str, ...] = ()
    """Of processes, or of stations for all of theirs; none: every one that can be restarted."""


class Restarted(Struct, frozen=True):
    """The processes that were restarted."""

    names: tuple[str, ...]


class AskReadiness(Struct, frozen=True):
    """Ask how much of the network serves."""


class StationReadiness(Struct, frozen=True, kw_only=True):
    """How far a station is."""

    station: str
    director: bool
    """Whether a director answers."""
    engines: int
    """Enlisted with it."""
    engines_wanted: int
    registered: bool
    """Whether the center knows it, with all its engines."""


class Readiness(Struct, frozen=True, kw_only=True):
    """How far the network is."""

    center: bool
    """Whether all of them answer."""
    silent: tuple[str, ...] = ()
    """Of the center processes, those that do not answer: `center`, `east/center`, `mam`; and `accounts`."""
    authentication: bool = True
    """The authentication server serves, if there is to be one."""
    stations: tuple[StationReadiness, ...]
    ended: tuple[str, ...]
    """Processes that should live and do not."""


class OpenPanel(Struct, frozen=True, kw_only=True):
    """Serve the front panel, with orders taken or without; one that is served is served as this says."""

    control: bool


class PanelAt(Struct, frozen=True):
    """Where the front panel is served."""

    url: str


class EndNetwork(Struct, frozen=True):
    """End every process of the network, the environment last."""


NETWORK = Verb(
    "network",
    AskNetwork,
    RunningNetwork,
    "Which network is up.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=MIB,  # 300 bytes a station, of 254
)
PROCESSES = Verb(
    "processes",
    ListProcesses,
    ProcessRows,
    "Every process of the network.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=4 * MIB,  # 600 bytes a process, of 4300
)
REVIVE = Verb(
    "revive", Revive, Revived, "Start every process that has ended.", callers=(Caller.OPERATOR,), reply_bytes_max=MIB
)
RESTART = Verb(
    "restart",
    Restart,
    Restarted,
    "End processes, and start them again.",
    callers=(Caller.OPERATOR,),
    request_bytes_max=MIB,
    reply_bytes_max=MIB,
)
READINESS = Verb(
    "readiness",
    AskReadiness,
    Readiness,
    "How much of the network serves.",
    callers=(Caller.ANYBODY,),
    reply_bytes_max=MIB,
)
OPEN_PANEL = Verb("panel", OpenPanel, PanelAt, "Serve the front panel.", callers=(Caller.OPERATOR,))
END = Verb("end", EndNetwork, Done, "End the network.", callers=(Caller.OPERATOR,))


def order(folder: StateFolder, verb: Verb[Request, Reply], request: Request, *, timeout_s: float = 10.0) -> Reply:
    """Give the environment of the network in `folder` an order. Raises NotUp, EnvironmentLost, OrderRefused."""
    with _described(folder):
        reply = local_orders.order(folder.control, verb, request, timeout_s=timeout_s)
    if isinstance(reply, Refused):
        raise OrderRefused(verb.path, str(reply))
    return reply


async def send_order(
    folder: StateFolder, verb: Verb[Request, Reply], request: Request, *, timeout_s: float = 10.0
) -> Reply:
    """Give it from the running event loop. Raises as `order` does."""
    with _described(folder):
        reply = await local_orders.send_order(folder.control, verb, request, timeout_s=timeout_s)
    if isinstance(reply, Refused):
        raise OrderRefused(verb.path, str(reply))
    return reply


@contextmanager
def _described(folder: StateFolder) -> Iterator[None]:
    try:
        yield
    except local_orders.NobodyListens:
        raise NotUp(folder.path) from None
    except local_orders.OrderLost as error:
        raise EnvironmentLost(folder.log("environment"), str(error)) from error
