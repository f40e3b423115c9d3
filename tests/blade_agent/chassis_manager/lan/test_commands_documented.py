"""docs/protocols/ipmi.md says of every command who answers it, to whom, and how long it is: compared with the code."""

import re
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest

from blade_agent.backplane.command import CommandCode
from blade_agent.backplane.message import Request
from blade_agent.cbc.controller import COMMAND_MODULES
from blade_agent.chassis_manager.lan.bridge import is_send_message
from blade_agent.chassis_manager.lan.endpoint import Endpoint
from blade_agent.chassis_manager.lan.privileges import PRIVILEGES
from tests.blade_agent.backplane.commands import COMMANDS
from tests.blade_agent.chassis_manager.desk_hardware import DeskHardware
from tests.blade_agent.chassis_manager.lan.conftest import GUID, USERS, Console, StillClock, controller_at_20h

TABLE = Path(__file__).parents[4] / "docs" / "protocols" / "ipmi.md"
ROW = re.compile(
    r"^\| (?P<name>[^|]+) \| (?P<code>[0-9A-F]{2}h[^|]*) \| (?P<section>[^|]+) \| (?P<lengths>[^|]*) \|"
    r" (?P<where>[^|]+) \| (?P<takes>[^|]+) \| (?P<answer>[^|]*) \|$",
    re.MULTILINE,
)
FILLERS = [
    bytes((first,)) + bytes((rest,)) * 60 for first, rest in ((0, 0), (5, 0), (0xFE, 0), (0xFF, 0xFF), (0xFF, 0))
]
LONG = 200


def documented():
    rows = {}
    for row in ROW.finditer(TABLE.read_text(encoding="utf-8")):
        net_fn, *rest = [int(octet, 16) for octet in re.findall(r"([0-9A-F]{2})h", row["code"])]
        code = CommandCode(net_fn, bytes(rest[:-1]), rest[-1])
        assert code not in rows, f"{row['name']} stands there twice"
        rows[code] = SimpleNamespace(**row.groupdict())
    return rows


ROWS = documented()
SEND_MESSAGE = {code for code, row in ROWS.items() if row.name == "Send Message"}


@pytest.fixture
def endpoint():
    return Endpoint(guid=GUID, users=USERS, controller=controller_at_20h(), rng=Random(7))


def lengths_of(row):
    lengths = set()
    for part in row.lengths.split(", "):
        first, _, last = part.partition(" to ")
        lengths |= set(range(int(first), int(last or first) + 1))
    return lengths


def test_every_command_is_documented_and_no_other(endpoint):
    blade = {code for module in COMMAND_MODULES for code in module.answers}
    manager = controller_at_20h().codes | endpoint.commands.codes | SEND_MESSAGE
    assert len(SEND_MESSAGE) == 1
    assert {code for code, row in ROWS.items() if "blade" in row.where} == blade
    assert {code for code, row in ROWS.items() if "20h" in row.where} == manager


def test_it_is_called_what_the_code_calls_it_and_takes_what_the_code_takes(endpoint):
    entries = endpoint.commands.entries
    for code, row in ROWS.items():
        if code in SEND_MESSAGE:
            assert is_send_message(Request(responder=0x20, requester=0x81, net_fn=6, command=code.number, sequence=0))
        elif code in entries:
            privilege = entries[code].privilege
            assert row.name == entries[code].name
            assert row.takes == ("nothing" if privilege is None else privilege.name.lower())
        else:
            assert row.name == COMMANDS[code].name
            assert row.takes == PRIVILEGES[code].name.lower()


def test_every_privilege_is_of_a_command_that_somebody_answers():
    assert set(PRIVILEGES) <= set(ROWS)


def test_at_a_blade_every_other_length_is_c7(make_blade):
    blade = make_blade(3, 1, clock=Clock(), hardware=DeskHardware())
    check_lengths("blade", lambda code, fields: ask(blade.answer, code, fields))


def test_at_20h_every_other_length_is_c7(endpoint):
    console = Console(endpoint)
    console.log_in()
    console.ask(6, 0x3B, b"\4")
    check_lengths("20h", lambda code, fields: console.ask(code.net_fn, code.number, code.group + fields).completion)


def test_what_is_not_there_is_c1_for_every_user_that_has_a_session(endpoint):
    for place, (name, password) in enumerate(((b"watch", b"only looking"), (b"root", b"correct horse batt"))):
        console = Console(endpoint, host=f"10.0.0.{place + 1}")
        console.log_in(name, password, 0x10)
        for net_fn, number in ((6, 0x7F), (0, 0x7F), (0x30, 0), (0x2C, 0x7F)):
            assert console.ask(net_fn, number, b"\0").completion == 0xC1


def check_lengths(where, completion):
    for code, row in ROWS.items():
        if where not in row.where or code in SEND_MESSAGE or code.net_fn == 0x2E:
            continue  # what carries a seal is refused for that; cbc.md has the layouts
        legal = lengths_of(row)
        for length in (*range(max(legal) + 3), LONG):
            fillers = (filler[:length].ljust(length, b"\0") for filler in FILLERS)
            taken = any(completion(code, fields) != 0xC7 for fields in fillers)
            assert taken is (length in legal), f"{row.name} with {length} bytes"


def ask(answer, code, fields):
    request = Request(
        responder=0x86, requester=0x20, net_fn=code.net_fn, command=code.number, sequence=0, data=code.group + fields
    )
    return answer(request).completion


class Clock(StillClock):
    def call_later(self, delay_s, call):
        return SimpleNamespace(cancel=lambda: None)


RESERVED = [
    ("Chassis Control", b"\x04", 0, 0xF0),
    ("Chassis Identify", b"\x01\x00", 1, 0xFE),
    ("Set Event Receiver", b"\x20\x00", 1, 0xFC),
    ("Set FRU Activation Policy", b"\0\0\0", 1, 0xFC),
    ("Set FRU Activation Policy", b"\0\0\0", 2, 0xFC),
    ("Set Sensor Thresholds", b"\x02\0" + bytes(6), 1, 0xC0),
    ("Set Sensor Event Enable", b"\x02\xc0", 1, 0x0F),
    ("Set Watchdog Timer", b"\x04\0\0\0\x64\0", 0, 0x38),
    ("Set Watchdog Timer", b"\x04\0\0\0\x64\0", 1, 0x88),
    ("Set Watchdog Timer", b"\x04\0\0\0\x64\0", 3, 0xC1),
    ("Get Channel Info", b"\x0e", 0, 0xF0),
    ("Get Device SDR Info", b"\x01", 0, 0xFE),
    ("Set Power Restore Policy", b"\x03", 0, 0xF8),
    ("Set Global Enables", b"\x08", 0, 0x10),
]


@pytest.mark.parametrize(("name", "fields", "at", "bits"), RESERVED, ids=str)
def test_reserved_bits_are_not_looked_at(make_blade, name, fields, at, bits):
    blade = make_blade(3, 1, clock=Clock(), hardware=DeskHardware())
    code = next(code for code, row in ROWS.items() if row.name == name and "blade" in row.where)
    plain = ask(blade.answer, code, fields)
    marked = fields[:at] + bytes((fields[at] | bits,)) + fields[at + 1 :]
    assert ask(blade.answer, code, marked) == plain != 0xCC
