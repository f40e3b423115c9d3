"""A heartbeat to make others of."""

from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.messages.heartbeat import PROTOCOL_VERSION, Heartbeat
from blade_agent.backplane.role import MainBoardState, Role

HEARTBEAT = Heartbeat(
    protocol_version=PROTOCOL_VERSION,
    hot_swap=HotSwapState.M4_ACTIVE,
    main_board=MainBoardState.READY,
    role=Role.DIRECTOR,
    epoch=1,
    assignment_digest=0,
    address=None,
    boot_id=7,
    frame_faults=0,
    message_faults=0,
)
