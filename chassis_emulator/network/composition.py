"""A planned network and its lines, as processes: what each part is told."""

from collections.abc import Iterable, Mapping

from blade_agent.chassis_manager.lan.settings import LanSettings
from blade_agent.chassis_manager.lan.users import LanUser
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort
from chassis_emulator.lines.emulated_line import EmulatedLine
from chassis_emulator.network.credentials import NetworkUsers, SnmpUsers
from chassis_emulator.network.state_folder import StateFolder
from chassis_emulator.processes.processes import Process, ProcessPlace
from chassis_emulator.topology.plan import (
    IPMI_PORT,
    SNMP_PORT,
    AccountsPlan,
    AuthenticationPlan,
    BladePlan,
    CenterPlan,
    ChassisPlan,
    MamPlan,
    NetworkPlan,
)
from chassis_emulator.topology.topology import Snmp, SnmpTarget
from distribution_center.accounts.settings import AccountsSettings
from distribution_center.authentication.settings import AuthenticationSettings
from distribution_center.content.providers.provider import ProviderSettings
from distribution_center.headquarters.settings import MamSettings
from distribution_center.page.settings import PageSettings
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.identity.settings import IdentitySettings
from media_network.snmp.settings import CommunitySettings
from media_network.snmp.targets import AgentSettings, TargetSettings


def compose(
    plan: NetworkPlan,
    lines: Mapping[str, EmulatedLine],
    folder: StateFolder,
    users: Mapping[str, NetworkUsers],
    identities: Mapping[str, IdentitySettings],
) -> list[Process]:
    """Every process of the network; `lines` are the blades', by name, `users` by center, `identities` by process."""
    snmp = {center: _Snmp(plan.topology.snmp, known.snmp) for center, known in users.items()}
    processes = [_center(center, folder, snmp[center.center], identities.get(center.name)) for center in plan.centers]
    if plan.mam:
        processes.append(_mam(plan.mam, plan.centers, folder, snmp[plan.center.center], identities.get(plan.mam.name)))
    if plan.authentication:
        processes.append(_authentication(plan.authentication, folder))
    if plan.accounts:
        processes.append(_accounts(plan.accounts, folder, identities.get(plan.accounts.name)))
    for chassis in plan.chassis:
        agents = snmp[chassis.center_name]
        processes.append(_manager(chassis, lines, folder, users[chassis.center_name].ipmi, agents))
        processes.extend(
            _blade(blade, lines[blade.name], folder, agents, identities.get(blade.name)) for blade in chassis.blades
        )
    return processes


class _Snmp:
    """The SNMP agents of a network."""

    def __init__(self, wanted: Snmp, users: SnmpUsers) -> None:
        self._wanted = wanted
        self._users = users

    def settings(self, host: str, location: str, port: int = SNMP_PORT) -> AgentSettings:
        """What the agent at an address is told."""
        community = self._wanted.community
        return AgentSettings(
            host=host,
            port=port,
            users=tuple(self._users),
            communities=(CommunitySettings(community=community),) if community else (),
            targets=tuple(map(self._target, self._wanted.targets)),
            contact="whoever runs this chassis emulator",
            location=location,
        )

    def _target(self, target: SnmpTarget) -> TargetSettings:
        user = "" if target.community else self._users.read_only.user
        return TargetSettings(address=target.address, user=user, community=target.community, inform=target.inform)


_RESTORE_AFTER_S = 10.0
"""Blades of a laptop restart in seconds."""


def snmp_address(host: str) -> str:
    """Where the SNMP agent of a host answers."""
    return str(Address(host, SNMP_PORT))


def _center(plan: CenterPlan, folder: StateFolder, snmp: _Snmp, identity: IdentitySettings | None) -> Process:
    host = plan.address.host
    return Process(
        name=plan.name,
        place=ProcessPlace(role="center", station=None, slot=None, host=host, snmp=snmp_address(host)),
        part="center",
        settings=CenterSettings(
            address=plan.address.host,
            control_port=plan.address.port,
            media_port=plan.media.port,
            state=str(plan.state),
            name=plan.center,
            home=plan.home,
            restore_after_s=_RESTORE_AFTER_S,
            page=PageSettings(address=plan.page.host, port=plan.page.port),
            providers=tuple(ProviderSettings(name=one.name, address=one.address) for one in plan.providers),
            distances=plan.distances,
            cost=plan.cost,
            identity=identity,
            snmp=snmp.settings(host, plan.center),
        ),
        state=plan.state,
        log=folder.log(plan.name),
    )


