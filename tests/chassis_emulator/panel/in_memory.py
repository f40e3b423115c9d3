"""A network that is nothing but its picture: what the panel's tests show, change and give orders to.

`python tests/chassis_emulator/panel/in_memory.py` serves it, for whoever works on the page.
"""

import asyncio
import random
import re
from contextlib import suppress

import msgspec

from blade_agent.backplane.role import MainBoardState, Role
from chassis_emulator.panel.model import (
    CenterPicture,
    ClearFaults,
    Console,
    FaultKind,
    FaultParameter,
    FaultTarget,
    Handle,
    IdentifySlot,
    Inject,
    InjectedFault,
    Insert,
    Light,
    LightColor,
    Lights,
    ManagerPicture,
    PanelChassis,
    PanelEvent,
    PanelSeverity,
    PanelSlot,
    PartHealth,
    Picture,
    Power,
    PowerOrder,
    ProcessState,
    Pull,
    Reset,
    SupplyPicture,
)
from chassis_emulator.panel.server import serve_panel
from media_network.address import Address
from media_network.messages.verb import Done
from media_network.refusal import Reason, Refused

NETWORK = 63
T0_S = 1_790_000_000.0
ON = {"on_ms": 1000}
BLINK = {"on_ms": 250, "off_ms": 250}
FAULT_KINDS = (
    FaultKind(
        kind="line-noise",
        text="Noise on the line",
        target=FaultTarget.BLADE,
        parameters=(FaultParameter(name="bit_error_rate", text="Bit error rate", default=1e-4, lowest=0, highest=0.1),),
    ),
    FaultKind(kind="stuck-line", text="Line stuck", target=FaultTarget.BLADE),
    FaultKind(kind="crash", text="Blade crashes", target=FaultTarget.BLADE, cuts_viewers_off=True),
    FaultKind(kind="hang", text="Blade hangs", target=FaultTarget.BLADE, cuts_viewers_off=True),
    FaultKind(
        kind="over-temperature",
        text="Over-temperature",
        target=FaultTarget.BLADE,
        parameters=(FaultParameter(name="celsius", text="Temperature", default=95, lowest=40, highest=130, unit="°C"),),
    ),
    FaultKind(kind="fan", text="Fan stands still", target=FaultTarget.BLADE),
    FaultKind(kind="supply", text="Supply fails", target=FaultTarget.SUPPLY),
    FaultKind(kind="brown-out", text="Brown-out", target=FaultTarget.CHASSIS, cuts_viewers_off=True),
)


def lights(*, blue=None, fault=None, activity=None, identify=None) -> Lights:
    return Lights(
        blue=Light(color=LightColor.BLUE, **(blue or {})),
        fault=Light(color=LightColor.RED, **(fault or {})),
        activity=Light(color=LightColor.GREEN, **(activity or {})),
        identify=Light(color=LightColor.WHITE, **(identify or {})),
    )


def blade(station: str, slot: int, role: Role, *, network: int = NETWORK, number: int = 1, streams: int = 0):
    return PanelSlot(
        slot=slot,
        name=f"{station}/{slot}",
        present=True,
        handle=Handle.CLOSED,
        role=role,
        hot_swap="M4",
        main_board=MainBoardState.READY,
        process=ProcessState.RUNNING,
        powered=True,
        health=PartHealth.OK,
        lights=lights(activity={"on_ms": 120, "off_ms": 380} if streams else ON),
        temperature_c=38.0 + 1.5 * slot + 0.5 * streams,
        temperature_warning_c=75.0,
        temperature_critical_c=85.0,
        fan_rpm=2400.0 + 60 * streams,
        fan_duty=0.4 + 0.01 * streams,
        power_w=5.2 + 0.3 * streams,
        power_granted_w=15.0,
        streams=streams,
        sent_bps=streams * 4_200_000.0,
        capacity_bps=800_000_000.0,
        address=f"127.{network}.{number}.{slot}",
        serial=f"/dev/pts/{10 * number + slot}",
    )


def empty(slot: PanelSlot) -> PanelSlot:
    return PanelSlot(slot=slot.slot, name=slot.name, present=False, hot_swap="M0", fan_rpm=slot.fan_rpm, fan_duty=0.4)


def chassis(station: str, slots: int, *, number: int, home: bool = False, streams: int = 0) -> PanelChassis:
    blades = [blade(station, 1, Role.DIRECTOR, number=number)]
    blades += [
        blade(station, slot, Role.ENGINE, number=number, streams=max(0, streams - 3 * slot))
        for slot in range(2, slots + 1)
    ]
    return PanelChassis(
        station=station,
        home=home,
        manager=ManagerPicture(
            name=f"{station}/manager",
            process=ProcessState.RUNNING,
            epoch=3,
            director=1,
            ipmi=f"127.{NETWORK}.{number}.254:6623",
        ),
        slots=tuple(blades),
        supplies=tuple(
            SupplyPicture(name=f"supply-{n}", health=PartHealth.OK, capacity_w=250, power_w=31.5, voltage_v=11.97)
            for n in (1, 2)
        ),
        inlet_c=22.0,
        power_w=63.0,
        budget_w=500.0,
    )


def two_stations() -> Picture:
    return Picture(
        network=NETWORK,
        name="two-stations",
        boot="5eed",
        center=CenterPicture(name="center", process=ProcessState.RUNNING, address=f"127.{NETWORK}.0.1:8080"),
        stations=(
            chassis("home", 2, number=1, home=True),
            chassis("north", 4, number=2, streams=21),
            chassis("south", 4, number=3, streams=16),
        ),
    )


