"""Completion codes: a number of the command's own means one thing with it, and has that name wherever it is printed."""

import enum
import importlib
import pkgutil

import pytest

import blade_agent.backplane
import blade_agent.chassis_manager.lan
from blade_agent.backplane.layout import Nothing
from blade_agent.backplane.message import Completion, CompletionCode
from blade_agent.backplane.messages.fru import WRITE_FRU_INVENTORY_DATA, WriteFruCompletion
from blade_agent.backplane.messages.role import COMMIT_ROLE, CommitRole, CommitRoleCompletion
from blade_agent.backplane.messages.watchdog import RESET_WATCHDOG_TIMER, ResetWatchdogCompletion
from blade_agent.backplane.role import Role
from blade_agent.cbc.refusal import NotCarriedOut
from blade_agent.chassis_manager.settings import Timing
from blade_agent.chassis_manager.slots.requester import Answered, AnswerOutcome, SlotQuestion
from blade_agent.chassis_manager.slots.slot import Slot
from tests.blade_agent.backplane.commands import COMMANDS

ROOMS = (blade_agent.backplane, blade_agent.chassis_manager.lan)
MODULES = [
    importlib.import_module(found.name)
    for room in ROOMS
    for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}.")
]
ENUMS = {
    found
    for module in MODULES
    for found in vars(module).values()
    if isinstance(found, type) and issubclass(found, enum.Enum)
}


def test_no_number_has_two_names():
    assert {codes.__name__: set(codes.__members__) - {code.name for code in codes} for codes in ENUMS} == {
        codes.__name__: set() for codes in ENUMS
    }


def test_a_commands_own_codes_are_those_that_ipmi_leaves_to_it():
    own = {codes for codes in ENUMS if issubclass(codes, Completion)} - {Completion, CompletionCode}
    assert own >= {CommitRoleCompletion, WriteFruCompletion, ResetWatchdogCompletion}
    assert all(0x80 <= code <= 0xBE for codes in own for code in codes)
    assert not [code for code in CompletionCode if 0x80 <= code <= 0xBE]


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        (COMMIT_ROLE, CommitRoleCompletion.STALE_EPOCH),
        (WRITE_FRU_INVENTORY_DATA, WriteFruCompletion.WRITE_PROTECTED),
        (RESET_WATCHDOG_TIMER, ResetWatchdogCompletion.NEVER_SET),
    ],
)
def test_80h_is_read_as_the_command_means_it(command, meant):
    assert command.completion(0x80) is meant
    assert command.completion(0xC1) is CompletionCode.INVALID_COMMAND
    assert command.completion(0) is CompletionCode.OK
    with pytest.raises(ValueError, match="191"):
        command.completion(0xBF)
    assert command.completion_text(0xBF) == "BFh"


def _means_80h(command):
    """Whether a command has a code 80h of its own, as the enumeration beside its layout says."""
    own = command._completions
    return own is not None and 0x80 in list(own)


def test_80h_means_nothing_with_a_command_that_has_no_code_of_its_own():
    silent = [command for command in COMMANDS.values() if command.completion_text(0x80) == "80h"]
    assert len(silent) == len(COMMANDS) - sum(_means_80h(command) for command in COMMANDS.values())


def test_a_refusal_is_printed_with_the_name_that_its_command_gives_it(caplog):
    assert str(NotCarriedOut(WriteFruCompletion.WRITE_PROTECTED)) == "refused with completion code 80h, write protected"
    assert str(NotCarriedOut(CommitRoleCompletion.STALE_EPOCH)) == "refused with completion code 80h, stale epoch"
    slot = Slot(3, 0, Timing())
    commit = CommitRole(epoch=1, role=Role.ENGINE, assignment_digest=0)
    for command, body in ((COMMIT_ROLE, commit), (RESET_WATCHDOG_TIMER, Nothing())):
        answered = Answered(question=SlotQuestion(command, body), outcome=AnswerOutcome.REFUSED, completion=0x80)
        slot._refused(answered)
    assert caplog.messages == [
        "slot 3: Commit Role refused with completion code 80h, stale epoch",
        "slot 3: Reset Watchdog Timer refused with completion code 80h, never set",
    ]
