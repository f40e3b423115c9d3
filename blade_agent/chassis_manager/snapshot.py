"""What a chassis manager shows of its slots."""

from msgspec import Struct

from blade_agent.cbc.role import MainBoardState, Role
from blade_agent.chassis_manager.slot import Slot
from media_network.address import Address


class SlotSnapshot(Struct, frozen=True, kw_only=True):
    """One slot. Of a blade that is away (M0, M7) only the slot and its state are known."""

    slot: int
    hot_swap: str
    """M0 to M7."""
    role: Role | None = None
    epoch: int | None = None
    main_board: MainBoardState | None = None
    address: Address | None = None
    """Where its main board's HTTP server listens."""
    boot_id: int | None = None
    frame_faults: int | None = None
    message_faults: int | None = None


def snapshot_of(slot: Slot) -> SlotSnapshot:
    """Show a slot as it is now."""
    state = f"M{slot.hot_swap.value}"
    status = slot.status
    if status is None or slot.away:
        return SlotSnapshot(slot=slot.number, hot_swap=state)
    return SlotSnapshot(
        slot=slot.number,
        hot_swap=state,
        role=status.role,
        epoch=status.epoch,
        main_board=status.main_board,
        address=status.address,
        boot_id=status.boot_id,
        frame_faults=status.frame_faults,
        message_faults=status.message_faults,
    )
