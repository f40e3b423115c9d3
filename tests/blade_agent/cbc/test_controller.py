import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blade_agent.backplane.basic_mode import BasicMode
from blade_agent.backplane.command import GROUP_BYTES, MEDIA_STATION, CommandCode
from blade_agent.backplane.hot_swap import HotSwapState
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import CHASSIS_MANAGER_ADDRESS, CompletionCode, Request, Response, decode
from blade_agent.backplane.messages.blade_facts import GET_READINGS
from blade_agent.backplane.messages.device import GET_DEVICE_ID, GET_SELF_TEST_RESULTS, SelfTest
from blade_agent.backplane.messages.heartbeat import GET_BLADE_STATUS, GET_HEARTBEAT
from blade_agent.backplane.messages.picmg import SET_FRU_ACTIVATION, Activation, SetActivation
from blade_agent.backplane.messages.role import (
    COMMIT_ROLE,
    DRAIN,
    STAGE_ADDRESS,
    STAGE_STATION,
    CommitRole,
    CommitRoleCompletion,
    Drain,
    Party,
    StageAddress,
    StageStation,
    StillCarried,
    assignment_digest,
)
from blade_agent.backplane.messages.station_blades import NOTE_BLADES
from blade_agent.backplane.rmcp import Rmcp
from blade_agent.backplane.role import MainBoardState, Role, RoleAssignment
from blade_agent.backplane.seal import seal
from blade_agent.cbc.controller import COMMAND_MODULES
from blade_agent.cbc.self_test import SelfCheck, SelfTestFault
from media_network.address import Address
from tests.blade_agent.backplane.commands import completion

ADDRESS = 0x86  # of slot 3
CODES = [code for module in COMMAND_MODULES for code in module.answers]
ANY_BLADE = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class MemoryLine:
    """A wire that ends here: what is written is kept, what arrives is put in by hand."""

    usable = True

    def __init__(self):
        self.written = b""

    def attach(self, receive):
        self.put = receive

    def write(self, data):
        self.written += data

    def close(self):
        self.usable = False


SEALED = {
    command.code
    for command in (GET_HEARTBEAT, STAGE_ADDRESS, STAGE_STATION, COMMIT_ROLE, DRAIN, NOTE_BLADES, GET_READINGS)
}


def request(net_fn, command, data=b"", **fields):
    return Request(
        responder=ADDRESS, requester=0x20, net_fn=net_fn, command=command, data=data, **{"sequence": 9, **fields}
    )


def ask(controller, command, body=None):
    """Ask a command; give its completion code and, when that is OK, the typed reply."""
    data = command.request_data(Nothing() if body is None else body)
    response = controller.answer(request(command.code.net_fn, command.code.number, data))
    if response.completion != CompletionCode.OK:
        return command.completion(response.completion), None
    return CompletionCode.OK, command.read_reply(response.data)


def activate(controller):
    assert ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))[0] is CompletionCode.OK
    _, status = ask(controller, GET_BLADE_STATUS)
    assert status.hot_swap is HotSwapState.M4_ACTIVE


def assignment(role=Role.ENGINE, epoch=5, **changes):
    fields = {"station": "north", "director": Address("127.1.2.1", 8080), "center": Address("127.1.0.1", 9000)}
    return RoleAssignment(role=role, epoch=epoch, **{**fields, **changes})


def assign(controller, wanted):
    ask(controller, STAGE_STATION, StageStation(wanted.station))
    ask(controller, STAGE_ADDRESS, StageAddress(Party.DIRECTOR, wanted.director))
    ask(controller, STAGE_ADDRESS, StageAddress(Party.CENTER, wanted.center))
    return commit(controller, wanted)


def commit(controller, wanted):
    digest = assignment_digest(wanted)
    code, _ = ask(controller, COMMIT_ROLE, CommitRole(epoch=wanted.epoch, role=wanted.role, assignment_digest=digest))
    return code


@ANY_BLADE
@given(st.integers(0, 31).map(lambda half: 2 * half), st.integers(0, 255), st.binary(max_size=40), st.integers(0, 3))
def test_any_request_is_answered(equipped, net_fn, command, data, lun):
    response = equipped.answer(request(net_fn, command, data, responder_lun=lun))
    assert response.net_fn == net_fn + 1
    code = CommandCode(net_fn, data[: GROUP_BYTES.get(net_fn, 0)], command)
    assert completion(code, response.completion) == response.completion


@ANY_BLADE
@given(st.sampled_from(CODES), st.binary(max_size=8) | st.binary(max_size=40), st.booleans())
def test_a_known_command_with_any_fields_is_answered_shortly(controller, equipped, code, fields, on_bare_board):
    controller = controller if on_bare_board else equipped
    response = controller.answer(request(code.net_fn, code.number, code.group + fields))
    assert completion(code, response.completion) is not CompletionCode.INVALID_COMMAND
    assert len(response.encode()) <= 48


