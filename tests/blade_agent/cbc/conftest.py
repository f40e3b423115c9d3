import pytest

from blade_agent.cbc.controller import Controller
from blade_agent.cbc.identity import Identity, SlotAddress
from blade_agent.cbc.role import MainBoardState, MainBoardStatus
from media_network.address import Address

IDENTITY = Identity(
    device_id=0x21,
    device_revision=3,
    manufacturer=8072,
    product=0x0102,
    guid=bytes(range(16)),
    firmware_version="1.42.7",
)


class DeskBoard:
    """A main board that takes every role at once and remembers them."""

    def __init__(self):
        self.state = MainBoardState.READY
        self.address = Address("127.1.2.3", 8080)
        self.assignments = []

    def assign(self, assignment):
        self.assignments.append(assignment)

    def status(self):
        return MainBoardStatus(state=self.state, address=self.address)


@pytest.fixture
def make_controller():
    """Make the CBC of a blade in a slot, its handle closed; `.board` is its main board."""

    def make(slot=3, **settings):
        board = DeskBoard()
        controller = Controller(
            identity=IDENTITY, address=SlotAddress(slot), main_board=board, boot_id=0x0123456789ABCDEF, **settings
        )
        controller.board = board
        return controller

    return make


@pytest.fixture
def controller(make_controller):
    return make_controller()
