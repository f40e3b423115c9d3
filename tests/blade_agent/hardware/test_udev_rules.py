"""Names for the serial ports of a board."""

from click.testing import CliRunner

from blade_agent.cli import main


def rules(*words):
    return CliRunner().invoke(main, ["profile", "rules", *map(str, words)])


def test_a_profile_that_knows_its_ports_names_them():
    result = rules("generic-x86")
    assert (result.exit_code, result.stdout.splitlines()) == (
        0,
        [
            'SUBSYSTEM=="tty", KERNEL=="ttyS1", SYMLINK+="backplane"',
            'SUBSYSTEM=="tty", KERNEL=="ttyS0", SYMLINK+="service-port"',
        ],
    )


def test_a_profile_that_knows_neither_says_so():
    result = rules("compute-blade-cm4")
    assert result.exit_code == 1
    assert "the profile compute-blade-cm4 knows neither port" in result.stderr


def test_a_profile_that_is_none():
    result = rules("compute-blade-cm9")
    assert (result.exit_code, "there is none of that name" in result.stderr) == (1, True)