@ANY_BLADE
@given(st.sampled_from(CODES))
def test_a_longer_request_is_of_the_wrong_length(controller, code):
    data = code.group + bytes(60)
    if code in SEALED:
        data = seal(bytes((code.net_fn, code.number)), data)
    response = controller.answer(request(code.net_fn, code.number, data))
    assert response.completion == CompletionCode.WRONG_LENGTH


@ANY_BLADE
@given(st.binary(max_size=300), st.booleans())
def test_a_line_survives_any_bytes_and_answers_the_next_request(make_controller, noise, over_udp):
    controller, line = make_controller(), MemoryLine()
    framing = Rmcp() if over_udp else BasicMode()
    controller.serve_backplane(line, framing)
    line.put(noise)
    line.written = b""
    line.put(framing.encode(request(0x06, 0x01).encode()))
    answer = decode((Rmcp() if over_udp else BasicMode()).receive(line.written)[-1])
    assert answer.completion == CompletionCode.OK
    assert GET_DEVICE_ID.read_reply(answer.data).device_id == 0x21


def test_completion_codes_of_what_is_not_there(controller):
    def completion(*args, **fields):
        return controller.answer(request(*args, **fields)).completion

    assert completion(0x06, 0x7F) == CompletionCode.INVALID_COMMAND
    assert completion(0x2C, 0x00, b"\x03") == CompletionCode.INVALID_COMMAND  # another defining body than PICMG
    assert completion(0x2E, 0x01, bytes(3)) == CompletionCode.INVALID_COMMAND
    assert completion(0x2E, 0x01, MEDIA_STATION[:2]) == CompletionCode.WRONG_LENGTH
    assert completion(0x2C, 0x00) == CompletionCode.WRONG_LENGTH
    assert completion(0x06, 0x01, responder_lun=1) == CompletionCode.INVALID_LUN
    assert completion(0x2C, 0x0C, b"\x00\x00\x07") == CompletionCode.INVALID_FIELD
    assert completion(0x2C, 0x0B, b"\x00\x05") == CompletionCode.NO_SUCH_DEVICE


def test_each_line_answers_to_its_own_addresses(controller):
    backplane, service = MemoryLine(), MemoryLine()
    controller.serve_backplane(backplane, BasicMode())
    controller.serve_service_port(service)
    for line in (backplane, service):
        for responder in (ADDRESS, CHASSIS_MANAGER_ADDRESS, 0x84):
            asked = Request(responder=responder, requester=0x81, net_fn=6, command=1, sequence=responder % 64)
            line.put(BasicMode.encode(asked.encode()))

    def answered_from(line):
        messages = map(decode, BasicMode().receive(line.written))
        return [message.responder for message in messages if isinstance(message, Response)]

    assert answered_from(backplane) == [ADDRESS]
    assert answered_from(service) == [ADDRESS, CHASSIS_MANAGER_ADDRESS]
    assert controller.blade.message_faults == 3


def test_the_self_test_finds_what_it_checks(make_controller):
    controller, line = make_controller(), MemoryLine()
    controller.serve_backplane(line, BasicMode())
    assert ask(controller, GET_SELF_TEST_RESULTS)[1] == SelfTest(0x55, 0)
    line.close()
    assert ask(controller, GET_SELF_TEST_RESULTS)[1] == SelfTest(0x57, 0x10)
    with_check = make_controller(self_checks=[SelfCheck(SelfTestFault.FRU_DEVICE, lambda: False)])
    assert ask(with_check, GET_SELF_TEST_RESULTS)[1] == SelfTest(0x57, 0x20)


def test_activation_waits_for_the_main_board(controller):
    controller.board.state = MainBoardState.STARTING
    ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))
    assert ask(controller, GET_BLADE_STATUS)[1].hot_swap is HotSwapState.M3_ACTIVATION_IN_PROGRESS
    controller.board.state = MainBoardState.READY
    assert ask(controller, GET_BLADE_STATUS)[1].hot_swap is HotSwapState.M4_ACTIVE
    assert ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))[0] is CompletionCode.OK


def test_a_blade_with_an_open_handle_cannot_be_activated(controller):
    controller.blade.hot_swap.move_handle(closed=False)
    assert controller.blade.hot_swap.state is HotSwapState.M1_INACTIVE
    assert ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.ACTIVATE))[0] is CompletionCode.WRONG_STATE
    assert ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.DEACTIVATE))[0] is CompletionCode.OK


def test_deactivation_takes_the_role_and_waits_for_the_main_board(controller):
    activate(controller)
    assign(controller, assignment(Role.DIRECTOR))
    ask(controller, SET_FRU_ACTIVATION, SetActivation(0, Activation.DEACTIVATE))
    controller.board.state = MainBoardState.STOPPING
    status = ask(controller, GET_BLADE_STATUS)[1]
    assert (status.hot_swap, status.role) == (HotSwapState.M6_DEACTIVATION_IN_PROGRESS, Role.UNASSIGNED)
    assert status.epoch == 5
    controller.board.state = MainBoardState.READY
    assert ask(controller, GET_BLADE_STATUS)[1].hot_swap is HotSwapState.M1_INACTIVE
    assert [taken.role for taken in controller.board.assignments] == [Role.DIRECTOR, Role.UNASSIGNED]


