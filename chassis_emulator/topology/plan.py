"""What a topology comes to: every process, its address, its folders. Pure; nothing is made here.

Addresses are 127.<network>.<station>.<slot>, both counted from 1; the center is at 127.<network>.0.1 and the chassis
manager of a station at 127.<network>.<station>.254. The station's service address is 127.<network>.<station>.200. An
authentication server, if there is one, is on the host of the center, and so are subscriber management and billing.

Of several centers the first is the headquarters: the media asset management is on its host, and the others are at
127.<network>.0.2 and on. Stations are counted through, and are called `east.north`: a slash is between a whole and its
part, `east.north/2`, a dot between a center and a station of its.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from blade_agent.main_board.accounts.settings import AccountsLinkSettings
from blade_agent.settings import BladeSettings, ServiceSettings
from chassis_emulator.topology.topology import CenterWithStations, ProviderTopology, StationTopology, Topology
from distribution_center.distances import DistanceSettings
from media_network.address import Address
from media_network.identity.settings import IdentitySettings
from media_network.messages.sources import CostWeights
from media_network.snmp.targets import AgentSettings
from media_network.tokens.settings import TokenSettings
from media_network.whereabouts import accounts_state, authentication_state, center_state, mam_state, other_center_state

MEDIA_PORT = 8080
CONTROL_PORT = 8081
PAGE_PORT = 8082
MAM_PORT = 8083
AUTHENTICATION_PORT = 8084
ACCOUNTS_PORT = 8085
PANEL_PORT = 8090
IPMI_PORT = 6623
"""RMCP's own port, 623, takes privileges that nothing here needs."""
SNMP_PORT = 1161
"""In place of 161, for the same reason."""
MAM_SNMP_PORT = 1163
"""Beside the agent of the center on the same host; 1162 is where managers are told."""
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
    zone: str
    """Where its station is."""
    capacity_bps: int
    pause_s: int
    """How long a console may pause its stream."""
    allow_elsewhere: bool
    playlists_name_engines: bool
    baud_rate: int
    profile: str
    serial_number: str
    root: Path
    """Folder that stands for the blade's `/`, with its sys and dev."""
    authentication: Address | None = None
    """The authentication server whose tokens consoles have to show."""
    accounts: Address | None = None
    """Subscriber management and billing."""

    def settings(
        self, backplane: str, snmp: AgentSettings | None = None, identity: IdentitySettings | None = None
    ) -> BladeSettings:
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
            zone=self.zone,
            capacity_bps=self.capacity_bps,
            pause_s=self.pause_s,
            allow_elsewhere=self.allow_elsewhere,
            playlists_name_engines=self.playlists_name_engines,
            serial_number=self.serial_number,
            root=str(self.root),
            authentication=TokenSettings(server=str(self.authentication)) if self.authentication else None,
            accounts=AccountsLinkSettings(subscribers=str(self.accounts)) if self.accounts else None,
            identity=identity,
            snmp=snmp,
        )


@dataclass(frozen=True)
class ChassisPlan:
    """A chassis: its manager and its blades, by slot."""

    name: str
    """Of the manager's process: `<station>/manager`."""
    station: str
    """Unique in the network."""
    known_as: str
    """What its center calls it: unique there."""
    center_name: str
    home: bool
    """Whether it is its center's home media station."""
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
    """A distribution center."""

    name: str
    """Of the process: `center`; of several, `<center>/center`."""
    center: str
    """What it is called."""
    address: Address
    media: Address
    page: Address
    """Where the operator's page is."""
    state: Path
    home: str
    distances: DistanceSettings
    """How far zones are from each other."""
    cost: CostWeights
    """What directors count when they choose a source."""
    providers: tuple[ProviderTopology, ...] = ()


@dataclass(frozen=True)
class MamPlan:
    """The media asset management of the headquarters."""

    name: str
    """Of the process: `mam`."""
    address: Address
    snmp: Address
    """Where its SNMP agent answers."""
    state: Path


@dataclass(frozen=True)
class AuthenticationPlan:
    """The authentication server."""

    name: str
    """Of the process: `authentication`."""
    address: Address
    state: Path


@dataclass(frozen=True)
class AccountsPlan:
    """Subscriber management and billing."""

    name: str
    """Of the process: `accounts`."""
    address: Address
    state: Path


