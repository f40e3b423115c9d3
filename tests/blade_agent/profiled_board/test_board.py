"""The CBC on an emulated board, in virtual time: what the tree says is what the chassis manager is told."""

import asyncio
import errno
import os
from dataclasses import replace
from itertools import pairwise

import pytest

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.board import (
    GET_FAN_LEVEL,
    GET_POWER_LEVEL,
    SET_FAN_LEVEL,
    SET_POWER_LEVEL,
    PowerKind,
    PowerQuery,
    SetFanLevel,
    SetPowerLevel,
    WhichFru,
)
from blade_agent.backplane.messages.chassis import (
    CHASSIS_CONTROL,
    CHASSIS_IDENTIFY,
    GET_CHASSIS_STATUS,
    ChassisControl,
    Control,
    IdentifyRequest,
)
from blade_agent.backplane.messages.device import GET_SELF_TEST_RESULTS, SelfTest
from blade_agent.backplane.messages.event_receiver import SET_EVENT_RECEIVER, ReceiverAddress
from blade_agent.backplane.messages.heartbeat import GET_BLADE_STATUS
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    STAGE_ADDRESS,
    CommitRole,
    Party,
    StageAddress,
    assignment_digest,
)
from blade_agent.backplane.messages.sensor import GET_SENSOR_READING, PLATFORM_EVENT, SensorNumber
from blade_agent.backplane.messages.watchdog import RESET_WATCHDOG_TIMER, SET_WATCHDOG_TIMER, SetWatchdog
from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.hardware.reading import KnownReading, Why
from blade_agent.profiled_board.measurements import FRESH_S, SENSOR, Measurements
from media_network.address import Address
from tests.blade_agent.profiled_board.conftest import COOL
from tests.patience import PATIENCE_S

SOC, INLET, SUPPLY, CURRENT, POWER, FAN = range(2, 8)
UNAVAILABLE = 0x20
ZONE = "sys/class/thermal/thermal_zone0/temp"


def temperature(blade):
    """What the CBC says of the processor in °C; None when it says that there is no reading."""
    said = blade.ask(GET_SENSOR_READING, SensorNumber(SOC))
    return None if said.flags & UNAVAILABLE else said.reading * 0.5 - 10


def records(blade, sensor):
    """Events of a sensor in the log: (asserted, event)."""
    kept = [record for record in blade.cbc.blade.log.records.values() if record[11] == sensor]
    return [(not record[12] & 0x80, record[13] & 0x0F) for record in kept]


def activate(blade):
    assert blade.ask(SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE)) is not CompletionCode.WRONG_STATE
    assert blade.ask(GET_BLADE_STATUS).hot_swap is HotSwapState.M4_ACTIVE


def test_a_reading_is_the_boards_of_a_moment_ago(emulated, play):
    async def story():
        async with emulated.running():
            assert temperature(emulated) is None, "nothing was measured yet"
            await asyncio.sleep(0.1)
            assert temperature(emulated) == 30.0
            emulated.tree.write(replace(COOL, temperature_c=41.5))
            await asyncio.sleep(1.1)
            assert temperature(emulated) == 41.5

    play(story())


@pytest.mark.parametrize(
    "content", [None, b"", b"hot\n", b"-274000\n", b"99999999999999999999\n", b"\xff\xfe", b"41500 \x1b[2J\n"]
)
def test_what_is_missing_or_garbled_is_no_reading_and_never_a_number(emulated, play, content):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            assert temperature(emulated) == 30.0
            emulated.corrupt(ZONE, content)
            await asyncio.sleep(1.1)
            assert temperature(emulated) is None
            assert records(emulated, SOC) == []
            emulated.tree.lay_out(COOL)
            await asyncio.sleep(11)
            assert temperature(emulated) == 30.0

    play(story())


def test_a_reading_that_is_too_old_is_none():
    now_s = [100.0]
    measurements = Measurements(lambda: now_s[0])
    assert measurements.reading(SENSOR, "SoC temp").why is Why.TOO_EARLY
    measurements.take({(SENSOR, "SoC temp"): KnownReading(30.0)})
    now_s[0] += FRESH_S
    assert measurements.value(SENSOR, "SoC temp") == 30.0
    now_s[0] += 0.1
    assert measurements.reading(SENSOR, "SoC temp").why is Why.FAILED, "whatever holds its driver up"