def test_an_assignment_reaches_the_main_board_whole_and_once(controller):
    activate(controller)
    wanted = assignment()
    assert assign(controller, wanted) is CompletionCode.OK
    assert commit(controller, wanted) is CompletionCode.OK
    assert controller.board.assignments == [wanted]
    status = ask(controller, GET_BLADE_STATUS)[1]
    assert (status.role, status.epoch, status.assignment_digest) == (Role.ENGINE, 5, assignment_digest(wanted))
    assert (status.address, status.boot_id) == (Address("127.1.2.3", 8080), 0x0123456789ABCDEF)


def test_staged_parts_of_somebody_else_do_not_become_an_assignment(controller):
    activate(controller)
    wanted = assignment()
    ask(controller, STAGE_STATION, StageStation(wanted.station))
    ask(controller, STAGE_ADDRESS, StageAddress(Party.DIRECTOR, Address("127.9.9.9", 9)))
    ask(controller, STAGE_ADDRESS, StageAddress(Party.CENTER, wanted.center))
    assert commit(controller, wanted) is CommitRoleCompletion.STAGED_DIFFERS
    assert controller.board.assignments == []


def test_older_epochs_are_fenced_off(controller):
    activate(controller)
    assert assign(controller, assignment(Role.DIRECTOR, epoch=7)) is CompletionCode.OK
    assert assign(controller, assignment(Role.DIRECTOR, epoch=6)) is CommitRoleCompletion.STALE_EPOCH
    assert assign(controller, assignment(Role.ENGINE, epoch=7)) is CommitRoleCompletion.ROLE_CONFLICT
    assert assign(controller, assignment(Role.ENGINE, epoch=8)) is CompletionCode.OK
    assert assign(controller, assignment(Role.DIRECTOR, epoch=8)) is CommitRoleCompletion.ROLE_CONFLICT
    moved = assignment(Role.ENGINE, epoch=8, center=None)
    assert assign(controller, moved) is CompletionCode.OK
    assert controller.blade.post.held == moved


def test_no_role_without_service_nor_without_an_epoch(controller):
    assert assign(controller, assignment()) is CompletionCode.WRONG_STATE
    activate(controller)
    assert assign(controller, assignment(epoch=0)) is CompletionCode.PARAMETER_OUT_OF_RANGE
    assert ask(controller, STAGE_STATION, StageStation("no rth"))[0] is CompletionCode.INVALID_FIELD
    assert controller.board.assignments == []


def test_drain_is_passed_to_the_main_board_while_the_blade_is_in_service(controller):
    board = controller.blade.main_board
    board.streams = 3
    assert ask(controller, DRAIN, Drain(draining=True)) == (CompletionCode.WRONG_STATE, None)
    activate(controller)
    assert ask(controller, DRAIN, Drain(draining=True)) == (CompletionCode.OK, StillCarried(3))
    assert board.draining
    controller.blade.hot_swap.move_handle(closed=False)
    board.streams = 70_000
    assert ask(controller, DRAIN, Drain(draining=True)) == (CompletionCode.OK, StillCarried(65_535))
    assert ask(controller, DRAIN, Drain(draining=False)) == (CompletionCode.OK, StillCarried(0))
    assert not board.draining


def test_with_its_handle_open_a_blade_may_follow_another_director_but_not_become_one(controller):
    activate(controller)
    assert assign(controller, assignment(role=Role.DIRECTOR, epoch=5)) is CompletionCode.OK
    controller.blade.hot_swap.move_handle(closed=False)
    assert assign(controller, assignment(role=Role.DIRECTOR, epoch=6)) is CompletionCode.WRONG_STATE
    assert assign(controller, assignment(role=Role.ENGINE, epoch=6)) is CompletionCode.OK


@pytest.mark.parametrize(("net_fn", "command", "data"), [(0x00, 0x02, b"\x03"), (0x2C, 0x04, b"\x00\x00\x00")])
def test_an_order_that_is_said_again_is_answered_again_and_carried_out_once(equipped, net_fn, command, data):
    line = MemoryLine()
    equipped.serve_backplane(line, BasicMode())

    def say(sequence):
        reset = request(net_fn, command, data, sequence=sequence)
        line.written = b""
        line.put(BasicMode.encode(reset.encode()))
        return BasicMode().receive(line.written)

    first = say(9)
    assert say(9) == first
    assert len(equipped.hardware.acted) == 1
    say(10)
    assert len(equipped.hardware.acted) == 2
    equipped.clock.pass_s(6.0)
    say(10)
    assert len(equipped.hardware.acted) == 3
