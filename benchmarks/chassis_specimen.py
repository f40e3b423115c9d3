"""A chassis of fourteen blades as its manager's SNMP agent is told of it, with readings that move."""

from itertools import count

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.request_counters import RequestCounters
from blade_agent.hardware.board import LedReading
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.reading import KnownReading, Quantity
from blade_agent.snmp.sources import ChassisPicture, HardwareFigures, SensorFigures, SlotPicture, SupplyFigures
from media_network.address import Address

SLOTS = tuple(range(1, 15))
_SENSORS = (
    ("SoC temp", Quantity.TEMPERATURE, 41.0),
    ("Memory temp", Quantity.TEMPERATURE, 38.0),
    ("Disk temp", Quantity.TEMPERATURE, 35.0),
    ("12 V supply", Quantity.VOLTAGE, 12.03),
    ("5 V supply", Quantity.VOLTAGE, 5.01),
    ("Core supply", Quantity.VOLTAGE, 0.85),
    ("Board current", Quantity.CURRENT, 0.42),
    ("Board power", Quantity.POWER, 5.05),
)


class ChassisSpecimen:
    """Gives the picture of the chassis now."""

    def __init__(self) -> None:
        self._looks = count()

    def picture(self) -> ChassisPicture:
        """Look at the chassis."""
        look = next(self._looks)
        return ChassisPicture(
            station="benchmark",
            epoch=1,
            director=1,
            slots=tuple(_blade(slot, look) for slot in SLOTS),
            budget_w=400.0,
            granted_w=175.0,
            observed_w=70.0 + look % 7,
            hardware=HardwareFigures(
                title="A chassis in a benchmark",
                serial_number="CHASSIS-1",
                sensors=(
                    SensorFigures(name="Inlet", quantity=Quantity.TEMPERATURE, reading=KnownReading(22.0 + look % 3)),
                ),
                fans=_fans(4, look),
                supplies=tuple(
                    SupplyFigures(name=f"Supply {number}", capacity_w=200.0, works=True, output_w=35.0 + look % 5)
                    for number in (1, 2)
                ),
            ),
        )


def _blade(slot: int, look: int) -> SlotPicture:
    return SlotPicture(
        slot=slot,
        hot_swap=HotSwapState.M4_ACTIVE,
        role=Role.DIRECTOR if slot == 1 else Role.ENGINE,
        epoch=1,
        main_board=MainBoardState.READY,
        address=Address(f"127.0.0.{slot}", 8080),
        boot_id=1000 + slot,
        desired_w=12.5,
        granted_w=12.5,
        observed_w=5.0 + look % 4 / 4,
        streams=look % 10,
        frame_faults=0,
        message_faults=0,
        asked=RequestCounters(requests=500 + look),
        hardware=HardwareFigures(
            title="A blade in a benchmark",
            serial_number=f"BLADE-{slot:04}",
            firmware="1.2.3",
            sensors=tuple(
                SensorFigures(name=name, quantity=quantity, reading=KnownReading(value * (1 + look % 8 / 100)))
                for name, quantity, value in _SENSORS
            ),
            fans=_fans(2, look),
            leds=(LedReading("hot swap", KnownReading(0.0)), LedReading("activity", KnownReading(1.0))),
            uuid=slot.to_bytes(16, "big"),
        ),
    )


def _fans(number: int, look: int) -> tuple[FanReading, ...]:
    return tuple(
        FanReading(f"Fan {fan}", KnownReading(2400.0 + look % 50), KnownReading(0.5)) for fan in range(1, number + 1)
    )
