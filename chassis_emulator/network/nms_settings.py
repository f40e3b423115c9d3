"""The settings with which a network management system sees the network that is up."""

from pathlib import Path
from typing import Any

import msgspec

from chassis_emulator.network.credentials import network_users
from chassis_emulator.network.errors import NotUp
from chassis_emulator.network.identities import NMS, network_identities
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.topology.plan import SNMP_PORT, CenterPlan, NetworkPlan, plan_network
from chassis_emulator.topology.topology import Topology
from distribution_center.network_management.settings import NmsSettings, WatchedCenter
from media_network.address import Address

_POLL_S = 5.0
_LOST_AFTER_S = 15.0
"""Shorter than elsewhere: somebody is watching."""


def nms_settings(folder: StateFolder, http_port: int) -> NmsSettings:
    """Of the network in a folder. Raises NotUp, StateFolderError."""
    record = folder.record()
    if record is None or not folder.is_up():
        raise NotUp(folder.path)
    plan = plan_network(record.topology, folder.path)
    told = _told(record.topology)
    users = network_users(folder, record.topology)
    centers = {
        center.center: WatchedCenter(
            address=str(center.address), user=users[center.center].snmp.read_only, chassis=_chassis_of(plan, center)
        )
        for center in plan.centers
    }
    several = len(centers) > 1
    return NmsSettings(
        centers=() if several else (record.center,),
        named_centers=centers if several else {},
        headquarters=str(plan.mam.snmp) if plan.mam else None,
        state=str(nms_folder(folder.path)),
        user=users[record.topology.center.name].snmp.read_only,
        address=told.host,
        http_port=http_port,
        identity=network_identities(plan, folder.path).get(NMS),
        panel=f"http://{plan.panel}/",
        notifications_port=told.port,
        chassis={} if several else _chassis_of(plan, plan.center),
        snmp_port=SNMP_PORT,
        poll_s=_POLL_S,
        lost_after_s=_LOST_AFTER_S,
    )


def _chassis_of(plan: NetworkPlan, center: CenterPlan) -> dict[str, str]:
    """The agents of a center's chassis managers, by station."""
    return {
        chassis.known_as: str(Address(chassis.host, SNMP_PORT))
        for chassis in plan.chassis
        if chassis.center_name == center.center
    }


def nms_folder(state: Path) -> Path:
    """Where the network management system of a network keeps its own."""
    return state / "nms"


def as_toml(settings: NmsSettings, source: Path) -> str:
    """The file that `distribution-center nms run` reads; tables last, as TOML has it."""
    fields: dict[str, Any] = msgspec.to_builtins(settings)
    given = {key: value for key, value in fields.items() if value not in ({}, (), [], None)}
    return f"# The network in {source}: made by chassis-emulator nms-settings\n{_table(given, '')}"


def _table(given: dict[str, Any], path: str) -> str:
    """What a table has, and after it its own tables."""
    plain = "".join(_line(key, value) for key, value in given.items() if not isinstance(value, dict))
    head = f"\n[{path}]\n" if path and plain else ""
    inner = {f"{path}.{key}" if path else key: value for key, value in given.items() if isinstance(value, dict)}
    return head + plain + "".join(_table(value, below) for below, value in inner.items())


def _told(topology: Topology) -> Address:
    """Where the agents of the network send notifications of SNMPv3; port 0 if nowhere."""
    targets = (target.address for target in topology.snmp.targets if not target.community)
    first = next(targets, None)
    return Address("127.0.0.1", 0) if first is None else Address.parse(first)


def _line(key: str, value: object) -> str:
    """A key and a string, a number or a list; JSON writes all of them as TOML does."""
    return f"{_written(key)} = {_written(value)}\n" if not key.isidentifier() else f"{key} = {_written(value)}\n"


def _written(value: object) -> str:
    return msgspec.json.encode(value).decode()