def test_a_board_without_any_files_is_a_blade_all_the_same(make_emulated, play, tmp_path):
    blade = make_emulated()
    (tmp_path / "root" / "sys").rename(tmp_path / "gone")

    async def story():
        async with blade.running():
            await asyncio.sleep(3)
            for sensor in range(SOC, FAN + 1):
                assert blade.ask(GET_SENSOR_READING, SensorNumber(sensor)).flags & UNAVAILABLE
            activate(blade)

    play(story())


def test_thresholds_are_told_to_the_log_and_to_the_chassis_manager_with_hysteresis(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            emulated.ask(SET_EVENT_RECEIVER, ReceiverAddress(address=0xFF, lun=0))
            emulated.ask(SET_EVENT_RECEIVER, ReceiverAddress(address=0x20, lun=0))
            emulated.acknowledge()
            for degrees in (71.0, 69.0, 67.5, 30.0):
                emulated.tree.write(replace(COOL, temperature_c=degrees))
                await asyncio.sleep(1.6)
                emulated.acknowledge()
            assert records(emulated, SOC) == [(True, 7), (False, 7)]
            once = {event.sequence: event.data for event in emulated.wire.events}
            told = [PLATFORM_EVENT.read_request(data) for data in once.values()]
            assert [(event.reading_type, event.data[0] & 0x0F) for event in told if event.sensor == SOC] == [
                (0x01, 7),
                (0x81, 7),
            ]

    play(story())


def test_a_critical_reading_lights_the_fault_light_and_a_role_the_activity_light(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            assert emulated.tree.lights()["fault"] == emulated.tree.lights()["activity"] == (0, 0)
            emulated.tree.write(replace(COOL, temperature_c=90.0))
            await asyncio.sleep(1.2)
            assert emulated.tree.lights()["fault"] == (1000, 0)
            emulated.tree.write(COOL)
            await asyncio.sleep(1.2)
            assert emulated.tree.lights()["fault"] == (0, 0)
            activate(emulated)
            wanted = RoleAssignment(role=Role.ENGINE, epoch=1, director=Address("127.1.1.1", 8080))
            digest = assignment_digest(wanted)
            emulated.ask(STAGE_ADDRESS, StageAddress(Party.DIRECTOR, wanted.director))
            emulated.ask(COMMIT_ROLE, CommitRole(epoch=1, role=Role.ENGINE, assignment_digest=digest))
            assert emulated.main_board.assigned == [wanted]
            await asyncio.sleep(1.2)
            assert emulated.tree.lights()["activity"] == (1000, 0)

    play(story())


def test_a_light_blinks_by_the_kernel_where_it_can(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            emulated.ask(CHASSIS_IDENTIFY, IdentifyRequest(3))
            await asyncio.sleep(0.1)
            on_ms, off_ms = emulated.tree.lights()["identify"]
            assert on_ms
            assert off_ms
            await asyncio.sleep(4)
            assert emulated.tree.lights()["identify"] == (0, 0)

    play(story())


def test_a_light_blinks_without_the_kernels_help(emulated, play):
    async def story():
        for trigger in emulated.tree.root.glob("sys/class/leds/*/trigger"):
            trigger.write_text("[none]\n")
        async with emulated.running():
            await asyncio.sleep(0.1)
            emulated.ask(CHASSIS_IDENTIFY, IdentifyRequest(3))
            seen = []
            for _ in range(60):
                await asyncio.sleep(0.05)
                seen.append(emulated.tree.lights()["identify"])
            assert {(0, 0), (1000, 0)} == set(seen)
            assert sum(a != b for a, b in pairwise(seen)) >= 10
            await asyncio.sleep(1)
            assert emulated.tree.lights()["identify"] == (0, 0)

    play(story())


def test_the_kernel_blinks_where_it_can(emulated, play):
    led = emulated.folder / "root/sys/class/leds/white:identify"
    (led / "trigger").write_text("[none] timer heartbeat\n")
    for name in ("delay_on", "delay_off"):
        (led / name).write_text("500\n")

    async def story():
        async with emulated.running():
            emulated.ask(CHASSIS_IDENTIFY, IdentifyRequest(3))
            await asyncio.sleep(0.1)
            assert [(led / name).read_text() for name in ("trigger", "delay_on", "delay_off")] == [
                "timer\n",
                "250\n",
                "250\n",
            ]
            await asyncio.sleep(3)
            assert (led / "trigger").read_text() == "none\n"

    play(story())


def test_the_fan_follows_the_temperature_and_no_slower_than_it_is_told(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.2)
            assert emulated.tree.fan_duty() == pytest.approx(0.2, abs=0.01)
            assert emulated.ask(GET_FAN_LEVEL, WhichFru(0)).local_level == 20
            emulated.ask(SET_FAN_LEVEL, SetFanLevel(fru=0, level=60))
            await asyncio.sleep(0.1)
            assert emulated.tree.fan_duty() == pytest.approx(0.6, abs=0.01)
            emulated.tree.write(replace(COOL, temperature_c=66.0))
            await asyncio.sleep(1.2)
            assert emulated.tree.fan_duty() == 1.0
            emulated.tree.write(COOL)
            emulated.ask(SET_FAN_LEVEL, SetFanLevel(fru=0, level=0xFF))
            await asyncio.sleep(1.2)
            assert emulated.tree.fan_duty() == pytest.approx(0.2, abs=0.01)
            emulated.corrupt(ZONE, b"broken\n")
            await asyncio.sleep(1.2)
            assert emulated.tree.fan_duty() == 1.0, "who does not know how hot it is cools"

    play(story())


def test_the_handle_moves_hot_swap(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            activate(emulated)
            emulated.tree.move_handle(is_open=True)
            await asyncio.sleep(1.1)
            assert emulated.ask(GET_BLADE_STATUS).hot_swap is HotSwapState.M5_DEACTIVATION_REQUEST
            emulated.corrupt("sys/class/hwmon/hwmon0/intrusion0_alarm", b"?")
            await asyncio.sleep(2)
            assert emulated.ask(GET_BLADE_STATUS).hot_swap is HotSwapState.M5_DEACTIVATION_REQUEST
            emulated.tree.lay_out(COOL)
            emulated.tree.move_handle(is_open=False)
            await asyncio.sleep(1.1)
            assert emulated.ask(GET_BLADE_STATUS).hot_swap is HotSwapState.M4_ACTIVE

    play(story())


def test_a_blade_with_an_open_handle_starts_inactive(emulated, play):
    emulated.tree.move_handle(is_open=True)

    async def story():
        async with emulated.running():
            assert emulated.ask(GET_BLADE_STATUS).hot_swap is HotSwapState.M1_INACTIVE

    play(story())


def test_power_off_and_on_is_another_boot_and_the_answer_goes_out_first(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(0.1)
            activate(emulated)
            before = emulated.ask(GET_BLADE_STATUS)
            emulated.ask(CHASSIS_CONTROL, Control(ChassisControl.POWER_DOWN))
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.READY, "not before the answer is out"
            await asyncio.sleep(0)
            off = emulated.ask(GET_BLADE_STATUS)
            assert (off.main_board, off.role, off.address) == (MainBoardState.OFF, Role.UNASSIGNED, None)
            assert emulated.ask(GET_CHASSIS_STATUS).power == 0x20
            emulated.ask(CHASSIS_CONTROL, Control(ChassisControl.POWER_UP))
            await asyncio.sleep(0)
            after = emulated.ask(GET_BLADE_STATUS)
            assert after.main_board is MainBoardState.READY
            assert after.boot_id not in (before.boot_id, off.boot_id)

    play(story())


def test_what_was_switched_off_on_purpose_stays_off(emulated, play):
    async def state():
        async with emulated.running():
            await asyncio.sleep(0.1)
            return emulated.ask(GET_BLADE_STATUS).main_board

    async def control(what):
        async with emulated.running():
            emulated.ask(CHASSIS_CONTROL, Control(what))
            await asyncio.sleep(3)

    play(control(ChassisControl.POWER_DOWN))
    assert play(state()) is MainBoardState.OFF
    play(control(ChassisControl.POWER_CYCLE))
    assert play(state()) is MainBoardState.OFF, "a cycle of what is off does nothing"
    play(control(ChassisControl.POWER_UP))
    play(control(ChassisControl.POWER_CYCLE))
    assert play(state()) is MainBoardState.READY


def test_a_power_cycle_is_off_for_a_while(emulated, play):
    async def story():
        async with emulated.running():
            emulated.ask(CHASSIS_CONTROL, Control(ChassisControl.POWER_CYCLE))
            await asyncio.sleep(1.5)
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.OFF
            await asyncio.sleep(1)
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.READY

    play(story())


def test_a_graceful_shutdown_waits_for_the_streams(emulated, play):
    emulated.main_board.carried = 9

    async def story():
        async with emulated.running():
            emulated.ask(CHASSIS_CONTROL, Control(ChassisControl.SOFT_SHUTDOWN))
            await asyncio.sleep(1)
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.READY
            await asyncio.sleep(2)
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.OFF

    play(story())


def test_a_watchdog_that_runs_out_resets_the_main_board(emulated, play):
    async def story():
        async with emulated.running():
            before = emulated.ask(GET_BLADE_STATUS).boot_id
            emulated.ask(
                SET_WATCHDOG_TIMER, SetWatchdog(use=4, actions=1, pre_timeout_s=0, cleared_uses=0, countdown=20)
            )
            emulated.ask(RESET_WATCHDOG_TIMER)
            await asyncio.sleep(1.9)
            assert emulated.ask(GET_BLADE_STATUS).boot_id == before
            await asyncio.sleep(0.2)
            assert emulated.ask(GET_BLADE_STATUS).boot_id != before
            assert records(emulated, 1) == [(True, 1)]

    play(story())


def test_a_lower_power_level_streams_less_and_level_0_is_off(emulated, play):
    async def story():
        async with emulated.running():
            assert emulated.main_board.shares == [1.0]
            emulated.ask(SET_POWER_LEVEL, SetPowerLevel(fru=0, level=1, copy=0))
            assert emulated.main_board.shares == [1.0, 0.2]
            emulated.ask(SET_POWER_LEVEL, SetPowerLevel(fru=0, level=0, copy=0))
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.OFF
            assert emulated.ask(GET_POWER_LEVEL, PowerQuery(0, PowerKind.STEADY)).level == 0
            emulated.ask(SET_POWER_LEVEL, SetPowerLevel(fru=0, level=2, copy=0))
            assert emulated.ask(GET_BLADE_STATUS).main_board is MainBoardState.READY
        emulated.main_board.shares.clear()
        async with emulated.running():
            assert emulated.main_board.shares == [0.6], "the level is kept"

    play(story())


def test_the_log_survives_and_says_when_it_is_not_kept(emulated, play, monkeypatch):
    async def count():
        async with emulated.running():
            assert emulated.ask(GET_SELF_TEST_RESULTS) == SelfTest(0x55, 0)
            return len(emulated.cbc.blade.log.records)

    assert (play(count()), play(count()), play(count())) == (2, 4, 6)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    async def story():
        async with emulated.running():
            await asyncio.sleep(1)
            assert emulated.ask(GET_SELF_TEST_RESULTS) == SelfTest(0x57, 0x80)

    play(story())


def test_events_are_repeated_until_the_manager_takes_them(emulated, play):
    async def story():
        async with emulated.running():
            await asyncio.sleep(4)
            events = emulated.wire.events
            assert len(events) == 4, "at once, after 0.5, 1.5 and 3.5 s"
            assert len({event.sequence for event in events}) == 1
            emulated.acknowledge(CompletionCode.NODE_BUSY)
            await asyncio.sleep(4)
            assert len(emulated.wire.events) == 5
            emulated.acknowledge()
            assert len(emulated.wire.events) == 6
            assert emulated.wire.events[-1].sequence != events[0].sequence
            emulated.acknowledge()
            await asyncio.sleep(60)
            assert len(emulated.wire.events) == 6
            assert emulated.cbc.blade.event_sender.sent == 2
            assert emulated.cbc.blade.misdirected == 0

    play(story())


def test_the_boards_watchdog_is_fed_while_the_blade_is_well_and_stopped_with_it(emulated, play):
    device = emulated.folder / "root/dev/watchdog0"

    async def story():
        async with emulated.running():
            await asyncio.sleep(21)
            fed = len(device.read_bytes())
            assert fed == 5
            emulated.main_board.state = MainBoardState.FAILED
            await asyncio.sleep(20)
            assert len(device.read_bytes()) == fed

    play(story())
    assert device.read_bytes()[-1:] == b"V"


def test_a_command_can_reset_the_whole_board(make_emulated, tmp_path):
    blade = make_emulated(reset_command=("/bin/sh", "-c", f"echo reset > {tmp_path}/done"))

    async def story():
        async with blade.running():
            before = blade.ask(GET_BLADE_STATUS).boot_id
            blade.ask(CHASSIS_CONTROL, Control(ChassisControl.HARD_RESET))
            async with asyncio.timeout(PATIENCE_S):
                while not (tmp_path / "done").exists():  # noqa: ASYNC110 -- a file is nobody's event
                    await asyncio.sleep(0.01)
            assert blade.ask(GET_BLADE_STATUS).boot_id == before, "it is the board that goes, not the main board alone"

    asyncio.run(story())
