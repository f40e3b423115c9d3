"""The stage of the story: the network of a topology as simulated hosts, each running the very agent it would run."""

import os
import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec

from blade_agent.agent import BladeAgent
from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.chassis_manager.manager import ChassisManager
from blade_agent.chassis_manager.settings import ManagerSettings, SerialPort
from blade_agent.hardware.profile import load_profile
from blade_agent.wires import Wires
from chassis_emulator.simulation.disk import Disk
from chassis_emulator.simulation.film import index_octets
from chassis_emulator.simulation.simulation import Simulation
from chassis_emulator.topology.plan import BladePlan, CenterPlan, ChassisPlan, MamPlan, NetworkPlan, plan_network
from chassis_emulator.topology.topology import Topology
from distribution_center.center import serve_center
from distribution_center.content.segment_folder import index_path, segment_path
from distribution_center.headquarters.mam import serve_mam
from distribution_center.headquarters.settings import MamSettings
from distribution_center.headquarters.store import HeadquartersStore
from distribution_center.registry.sqlite_repository import SqliteRepository
from distribution_center.settings import CenterSettings
from media_network.address import Address
from media_network.program import Program

# What a server says of a file's age must not depend on when the run took place.
_MADE_AT_S = 1_767_225_600


class Stage:
    """A network on simulated hosts. `folder`, on a real disk, holds what the center and the managers keep."""

    def __init__(self, simulation: Simulation, topology: Topology, folder: Path) -> None:
        self.plan: NetworkPlan = plan_network(topology, folder)
        self.disks: dict[str, Disk] = {}
        """By the blade's name."""
        self._simulation = simulation
        self._boots: dict[str, int] = {}
        for needed in self.plan.folders:
            needed.mkdir(parents=True, exist_ok=True)

    @property
    def center(self) -> Address:
        """Where the distribution center answers; of several, that of the headquarters."""
        return self.plan.center.address

    @property
    def mortal_hosts(self) -> tuple[str, ...]:
        """Addresses of all that may fail: blades, managers, and the centers, which come first."""
        centers = (center.address.host for center in self.plan.centers)
        managers = (chassis.host for chassis in self.plan.chassis)
        return (*centers, *(blade.address.host for blade in self.plan.blades), *managers)

    def put_in_spool(self, program: Program, contents: Sequence[bytes], center: CenterPlan | None = None) -> None:
        """Leave a program as an ingest leaves it: cut into the spool of a center, by default of the headquarters."""
        folder = (center or self.plan.center).state / "spool" / program.name
        folder.mkdir(parents=True)
        for number, content in enumerate(contents):
            segment_path(folder, number).write_bytes(content)
            made = [segment_path(folder, number)]
            if program.segments[number].index:
                made.append(index_path(folder, number))
                made[-1].write_bytes(index_octets(content))
            for path in made:
                os.utime(path, (_MADE_AT_S, _MADE_AT_S))

    def raise_curtain(self) -> None:
        """Boot everything."""
        simulation = self._simulation
        for center in self.plan.centers:
            simulation.start(simulation.host(center.address.host), partial(self._be_center, center))
        if self.plan.mam:
            simulation.start(simulation.host(self.plan.mam.address.host), partial(self._be_mam, self.plan.mam))
        for chassis in self.plan.chassis:
            for blade in chassis.blades:
                self._place(blade)
            simulation.start(simulation.host(chassis.host), partial(self._be_manager, chassis))

    def _place(self, blade: BladePlan) -> None:
        simulation = self._simulation
        host = simulation.host(blade.address.host)
        simulation.wire(blade.name, blade.baud_rate)
        simulation.wire(service_port(blade), blade.baud_rate)
        self.disks[blade.name] = simulation.disk(blade.name, host, blade.state.parent)
        simulation.start(host, partial(self._be_blade, blade))

    async def _be_blade(self, blade: BladePlan) -> None:
        disk = self.disks[blade.name]
        for folder in (blade.state, *blade.channels):
            disk.make_folder(folder)
            disk.sync_folder(folder.parent)  # they were there when the blade was delivered
        open_wires = self._simulation.wires
        wires = Wires(
            backplane=open_wires[blade.name].open(0),
            framing=BasicMode(),
            service_port=open_wires[service_port(blade)].open(0),
        )
        rng = self._boot_rng(blade.name)
        # No switch is simulated that would lead the service address to the director: consoles are told his own.
        settings = msgspec.structs.replace(blade.settings("simulated"), service=None)
        agent = await BladeAgent.open(settings, load_profile(blade.profile), wires, disk, rng)
        await agent.run()

    async def _be_manager(self, chassis: ChassisPlan) -> None:
        settings = ManagerSettings(
            station=chassis.known_as,
            slots={blade.slot: SerialPort(path="simulated") for blade in chassis.blades},
            epoch_file=str(chassis.state / "epoch"),
            center=str(chassis.center),
        )
        lines = {blade.slot: self._simulation.wires[blade.name].open(1) for blade in chassis.blades}
        await ChassisManager(settings, lines, self._boot_rng(chassis.name)).run()

    async def _be_center(self, center: CenterPlan) -> None:
        settings = CenterSettings(
            name=center.center,
            address=center.address.host,
            control_port=center.address.port,
            media_port=center.media.port,
            state=str(center.state),
            home=center.home,
            restore_after_s=3.0,
            distances=center.distances,
            cost=center.cost,
        )
        repository = SqliteRepository.open(registry_path(center))
        await serve_center(settings, repository, self._boot_rng(center.name))

    async def _be_mam(self, mam: MamPlan) -> None:
        settings = MamSettings(
            address=mam.address.host,
            port=mam.address.port,
            state=str(mam.state),
            centers={center.center: str(center.address) for center in self.plan.centers},
        )
        store = HeadquartersStore(mam.state / "headquarters.sqlite")
        await serve_mam(settings, store, self._boot_rng(mam.name))

    def _boot_rng(self, name: str) -> random.Random:
        """Randomness of one boot: ids that are to be new at each must be."""
        self._boots[name] = self._boots.get(name, 0) + 1
        return self._simulation.rng(f"{name} boot {self._boots[name]}")


def registry_path(center: CenterPlan) -> Path:
    """The file of a center's registry."""
    return center.state / "registry.sqlite"


def service_port(blade: BladePlan) -> str:
    """The name of the wire at which a person asks the blade's CBC."""
    return f"{blade.name} service port"
