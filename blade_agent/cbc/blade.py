"""The blade as its CBC knows it: one model, of which the commands are views."""

from collections.abc import Sequence

from blade_agent.backplane.event import SensorEvent
from blade_agent.backplane.hot_swap import HotSwap, HotSwapEvent, HotSwapState
from blade_agent.backplane.message import CompletionCode
from blade_agent.backplane.messages.blade_facts import facts_digest
from blade_agent.backplane.messages.chassis import RestartCause
from blade_agent.backplane.role import MainBoardState, Role
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.clock import Clock
from blade_agent.cbc.event_sender import EventSender
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.hardware import STARTING, BoardAction, Hardware, watts_of
from blade_agent.cbc.identification import Identification
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.leds import FrontLed, Leds
from blade_agent.cbc.main_board import MainBoard
from blade_agent.cbc.management_controller import ManagementController
from blade_agent.cbc.own_sensors import OwnSensors
from blade_agent.cbc.post import Post
from blade_agent.cbc.refusal import NotCarriedOut
from blade_agent.cbc.self_test import SelfCheck
from blade_agent.cbc.sensor_bank import board_sensors
from blade_agent.cbc.watchdog import ACTION_OF, TimeoutAction, Watchdog, WatchdogSettings
from blade_agent.kept_octets import KeptOctets


class Blade(ManagementController):
    """The controller of a blade: hot swap, a main board with its role, lights, a watchdog, and events that it sends.

    Whoever asks brings it up to date; only a timer that runs out acts by itself.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        address: SlotAddress,
        main_board: MainBoard,
        boot_id: int,
        hardware: Hardware,
        fru: FruSettings,
        kept_log: KeptOctets | None,
        kept_counters: KeptOctets | None,
        clock: Clock,
        device_support: int,
        self_checks: Sequence[SelfCheck],
    ) -> None:
        self.hot_swap = HotSwap(self._hot_swap_moved)
        self.watchdog = Watchdog(clock, self._watchdog_expired)
        self.own_sensors = OwnSensors(self.hot_swap, self.watchdog)
        super().__init__(
            identity=identity,
            ipmb_address=address.ipmb_address,
            name=f"blade {address.slot}",
            sensors=(*self.own_sensors.all, *board_sensors(hardware.sensors)),
            neighbours={},
            fru=fru,
            kept_log=kept_log,
            kept_counters=kept_counters,
            watts=lambda: watts_of(hardware.sensors),
            clock=clock,
            device_support=device_support,
            self_checks=self_checks,
        )
        self.address = address
        self.main_board = main_board
        self.boot_id = boot_id
        self.hardware = hardware
        self.post = Post(main_board)
        self.event_sender = EventSender(address.ipmb_address)
        self.leds = Leds(clock, hardware.leds)
        self.identification = Identification(clock, self._identify_led())
        self.fan_override: int | None = None
        self._digested = (b"", 0)
        """The inventory that the digest was made with, and the digest; records stay."""

    @property
    def facts_digest(self) -> int:
        """What names all that its records and its inventory say."""
        image, digest = self._digested
        if image is not self.fru.image:
            image = self.fru.image
            self._digested = (image, digest := facts_digest(self.records, image))
        return digest

    def settle(self) -> None:
        """Look at the sensors, and let hot swap follow the main board: ready ends M3, released ends M6."""
        self.count()
        if self.sensors.scan():
            self.leds.show_fault(present=self.sensors.critical)
        self.leds.show_activity(present=self._in_service)
        state = self.hot_swap.state
        if state is HotSwapState.M3_ACTIVATION_IN_PROGRESS:
            if self.main_board.status().state is MainBoardState.READY:
                self.hot_swap.apply(HotSwapEvent.MAIN_BOARD_READY)
        elif state is HotSwapState.M6_DEACTIVATION_IN_PROGRESS:
            self.post.release()
            if self.main_board.status().state is not MainBoardState.STOPPING:
                self.hot_swap.release()

    @property
    def is_on(self) -> bool:
        """See `ManagementController`."""
        return self.main_board.status().state is not MainBoardState.OFF

    @property
    def _in_service(self) -> bool:
        return self.post.held.role is not Role.UNASSIGNED and self.main_board.status().state is MainBoardState.READY

    def main_board_booted(self, boot_id: int) -> None:
        """Note that the main board began anew: it has no role, and the chassis manager sees that it is another boot."""
        self.post.release()
        self.boot_id = boot_id

    def tell_again(self) -> None:
        """Send the event receiver what holds now, though it is in the log already (IPMI 2.0, 29.1)."""
        state = self.hot_swap.state
        self.event_sender.put(self.own_sensors.hot_swap_event(state, None))
        for event in self.sensors.standing():
            self.event_sender.put(event)

    def act(self, action: BoardAction, cause: RestartCause = RestartCause.CHASSIS_CONTROL) -> None:
        """Do something to the main board. Raises NotCarriedOut when its hardware has no way to."""
        if action not in self.hardware.actions:
            raise NotCarriedOut(CompletionCode.WRONG_STATE)
        if action in STARTING:
            self.restart_cause = cause
        self.hardware.act(action)

    def override_fan(self, level: int | None) -> None:
        """Run the fan at least at this level; None leaves it to the board. Without a fan only the wish is kept."""
        self.fan_override = level
        if self.hardware.fan is not None:
            self.hardware.fan.override(level)

    def restart(self) -> None:
        """Be as after power-up, but for hot swap, role and boot id, and without touching the main board."""
        super().restart()
        self.watchdog.forget()
        self.identification.begin(0)
        self.leds.release()
        self.override_fan(None)

    def note(self, event: SensorEvent) -> None:
        """Keep an event and send it: the log is for who comes later, the event receiver for who must act."""
        super().note(event)
        self.event_sender.put(event)

    def _hot_swap_moved(self, before: HotSwapState, event: HotSwapEvent) -> None:
        self.note(self.own_sensors.hot_swap_event(before, event))
        self.leds.follow_hot_swap(self.hot_swap.state)

    def _watchdog_expired(self, settings: WatchdogSettings) -> None:
        """Log first: the action may take the CBC along."""
        if settings.logged:
            self.note(self.own_sensors.watchdog_event(settings))
        if settings.action is not TimeoutAction.NOTHING:
            self.act(ACTION_OF[settings.action], RestartCause.WATCHDOG)

    def _identify_led(self) -> FrontLed | None:
        number = self.hardware.identify_led
        return None if number is None else self.leds.by_number[number]
