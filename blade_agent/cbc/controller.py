"""The chassis blade controller: a blade's management controller on its lines."""

from collections.abc import Sequence

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.line import Framing, Line, MessageLine
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, Request, Response
from blade_agent.backplane.slot_address import SlotAddress
from blade_agent.cbc.blade import Blade
from blade_agent.cbc.clock import Clock, LoopClock, PendingCall
from blade_agent.cbc.commands.answer import AnswerTable, CommandModule
from blade_agent.cbc.commands.board import BOARD_COMMANDS
from blade_agent.cbc.commands.boot_options import BOOT_OPTION_COMMANDS
from blade_agent.cbc.commands.chassis import CHASSIS_COMMANDS
from blade_agent.cbc.commands.dcmi import DCMI_COMMANDS
from blade_agent.cbc.commands.event_receiver import EVENT_RECEIVER_COMMANDS
from blade_agent.cbc.commands.heartbeat import HEARTBEAT_COMMANDS
from blade_agent.cbc.commands.led import LED_COMMANDS
from blade_agent.cbc.commands.management import MANAGEMENT_COMMANDS
from blade_agent.cbc.commands.picmg import PICMG_COMMANDS
from blade_agent.cbc.commands.role import ROLE_COMMANDS
from blade_agent.cbc.commands.system_info import SYSTEM_INFO_COMMANDS
from blade_agent.cbc.commands.upgrade import UPGRADE_COMMANDS
from blade_agent.cbc.commands.watchdog import WATCHDOG_COMMANDS
from blade_agent.cbc.fru import FruSettings
from blade_agent.cbc.hardware import BareBoard, Hardware
from blade_agent.cbc.identity import Identity
from blade_agent.cbc.last_act import LastAct
from blade_agent.cbc.main_board import MainBoard
from blade_agent.cbc.self_test import SelfCheck
from blade_agent.kept_octets import KeptOctets

COMMAND_MODULES: tuple[CommandModule[Blade], ...] = (
    *MANAGEMENT_COMMANDS,
    WATCHDOG_COMMANDS,
    CHASSIS_COMMANDS,
    EVENT_RECEIVER_COMMANDS,
    PICMG_COMMANDS,
    LED_COMMANDS,
    BOARD_COMMANDS,
    UPGRADE_COMMANDS,
    BOOT_OPTION_COMMANDS,
    SYSTEM_INFO_COMMANDS,
    DCMI_COMMANDS,
    ROLE_COMMANDS,
    HEARTBEAT_COMMANDS,
)


class Controller:
    """One CBC. It answers on any number of lines; by itself it sends events to the chassis manager, nothing else."""

    def __init__(
        self,
        *,
        identity: Identity,
        address: SlotAddress,
        main_board: MainBoard,
        boot_id: int,
        hardware: Hardware | None = None,
        fru: FruSettings | None = None,
        event_log: KeptOctets | None = None,
        counters: KeptOctets | None = None,
        clock: Clock | None = None,
        self_checks: Sequence[SelfCheck] = (),
        handle_closed: bool = True,
    ) -> None:
        """Start in a slot: a CBC that runs is inserted. A blade without a switch at its handle counts as closed.

        Without `hardware` the blade has no sensor, light or fan. `event_log` is where the log survives a restart,
        `counters` where what is counted over all starts does.
        Time is the running event loop's unless a `clock` is given.

        Raises OSError: the FRU inventory is kept somewhere that cannot be read; ValueError: the facts of a sensor
        contradict each other.
        """
        self._table = AnswerTable(COMMAND_MODULES)
        self._clock = LoopClock() if clock is None else clock
        self._backplane: MessageLine | None = None
        self._next_event: PendingCall | None = None
        self.blade = Blade(
            identity=identity,
            address=address,
            main_board=main_board,
            boot_id=boot_id,
            hardware=BareBoard() if hardware is None else hardware,
            fru=FruSettings() if fru is None else fru,
            kept_log=event_log,
            kept_counters=counters,
            clock=self._clock,
            device_support=self._table.device_support,
            self_checks=self_checks,
        )
        self.blade.hot_swap.move_handle(closed=handle_closed)
        self.blade.hot_swap.insert()

    def serve_backplane(self, line: Line, framing: Framing) -> None:
        """Answer the chassis manager: to this slot's address only, for the wire may be shared."""
        self._backplane = self._serve(line, framing, frozenset({self.blade.address.ipmb_address}))
        self._send_events()

    def serve_service_port(self, line: Line) -> None:
        """Answer a person with a cable, whose tool takes any controller at the other end for the one at 20h."""
        self._serve(line, BasicMode(), frozenset({self.blade.address.ipmb_address, CHASSIS_MANAGER_ADDRESS}))

    def settle(self) -> None:
        """Look at the sensors, let hot swap follow the main board, and send what came of it. Costs little."""
        self.blade.settle()
        self._send_events()

    def move_handle(self, *, closed: bool) -> None:
        """Note where the handle's switch is."""
        self.blade.hot_swap.move_handle(closed=closed)
        self.settle()

    def close(self) -> None:
        """Give all lines back."""
        self._cancel_next_event()
        for line in self.blade.lines:
            line.close()

    def answer(self, request: Request) -> Response:
        """Carry a request out and answer it."""
        return self._table.answer(self.blade, request)

    def _serve(self, line: Line, framing: Framing, addresses: frozenset[int]) -> MessageLine:
        answered = LastAct(self._clock.now_s)

        def receive(message: Request | Response) -> None:
            if isinstance(message, Request) and message.responder in addresses:
                message_line.answer(answered.again(message) or answered.keep(message, self.answer(message)))
            else:
                message_line.acknowledge()
                if not self._takes(message, message_line):
                    self.blade.misdirected += 1
            self._send_events()

        message_line = MessageLine(line, framing, receive)
        self.blade.lines.append(message_line)
        return message_line

    def _takes(self, message: Request | Response, line: MessageLine) -> bool:
        """Take what may be the acknowledgement of an event."""
        return isinstance(message, Response) and line is self._backplane and self.blade.event_sender.receive(message)

    def _send_events(self) -> None:
        """Send the event that is due, and be called when the next one is."""
        if self._backplane is None or self.blade.event_sender.due_s is None:
            return
        self._cancel_next_event()
        now_s = self._clock.now_s()
        request = self.blade.event_sender.tick(now_s)
        if request is not None:
            self._backplane.send(request)
        due_s = self.blade.event_sender.due_s
        if due_s is not None:
            self._next_event = self._clock.call_later(max(0.0, due_s - now_s), self._send_events)

    def _cancel_next_event(self) -> None:
        if self._next_event is not None:
            self._next_event.cancel()
            self._next_event = None