class InMemoryNetwork:
    """Does at once, to its picture, what an environment does to a network."""

    fault_kinds = FAULT_KINDS

    def __init__(self, picture: Picture | None = None) -> None:
        self.shown = picture or two_stations()
        self.log: list[PanelEvent] = []
        self.orders: list[object] = []
        self.looks = 0
        self.refusal: Refused | None = None
        self.printed = {"north/3": ["engine of north, epoch 3", "enlisted with 127.63.2.1:8080"]}
        self.note(PanelSeverity.INFO, "Network is up")

    async def picture(self) -> Picture:
        self.looks += 1
        return self.shown

    async def events(self, after: int) -> tuple[PanelEvent, ...]:
        return tuple(event for event in self.log if event.id > after)

    async def console(self, name: str, lines: int) -> Console | Refused:
        names = {slot.name for one in self.shown.stations for slot in one.slots}
        if name not in names | {one.manager.name for one in self.shown.stations} | {"center"}:
            return Refused(Reason.NOT_HERE, f"there is no log of {name!r}")
        return Console(name=name, lines=tuple(self.printed.get(name, ())[-lines:]))

    async def act(self, action) -> Done | Refused:
        self.orders.append(action)
        if self.refusal:
            return self.refusal
        match action:
            case Pull(blade=name, surprise=surprise):
                self.change(name, empty)
                how = "pulled by surprise" if surprise else "pulled"
                self.note(PanelSeverity.WARNING if surprise else PanelSeverity.INFO, f"Blade {how}", name)
            case Insert(blade=name):
                station, number = name.split("/")
                self.change(name, lambda _: blade(station, int(number), Role.ENGINE))
                self.note(PanelSeverity.INFO, "Blade inserted", name)
            case Power(blade=name, order=order):
                self.change(name, lambda slot: replace(slot, powered=order is not PowerOrder.OFF))
                self.note(PanelSeverity.INFO, f"Power {order}", name)
            case Reset(blade=name):
                self.note(PanelSeverity.INFO, "Reset", name)
            case IdentifySlot(blade=name, seconds=seconds):
                self.change(name, lambda slot: replace(slot, lights=lights(activity=ON, identify=BLINK)))
                self.note(PanelSeverity.INFO, f"Identify for {seconds} s", name)
            case Inject(kind=kind):
                if kind not in {known.kind for known in FAULT_KINDS}:
                    return Refused(Reason.BAD_MESSAGE, f"no fault is called {kind!r}")
                self.inject(action)
            case ClearFaults(faults=names):
                self.clear(set(names))
        return Done()

    def note(self, severity: PanelSeverity, text: str, name: str | None = None) -> None:
        station, _, slot = (name or "").partition("/")
        number = int(slot) if slot.isdecimal() else None
        self.log.append(
            PanelEvent(
                id=len(self.log) + 1,
                time_s=T0_S + len(self.log),
                severity=severity,
                text=text,
                station=station or None,
                slot=number,
            )
        )

    def slot(self, name: str) -> PanelSlot:
        return next(slot for one in self.shown.stations for slot in one.slots if slot.name == name)

    def change(self, name: str, made) -> None:
        """Change one slot."""
        stations = [
            replace(one, slots=tuple(made(slot) if slot.name == name else slot for slot in one.slots))
            for one in self.shown.stations
        ]
        self.shown = replace(self.shown, stations=tuple(stations))

    def change_chassis(self, station: str, made) -> None:
        stations = [made(one) if one.station == station else one for one in self.shown.stations]
        self.shown = replace(self.shown, stations=tuple(stations))

    def inject(self, order: Inject) -> None:
        text = next(kind.text for kind in FAULT_KINDS if kind.kind == order.kind)
        fault = InjectedFault(fault=f"{order.kind}:{order.target}", kind=order.kind, target=order.target, text=text)
        if re.fullmatch(r".*/\d+", order.target):
            self.change(order.target, lambda slot: replace(slot, faults=(*slot.faults, fault)))
        if order.kind == "over-temperature":
            self.change(order.target, overheated)
        self.note(PanelSeverity.CRITICAL, f"{text} injected", order.target)

    def clear(self, names: set[str]) -> None:
        for name in names:
            target = name.partition(":")[2]
            self.change(
                target, lambda slot: replace(slot, faults=tuple(f for f in slot.faults if f.fault not in names))
            )
            self.note(PanelSeverity.INFO, "Fault cleared", target)


def overheated(slot: PanelSlot) -> PanelSlot:
    return replace(
        slot,
        temperature_c=91.5,
        fan_rpm=5900.0,
        fan_duty=1.0,
        health=PartHealth.CRITICAL,
        health_text="processor 91.5 °C, critical from 85 °C",
        lights=lights(fault=ON, activity=ON),
    )


def replace(struct, **changes):
    return msgspec.structs.replace(struct, **changes)


def wobble(network: InMemoryNetwork, rng: random.Random) -> None:
    """Let the figures move as they do on a network that lives."""
    for one in network.shown.stations:
        for slot in one.slots:
            if slot.present and slot.powered:
                network.change(
                    slot.name,
                    lambda s: replace(
                        s,
                        temperature_c=s.temperature_c + rng.uniform(-0.3, 0.3),
                        fan_rpm=max(0.0, s.fan_rpm + rng.uniform(-30, 30)),
                        power_w=max(0.5, s.power_w + rng.uniform(-0.2, 0.2)),
                    ),
                )


async def show(port: int, picture: Picture | None = None) -> None:
    network, rng = InMemoryNetwork(picture), random.Random(1)
    async with serve_panel(Address(f"127.{NETWORK}.0.1", port), network, control=True) as address:
        print(f"http://{address}/")
        while True:
            await asyncio.sleep(1)
            wobble(network, rng)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(show(8090))
