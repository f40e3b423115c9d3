"""The blade as its CBC knows it: one model, of which the commands are views."""

from collections.abc import Callable, Sequence
from enum import IntFlag

from msgspec import Struct

from blade_agent.cbc.hot_swap import HotSwap, HotSwapEvent, HotSwapState
from blade_agent.cbc.identity import Identity, SlotAddress
from blade_agent.cbc.line import MessageLine
from blade_agent.cbc.post import Post
from blade_agent.cbc.role import MainBoard, MainBoardState


class SelfTestFault(IntFlag):
    """What a self test can find (IPMI 2.0, table 20-8, result 57h)."""

    NONE = 0
    OPERATIONAL_FIRMWARE = 0x01
    UPDATE_FIRMWARE = 0x02
    FRU_INTERNAL_AREA = 0x04
    SDR_EMPTY = 0x08
    BACKPLANE_LINES = 0x10
    FRU_DEVICE = 0x20
    SDR_DEVICE = 0x40
    SEL_DEVICE = 0x80


class SelfCheck(Struct, frozen=True):
    """Something the self test tries, and what it means when it does not pass."""

    fault: SelfTestFault
    passes: Callable[[], bool]


class Blade:
    """State of one blade. It needs no clock: whoever asks brings it up to date."""

    def __init__(
        self,
        *,
        identity: Identity,
        address: SlotAddress,
        main_board: MainBoard,
        boot_id: int,
        device_support: int,
        self_checks: Sequence[SelfCheck],
    ) -> None:
        self.identity = identity
        self.address = address
        self.main_board = main_board
        self.boot_id = boot_id
        self.device_support = device_support
        self.self_checks = self_checks
        self.hot_swap = HotSwap()
        self.post = Post(main_board)
        self.lines: list[MessageLine] = []
        self.misdirected = 0
        """Messages that were whole but not for this CBC."""

    @property
    def frame_faults(self) -> int:
        """What all lines carried that was no frame."""
        return sum(line.frame_faults.total() for line in self.lines)

    @property
    def message_faults(self) -> int:
        """Frames on all lines that held no message, or one for somebody else."""
        return sum(line.faults.total() for line in self.lines) + self.misdirected

    def settle(self) -> None:
        """Let the hot swap state follow the main board: ready ends M3, released ends M6."""
        state = self.hot_swap.state
        if state is HotSwapState.M3_ACTIVATION_IN_PROGRESS:
            if self.main_board.status().state is MainBoardState.READY:
                self.hot_swap.apply(HotSwapEvent.MAIN_BOARD_READY)
        elif state is HotSwapState.M6_DEACTIVATION_IN_PROGRESS:
            self.post.release()
            if self.main_board.status().state is not MainBoardState.STOPPING:
                self.hot_swap.release()