@dataclass(frozen=True)
class NetworkPlan:
    """A whole network."""

    topology: Topology
    centers: tuple[CenterPlan, ...]
    """The headquarters first."""
    chassis: tuple[ChassisPlan, ...]
    mam: MamPlan | None = None
    """Where there are several centers."""
    authentication: AuthenticationPlan | None = None
    """One for the whole network, where its stations ask for tokens."""
    accounts: AccountsPlan | None = None
    """One for the whole network, where its stations ask who may see what."""

    @property
    def center(self) -> CenterPlan:
        """The only one, or the headquarters."""
        return self.centers[0]

    @property
    def center_processes(self) -> tuple[str, ...]:
        """Names of the processes of the centers and of the headquarters."""
        return (*(center.name for center in self.centers), *((self.mam.name,) if self.mam else ()))

    @property
    def processes_of_no_station(self) -> tuple[str, ...]:
        """Names of the processes that belong to no station: those of the centers, and of whoever knows subscribers."""
        return (*self.center_processes, *(each.name for each in (self.authentication, self.accounts) if each))

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
        centers: dict[str, tuple[Address, ...]] = {
            each.name: (each.address, each.media, each.page) for each in self.centers
        }
        single = {each.name: (each.address,) for each in (self.mam, self.authentication, self.accounts) if each}
        services = {chassis.name: (chassis.service,) for chassis in self.chassis}
        return centers | single | services | {blade.name: (blade.address, blade.media) for blade in self.blades}

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that a process expects to be there."""
        blades = [folder for blade in self.blades for folder in (blade.state, *blade.channels)]
        mam = (self.mam.state,) if self.mam else ()
        return (*(center.state for center in self.centers), *mam, *(chassis.state for chassis in self.chassis), *blades)


def plan_network(topology: Topology, folder: Path) -> NetworkPlan:
    """Work a topology out, with its state in `folder`."""
    centers = topology.centers
    planned = tuple(_plan_center(topology, number, center, folder) for number, center in enumerate(centers, start=1))
    owned = [
        (plan, center, station) for plan, center in zip(planned, centers, strict=True) for station in center.stations
    ]
    authentication = _plan_authentication(topology, folder)
    accounts = _plan_accounts(topology, folder)
    asked = _Asked(authentication.address if authentication else None, accounts.address if accounts else None)
    chassis = tuple(
        _plan_chassis(topology, number, station, folder, center=plan, asked=asked)
        for number, (plan, _, station) in enumerate(owned, start=1)
    )
    return NetworkPlan(topology, planned, chassis, _plan_mam(topology, folder), authentication, accounts)


def station_folder(topology: Topology, center: str, station: str) -> str:
    """What a station's state folder is called: one of the headquarters as in a network that has no other center."""
    return station if center == topology.center.name else f"{center}.{station}"


def _plan_center(topology: Topology, number: int, center: CenterWithStations, folder: Path) -> CenterPlan:
    host = f"127.{topology.network}.0.{number}"
    return CenterPlan(
        name=f"{center.name}/center" if topology.other_centers else "center",
        center=center.name,
        address=Address(host, CONTROL_PORT),
        media=Address(host, MEDIA_PORT),
        page=Address(host, PAGE_PORT),
        state=center_state(folder) if number == 1 else other_center_state(folder, center.name),
        home=center.home,
        providers=center.providers,
        distances=topology.distances,
        cost=center.cost,
    )


def _plan_mam(topology: Topology, folder: Path) -> MamPlan | None:
    if not topology.other_centers:
        return None
    host = f"127.{topology.network}.0.1"
    return MamPlan(
        name="mam", address=Address(host, MAM_PORT), snmp=Address(host, MAM_SNMP_PORT), state=mam_state(folder)
    )


def _plan_authentication(topology: Topology, folder: Path) -> AuthenticationPlan | None:
    if not topology.authentication:
        return None
    return AuthenticationPlan(
        name="authentication",
        address=Address(f"127.{topology.network}.0.1", AUTHENTICATION_PORT),
        state=authentication_state(folder),
    )


def _plan_accounts(topology: Topology, folder: Path) -> AccountsPlan | None:
    if not topology.accounts:
        return None
    host = f"127.{topology.network}.0.1"
    return AccountsPlan(name="accounts", address=Address(host, ACCOUNTS_PORT), state=accounts_state(folder))


class _Asked(NamedTuple):
    """Whom stations ask about viewers."""

    authentication: Address | None
    accounts: Address | None


def _plan_chassis(
    topology: Topology,
    number: int,
    station: StationTopology,
    folder: Path,
    *,
    center: CenterPlan,
    asked: _Asked,
) -> ChassisPlan:
    network = topology.network
    subnet = f"127.{network}.{number}"
    service = Address(f"{subnet}.{_SERVICE_HOST}", MEDIA_PORT)
    name = topology.station_name(center.center, station.name)
    state = folder / "stations" / station_folder(topology, center.center, station.name)
    return ChassisPlan(
        name=f"{name}/manager",
        station=name,
        known_as=station.name,
        center_name=center.center,
        home=station.name == center.home,
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
        center=center.address,
        blades=tuple(
            BladePlan(
                name=f"{name}/{slot}",
                station=name,
                slot=slot,
                address=Address(f"{subnet}.{slot}", CONTROL_PORT),
                media=Address(f"{subnet}.{slot}", MEDIA_PORT),
                service=service,
                state=state / str(slot) / "state",
                root=state / str(slot) / "root",
                channels=tuple(state / str(slot) / f"channel-{channel + 1}" for channel in range(station.channels)),
                zone=station.zone,
                capacity_bps=station.capacity_bps,
                pause_s=station.pause_s,
                allow_elsewhere=station.allow_elsewhere,
                playlists_name_engines=station.playlists_name_engines,
                baud_rate=station.baud_rate,
                profile=station.profile,
                authentication=asked.authentication,
                accounts=asked.accounts,
                serial_number=f"EM-{network:03}-{number:03}-{slot:02}",
            )
            for slot in range(1, station.slots + 1)
        ),
    )
