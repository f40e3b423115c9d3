"""What `up` says of a network that is up: where a person looks at it."""

from msgspec.structs import replace

from chassis_emulator.commands.inspect import _overview
from chassis_emulator.commands.up import UpReport, _sentences
from chassis_emulator.network.state_folder import NetworkRecord, StateFolder
from chassis_emulator.topology.topology import find_topology, read_topology

REPORT = UpReport(
    name="two",
    network=7,
    was_up=False,
    stations=2,
    blades=8,
    state="/state",
    revived=(),
    changes=(),
    pages={"main": "http://127.7.0.1:8082/"},
    watch={},
    panel=None,
    centers={"main": "127.7.0.1:8081"},
    mam=None,
    login=None,
)


def test_the_centers_page_is_said_and_where_to_watch():
    watch = {f"s{number}": f"http://127.7.{number}.200:8080/" for number in range(1, 8)}
    said = _sentences(replace(REPORT, watch=watch)).splitlines()
    assert said[1] == "Programs of the center: http://127.7.0.1:8082/"
    assert said[2:6] == [f"Watch at s{number}: http://127.7.{number}.200:8080/" for number in range(1, 5)]
    assert said[6:] == ["Watch at the other 3 stations: `chassis-emulator up --json`"]


def test_of_several_centers_each_page_is_said_with_the_name_that_commands_take():
    several = replace(
        REPORT,
        pages=REPORT.pages | {"east": "http://127.7.0.2:8082/"},
        centers=REPORT.centers | {"east": "127.7.0.2:8081"},
        mam="127.7.0.1:8083",
    )
    assert _sentences(several).splitlines()[1:] == [
        "Programs of main: http://127.7.0.1:8082/ (operators at 127.7.0.1:8081, `--center main`)",
        "Programs of east: http://127.7.0.2:8082/ (operators at 127.7.0.2:8081, `--center east`)",
        "Headquarters: 127.7.0.1:8083 (`distribution-center mam centers`)",
    ]


def test_inspect_has_the_page_of_each_center(tmp_path):
    topology = read_topology(find_topology("headquarters"))
    record = NetworkRecord(network=4, name="three", center="127.4.0.1:8081", pid=1, boot="b", topology=topology)
    told = _overview(StateFolder(tmp_path), record)
    assert told["pages"] == {
        "main": "http://127.4.0.1:8082/",
        "east": "http://127.4.0.2:8082/",
        "west": "http://127.4.0.3:8082/",
    }
    assert told["headquarters"] == "127.4.0.1:8083"
