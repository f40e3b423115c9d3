"""What a topology comes to: every process, its address, its folders. Pure; nothing is made here.

Addresses are 127.<network>.<station>.<slot>, both counted from 1; the center is at 127.<network>.0.1 and the chassis
manager of a station at 127.<network>.<station>.254. The station's service address is 127.<network>.<station>.200.
"""

from dataclasses import dataclass
from pathlib import Path

from blade_agent.settings import BladeSettings, ServiceSettings
from chassis_emulator.topology.topology import ProviderTopology, StationTopology, Topology
from media_network.address import Address
from media_network.snmp.targets import AgentSettings

MEDIA_PORT = 8080
CONTROL_PORT = 8081
PANEL_PORT = 8090
IPMI_PORT = 6623
"""RMCP's own port, 623, takes privileges that nothing here needs."""
SNMP_PORT = 1161
"""In place of 161, for the same reason."""
_MANAGER_HOST = 254
_SERVICE_HOST = 200
_MANAGER_PROFILE = "emulated-chassis"


@dataclass(frozen=True)
class BladePlan:
    """A blade in its slot."""

    name: str
    """`<station>/<slot>`."""
    station: str
    slot: int
    address: Address
    media: Address
    service: Address
    """Where its station serves consoles, whichever blade directs."""
    state: Path
    channels: tuple[Path, ...]
    capacity_bps: int
    allow_elsewhere: bool
    baud_rate: int
    profile: str
    serial_number: str
    root: Path
    """Folder that stands for the blade's `/`, with its sys and dev."""

    def settings(self, backplane: str, snmp: AgentSettings | None = None) -> BladeSettings:
        """What the blade's agent is told, its line to the chassis manager included."""
        return BladeSettings(
            slot=self.slot,
            address=self.address.host,
            control_port=self.address.port,
            media_port=self.media.port,
            service=ServiceSettings(address=self.service.host),
            backplane=backplane,
            state=str(self.state),
            channels=tuple(map(str, self.channels)),
            service_port="pty",
            baud_rate=self.baud_rate,
            profile=self.profile,
            capacity_bps=self.capacity_bps,
            allow_elsewhere=self.allow_elsewhere,
            serial_number=self.serial_number,
            root=str(self.root),
            snmp=snmp,
        )


@dataclass(frozen=True)
class ChassisPlan:
    """A chassis: its manager and its blades, by slot."""

    name: str
    """Of the manager's process: `<station>/manager`."""
    station: str
    host: str
    service: Address
    """Where the station serves consoles, whichever blade directs."""
    state: Path
    baud_rate: int
    center: Address
    root: Path
    """Folder that stands for the management board's `/`."""
    profile: str
    """Of the management board."""
    blade_profile: str
    blade_cores: float
    """How many of this machine's cores a blade's processors are worth."""
    inlet_c: float
    supplies: int
    blades: tuple[BladePlan, ...]

    @property
    def orders(self) -> Path:
        """Where the chassis manager takes orders."""
        return self.state / "orders.sock"


@dataclass(frozen=True)
class CenterPlan:
    """The distribution center."""

    name: str
    """Of the process: `center`."""
    center: str
    address: Address
    media: Address
    state: Path
    home: str
    providers: tuple[ProviderTopology, ...] = ()


@dataclass(frozen=True)
class NetworkPlan:
    """A whole network."""

    topology: Topology
    center: CenterPlan
    chassis: tuple[ChassisPlan, ...]

    @property
    def blades(self) -> tuple[BladePlan, ...]:
        """Every blade, chassis by chassis."""
        return tuple(blade for chassis in self.chassis for blade in chassis.blades)

    @property
    def panel(self) -> Address:
        """Where the front panel is served, when somebody wants it."""
        return Address(self.center.address.host, PANEL_PORT)

    @property
    def listening(self) -> dict[str, tuple[Address, ...]]:
        """Where each process will listen, by its name; a station's service address by its manager's."""
        center: dict[str, tuple[Address, ...]] = {self.center.name: (self.center.address, self.center.media)}
        services = {chassis.name: (chassis.service,) for chassis in self.chassis}
        return center | services | {blade.name: (blade.address, blade.media) for blade in self.blades}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that a process expects to be there."""
        blades = [folder for blade in self.blades for folder in (blade.state, *blade.channels)]
        return (self.center.state, *(chassis.state for chassis in self.chassis), *blades)


def plan_network(topology: Topology, folder: Path) -> NetworkPlan:
    """Work a topology out, with its state in `folder`."""
    center = CenterPlan(
        name="center",
        center=topology.center.name,
        address=Address(f"127.{topology.network}.0.1", CONTROL_PORT),
        media=Address(f"127.{topology.network}.0.1", MEDIA_PORT),
        state=folder / "center",
        home=topology.center.home,
        providers=topology.center.providers,
    )
    chassis = tuple(
        _plan_chassis(topology.network, number, station, folder, center.address)
        for number, station in enumerate(topology.stations, start=1)
    )
    return NetworkPlan(topology, center, chassis)


def _plan_chassis(network: int, number: int, station: StationTopology, folder: Path, center: Address) -> ChassisPlan:
    subnet = f"127.{network}.{number}"
    service = Address(f"{subnet}.{_SERVICE_HOST}", MEDIA_PORT)
    state = folder / "stations" / station.name
    return ChassisPlan(
        name=f"{station.name}/manager",
        station=station.name,
        host=f"{subnet}.{_MANAGER_HOST}",
        service=service,
        state=state / "manager",
        root=state / "manager" / "root",
        profile=_MANAGER_PROFILE,
        blade_profile=station.profile,
        blade_cores=station.blade_cores,
        inlet_c=station.inlet_c,
        supplies=station.supplies,
        baud_rate=station.baud_rate,
        center=center,
        blades=tuple(
            BladePlan(
                name=f"{station.name}/{slot}",
                station=station.name,
                slot=slot,
                address=Address(f"{subnet}.{slot}", CONTROL_PORT),
                media=Address(f"{subnet}.{slot}", MEDIA_PORT),
                service=service,
                state=state / str(slot) / "state",
                root=state / str(slot) / "root",
                channels=tuple(state / str(slot) / f"channel-{channel + 1}" for channel in range(station.channels)),
                capacity_bps=station.capacity_bps,
                allow_elsewhere=station.allow_elsewhere,
                baud_rate=station.baud_rate,
                profile=station.profile,
                serial_number=f"EM-{network:03}-{number:03}-{slot:02}",
            )
            for slot in range(1, station.slots + 1)
        ),
    )
