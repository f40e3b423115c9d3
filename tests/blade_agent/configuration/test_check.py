"""`blade-agent config check`: everything that is wrong, each with its line."""

import json

import pytest
from click.testing import CliRunner

from blade_agent.chassis_manager.settings import ManagerSettings
from blade_agent.cli import main
from blade_agent.settings import BladeSettings
from media_network.strict_reading import StrictReader, ThoroughReader, WrongKey
from tests.wrong_values.table import BLADE, CHASSIS, as_toml_text
from tests.wrong_values.test_files import WRONG, changed, places

WHOLE = {"blade": BLADE, "chassis": CHASSIS}
KINDS = {"blade": BladeSettings, "chassis": ManagerSettings}
each_part = pytest.mark.parametrize("part", WHOLE)

MANY = """\
slot = 17
adress = "192.0.2.12"
backplane = "udp:192.0.2.12:99999"
state = "/var/lib/media-station"
channels = [
  "/media/a",
  5,
]
profile = "raspbery-pi-5"

[snmp]
host = "127.0.0.1"
[[snmp.users]]
user = "reader"
auth_protocol = "MD6"
[[snmp.targets]]
address = "127.0.0.1:162"
inform = "no"
"""


def check(tmp_path, text, part="blade", *more, mode=0o600):
    path = tmp_path / f"{part}.toml"
    path.write_text(text)
    path.chmod(mode)
    return path, CliRunner().invoke(main, ["config", "check", part, "--settings", str(path), *more])


@each_part
def test_a_file_that_is_as_it_should_be(tmp_path, part):
    path, result = check(tmp_path, as_toml_text(WHOLE[part]), part)
    assert (result.exit_code, result.output) == (0, f"{path}: nothing is wrong with it\n")
    _, result = check(tmp_path, as_toml_text(WHOLE[part]), part, "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"settings": str(path), "faults": []})


def test_every_wrong_key_has_its_line_and_what_is_meant(tmp_path):
    path, result = check(tmp_path, MANY)
    assert result.exit_code == 1
    said = [line.removeprefix(f"{path}") for line in result.stdout.splitlines()]
    beginnings = [
        ":2: adress is not a key of a settings file (did you mean address?); here are: slot, address,",
        ":1: slot is 17; it must be a whole number from 1 to 16.",
        ": address is missing; it must be an IPv4 address",
        ":7: channels[1] is 5; it must be",
        ":15: snmp.users[0].auth_protocol is 'MD6'; it must be one of",
        ":18: snmp.targets[0].inform is 'no'; it must be true or false.",
        ":9: profile is 'raspbery-pi-5': there is none of that name (did you mean raspberry-pi-5?); there are: ",
    ]
    for beginning in beginnings:
        assert any(line.startswith(beginning) for line in said), (beginning, said)
    assert f"Error: {len(said)} things are wrong with {path}\nHint: docs/operations/blade.md" in result.stderr


def test_what_two_keys_say_together_is_said_when_each_is_right(tmp_path):
    _, result = check(tmp_path, as_toml_text({**BLADE, "media_port": 80, "control_port": 80}))
    assert "media_port and control_port are both 80" in result.stdout
    assert "Error: one thing is wrong" in result.stderr


def test_json_is_for_programs(tmp_path):
    path, result = check(tmp_path, MANY, "blade", "--json")
    told = json.loads(result.stdout)
    assert told["settings"] == str(path)
    assert {"line": 1, "key": "slot", "sentence": "slot is 17; it must be a whole number from 1 to 16."} in told[
        "faults"
    ]
    assert result.exit_code == 1


@pytest.mark.parametrize("text", ["slot = = 2\n", "slot = 2\nslot = 3\n"])
def test_what_is_no_toml_has_its_line_too(tmp_path, text):
    _, result = check(tmp_path, text)
    assert result.exit_code == 1
    assert f"is not TOML: line {len(text.splitlines())}, " in result.stderr


def test_secrets_that_others_may_read(tmp_path):
    path, result = check(tmp_path, as_toml_text(CHASSIS), "chassis", mode=0o644)
    line = list(CHASSIS).index("lan") + 1
    assert f"{path}:{line}: lan.users[0].password is a secret, and everybody on this machine may read" in result.stdout


# A reader that goes on knows no more and no less than one that stops


def refusal(kind, document):
    try:
        StrictReader("settings file", WrongKey).struct(kind, document, "")
    except WrongKey as error:
        return error.args
    return None


@each_part
def test_all_that_is_wrong_begins_with_what_a_blade_would_say(part):
    kind, whole = KINDS[part], WHOLE[part]
    reader = ThoroughReader("settings file")
    for place in places(whole):
        for wrong in WRONG:

            def put(inside, key, wrong=wrong):
                inside[key] = wrong

            document = changed(whole, place, put)
            found = [error.args for error in reader.all_wrong(kind, document)]
            first = refusal(kind, document)
            assert found[:1] == ([first] if first else []), (place, wrong)


@each_part
def test_of_two_wrong_keys_both_are_named(part):
    kind, whole = KINDS[part], WHOLE[part]
    keys = [key for key, value in whole.items() if not isinstance(value, (dict, list))]
    document = {**whole, **{key: [1] for key in keys}, "channel": 1}
    named = [error.at for error in ThoroughReader("settings file").all_wrong(kind, document)]
    assert named == ["channel", *(field for field in kind.__struct_fields__ if field in keys)]
