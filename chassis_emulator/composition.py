"""A planned network and its lines, as processes: what each part is told."""

from collections.abc import Mapping

from blade_agent.chassis_manager.lan.settings import LanSettings
from blade_agent.chassis_manager.lan.users import User
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort
from chassis_emulator.lines import Line
from chassis_emulator.plan import IPMI_PORT, BladePlan, CenterPlan, ChassisPlan, NetworkPlan
from chassis_emulator.processes import Place, Process
from chassis_emulator.state_folder import StateFolder
from distribution_center.settings import CenterSettings


def compose(plan: NetworkPlan, lines: Mapping[str, Line], folder: StateFolder, ipmi_user: User) -> list[Process]:
    """Every process of the network; `lines` are the blades', by name."""
    processes = [_center(plan.center, folder)]
    for chassis in plan.chassis:
        processes.append(_manager(chassis, lines, folder, ipmi_user))
        processes.extend(_blade(blade, lines[blade.name], folder) for blade in chassis.blades)
    return processes


def _center(plan: CenterPlan, folder: StateFolder) -> Process:
    return Process(
        name=plan.name,
        place=Place(role="center", station=None, slot=None, host=plan.address.host),
        part="center",
        settings=CenterSettings(
            address=plan.address.host,
            http_port=plan.address.port,
            state=str(plan.state),
            name=plan.center,
            home=plan.home,
        ),
        state=plan.state,
        log=folder.log(plan.name),
    )


def _manager(chassis: ChassisPlan, lines: Mapping[str, Line], folder: StateFolder, ipmi_user: User) -> Process:
    def forget_unread() -> None:
        for blade in chassis.blades:
            lines[blade.name].forget_unread_at_manager()

    return Process(
        name=chassis.name,
        place=Place(
            role="chassis_manager",
            station=chassis.station,
            slot=None,
            host=chassis.host,
            ipmi=f"{chassis.host}:{IPMI_PORT}",
        ),
        part="manager",
        settings=ManagerSettings(
            station=chassis.station,
            slots={
                blade.slot: SerialPort(path=lines[blade.name].manager_path, baud_rate_bps=blade.baud_rate)
                for blade in chassis.blades
            },
            epoch_file=str(chassis.state / "epoch"),
            center=str(chassis.center),
            orders=str(chassis.orders),
            profile=chassis.profile,
            root=str(chassis.root),
            lan=LanSettings(address=chassis.host, port=IPMI_PORT, users=(ipmi_user,)),
        ),
        state=chassis.state,
        log=folder.log(chassis.name),
        prepare=forget_unread,
    )


def _blade(blade: BladePlan, line: Line, folder: StateFolder) -> Process:
    return Process(
        name=blade.name,
        place=Place(role="unassigned", station=blade.station, slot=blade.slot, host=blade.address.host),
        part="blade",
        settings=blade.settings(line.blade_path),
        state=blade.state,
        log=folder.log(blade.name),
        prepare=line.forget_unread_at_blade,
    )
