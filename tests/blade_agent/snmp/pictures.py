"""A chassis and a blade as SNMP is told of them, for tests to change."""

from msgspec.structs import replace

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.chassis_manager.request_counters import RequestCounters
from blade_agent.hardware.board import LedReading
from blade_agent.hardware.fan import FanReading
from blade_agent.hardware.reading import KnownReading, Quantity, Unknown, Why
from blade_agent.main_board.director.director_figures import (
    DirectorCounters,
    DirectorFigures,
    DirectorWork,
    RosterFigures,
    SessionFigures,
)
from blade_agent.main_board.engine.engine_figures import (
    ChannelCounters,
    ChannelFigures,
    CopyFigures,
    EngineCounters,
    EngineWork,
    StreamFigures,
)
from blade_agent.main_board.main_board_figures import MainBoardFigures, MainBoardWork
from blade_agent.snmp.sources import (
    BladeFigures,
    ChassisPicture,
    HardwareFigures,
    SensorFigures,
    SlotPicture,
    SupplyFigures,
)
from media_network.address import Address

TEMPERATURE = SensorFigures(
    name="SoC temp",
    quantity=Quantity.TEMPERATURE,
    reading=KnownReading(41.25),
    entity="processor",
    high_warning=70.0,
    high_critical=85.0,
    high_fatal=95.0,
    hysteresis=2.0,
)
VOLTAGE = SensorFigures(
    name="12 V supply",
    quantity=Quantity.VOLTAGE,
    reading=KnownReading(12.034),
    entity="power_supply",
    low_critical=10.8,
)
CURRENT = SensorFigures(name="Board current", quantity=Quantity.CURRENT, reading=KnownReading(0.42))
POWER = SensorFigures(name="Board power", quantity=Quantity.POWER, reading=KnownReading(5.05))
BROKEN = SensorFigures(
    name="Inlet temp",
    quantity=Quantity.TEMPERATURE,
    reading=Unknown(Why.FAILED, "the driver said no"),
    entity="air_inlet",
)
FAN = FanReading("Fan", KnownReading(2400.0), KnownReading(0.5))
BOARD = HardwareFigures(
    title="A blade in a test",
    serial_number="BLADE-0001",
    firmware="1.2.3",
    sensors=(TEMPERATURE, BROKEN, VOLTAGE, CURRENT, POWER),
    fans=(FAN,),
    leds=(LedReading("hot swap", KnownReading(0.0)), LedReading("activity", KnownReading(1.0))),
    uuid=bytes(range(16)),
)


def blade(slot, **changes):
    """A blade in service; the one in slot 1 is the media director."""
    picture = SlotPicture(
        slot=slot,
        hot_swap=HotSwapState.M4_ACTIVE,
        role=Role.DIRECTOR if slot == 1 else Role.ENGINE,
        epoch=3,
        main_board=MainBoardState.READY,
        address=Address(f"127.0.0.{slot}", 8080),
        boot_id=1000 + slot,
        desired_w=12.5,
        granted_w=12.5,
        observed_w=5.05,
        streams=2,
        version=2,
        frame_faults=1,
        message_faults=0,
        asked=RequestCounters(requests=500, repeats=3),
        hardware=BOARD,
    )
    return replace(picture, **changes)


def empty(slot):
    """A slot without a blade."""
    return SlotPicture(slot=slot, hot_swap=HotSwapState.M0_NOT_INSTALLED)


def chassis(*slots, **changes):
    """A chassis, of three blades and an empty slot unless others are given."""
    picture = ChassisPicture(
        station="north",
        epoch=3,
        director=1,
        slots=slots or (blade(1), blade(2), blade(3), empty(4)),
        budget_w=200.0,
        granted_w=37.5,
        observed_w=15.15,
        hardware=HardwareFigures(
            title="A chassis in a test",
            serial_number="CHASSIS-1",
            sensors=(replace(TEMPERATURE, name="Inlet", entity="air_inlet"),),
            fans=(replace_fan("Rear fan"),),
            supplies=(
                SupplyFigures(name="Supply 1", capacity_w=100.0, works=True, output_w=15.15),
                SupplyFigures(name="Supply 2", capacity_w=100.0, works=True),
            ),
        ),
    )
    return replace(picture, **changes)


def replace_fan(name, *, speed=2400.0, duty=0.5):
    """A fan that turns."""
    return FanReading(name, KnownReading(speed), KnownReading(duty))


SESSION = SessionFigures(
    session="s-1",
    push=True,
    state="streaming",
    program="film",
    console="127.0.0.9:5000",
    engine_slot=2,
    segment=7,
    turns=3,
)
ENGINE = EngineCounters(
    pull_requests=10,
    refusals=1,
    pull_bytes=12_000_000,
    push_turns=4,
    push_datagrams=5000,
    push_bytes=6_580_000,
    hand_overs_out=3,
    hand_overs_in=2,
    copies_done=60,
    copies_failed=1,
    copy_bytes=60_000_000,
)
CHANNELS = (
    ChannelFigures(
        name="disk-a",
        counted=ChannelCounters(reads=100, read_bytes=1 << 40),
        free_bytes=1 << 41,
        segments=100,
        stored_bytes=4_000_000_000,
        programs=frozenset({"film", "river"}),
    ),
    ChannelFigures(
        name="disk-b",
        counted=ChannelCounters(writes=10, written_bytes=1000),
        free_bytes=1 << 30,
        segments=20,
        stored_bytes=1_000_000_000,
        programs=frozenset({"film"}),
    ),
)
DIRECTOR = DirectorFigures(
    counted=DirectorCounters(
        sessions_begun=5,
        sessions_ended=3,
        sessions_lost=1,
        redirects=395,
        refusals=2,
        hand_overs=9,
        take_overs=1,
        replications=61,
        copies_done=60,
        copies_failed=1,
    ),
    push_sessions=1,
    programs=2,
    locations=240,
)
MAIN_BOARD = MainBoardFigures(streams=2, channels=CHANNELS, engine=ENGINE, director=DIRECTOR)
WORK = MainBoardWork(
    engine=EngineWork(
        streams=(
            StreamFigures(
                session="s-1", program="film", console="127.0.0.9:5000", segment=7, turn=3, rate_bps=4_000_000
            ),
        ),
        copies=(CopyFigures(program="film", segment=8, source="127.0.0.3:8080", length_bytes=1_000_000),),
    ),
    director=DirectorWork(
        engines=(
            RosterFigures(
                slot=2,
                address=Address("127.0.0.2", 8080),
                reporting=True,
                load_bps=8_000_000,
                capacity_bps=800_000_000,
                segments=120,
                free_bytes=1 << 40,
            ),
        ),
        sessions=(SESSION,),
    ),
)


def figures(main_board=MAIN_BOARD, work=WORK):
    """The blade in slot 1, the media director, which is an engine too."""
    own = blade(1, asked=None)
    return BladeFigures(station="north", epoch=3, own=own, capacity_bps=800_000_000, main_board=main_board, work=work)
