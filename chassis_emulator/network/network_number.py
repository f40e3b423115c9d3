"""The number of a network, which is in all its addresses: one network of this machine has it at a time."""

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from chassis_emulator.network.errors import AddressInUse, NoFreeNumber, NumberInUse
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import NetworkPlan, plan_network
from chassis_emulator.topology.topology import NETWORKS_MAX, Topology
from media_network.address import Address
from media_network.holding import AlreadyHeld, holding_name


def take_number(topology: Topology, folder: StateFolder, held: ExitStack) -> NetworkPlan:
    """Take the topology's own number for as long as `held` is open, and by every copy of its descriptors.

    Raises NumberInUse: another network has it; AddressInUse: somebody else listens at one of its addresses.
    """
    plan = plan_network(topology, folder.path)
    with ExitStack() as taking:
        name = f"network/{topology.network}"
        try:
            taking.enter_context(holding_name(name, name))
        except AlreadyHeld as error:
            raise NumberInUse(topology.network, error.pid) from error
        _refuse_addresses_in_use(plan, folder)
        held.enter_context(taking.pop_all())
    return plan


def take_any_number(topology: Topology, folder: StateFolder, held: ExitStack, first: Iterable[int]) -> NetworkPlan:
    """Take the first of these numbers that is free, or any other. Raises NoFreeNumber."""
    for number in dict.fromkeys((*first, *range(1, NETWORKS_MAX + 1))):
        try:
            return take_number(replace(topology, network=number), folder, held)
        except (NumberInUse, AddressInUse):
            continue
    raise NoFreeNumber


def _refuse_addresses_in_use(plan: NetworkPlan, folder: StateFolder) -> None:
    for name, addresses in plan.listening.items():
        for address in addresses:
            _refuse_address_in_use(name, address, folder.log(name))


def _refuse_address_in_use(name: str, address: Address, log: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = (error.strerror or "refused").lower()
            raise AddressInUse(str(address), name, log, reason) from error