def _mam(
    plan: MamPlan, centers: Iterable[CenterPlan], folder: StateFolder, snmp: _Snmp, identity: IdentitySettings | None
) -> Process:
    host = plan.address.host
    return Process(
        name=plan.name,
        place=ProcessPlace(role="mam", station=None, slot=None, host=host, snmp=str(plan.snmp)),
        part="mam",
        settings=MamSettings(
            address=host,
            port=plan.address.port,
            state=str(plan.state),
            centers={center.center: str(center.address) for center in centers},
            identity=identity,
            snmp=snmp.settings(host, "headquarters", plan.snmp.port),
        ),
        state=plan.state,
        log=folder.log(plan.name),
    )


def _authentication(plan: AuthenticationPlan, folder: StateFolder) -> Process:
    host = plan.address.host
    return Process(
        name=plan.name,
        place=ProcessPlace(role="authentication", station=None, slot=None, host=host, media=str(plan.address)),
        part="authentication",
        settings=AuthenticationSettings(address=host, port=plan.address.port, state=str(plan.state)),
        state=plan.state,
        log=folder.log(plan.name),
    )


def _accounts(plan: AccountsPlan, folder: StateFolder, identity: IdentitySettings | None) -> Process:
    host = plan.address.host
    return Process(
        name=plan.name,
        place=ProcessPlace(role="accounts", station=None, slot=None, host=host),
        part="accounts",
        settings=AccountsSettings(address=host, port=plan.address.port, state=str(plan.state), identity=identity),
        state=plan.state,
        log=folder.log(plan.name),
    )


def _manager(
    chassis: ChassisPlan, lines: Mapping[str, EmulatedLine], folder: StateFolder, ipmi_user: LanUser, snmp: _Snmp
) -> Process:
    def forget_unread() -> None:
        for blade in chassis.blades:
            lines[blade.name].forget_unread_at_manager()

    return Process(
        name=chassis.name,
        place=ProcessPlace(
            role="chassis_manager",
            station=chassis.station,
            slot=None,
            host=chassis.host,
            ipmi=f"{chassis.host}:{IPMI_PORT}",
            snmp=snmp_address(chassis.host),
            media=str(chassis.service),
        ),
        part="manager",
        settings=ManagerSettings(
            station=chassis.known_as,
            slots={
                blade.slot: SerialPort(
                    path=lines[blade.name].manager_path,
                    baud_rate_bps=blade.baud_rate,
                    console=str(folder.log(blade.name)),
                )
                for blade in chassis.blades
            },
            epoch_file=str(chassis.state / "epoch"),
            center=str(chassis.center),
            orders=str(chassis.orders),
            profile=chassis.profile,
            root=str(chassis.root),
            lan=LanSettings(address=chassis.host, port=IPMI_PORT, users=(ipmi_user,)),
            snmp=snmp.settings(chassis.host, chassis.station),
        ),
        state=chassis.state,
        log=folder.log(chassis.name),
        prepare=forget_unread,
    )


def _blade(
    blade: BladePlan, line: EmulatedLine, folder: StateFolder, snmp: _Snmp, identity: IdentitySettings | None
) -> Process:
    host = blade.address.host
    return Process(
        name=blade.name,
        place=ProcessPlace(
            role="unassigned", station=blade.station, slot=blade.slot, host=host, snmp=snmp_address(host)
        ),
        part="blade",
        settings=blade.settings(line.blade_path, snmp.settings(host, f"{blade.station}, slot {blade.slot}"), identity),
        state=blade.state,
        log=folder.log(blade.name),
        prepare=line.forget_unread_at_blade,
    )
