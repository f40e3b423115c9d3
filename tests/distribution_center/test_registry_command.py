"""`distribution-center registry`: there and back, and what a person may name wrongly."""

import asyncio
import gzip
import json

import apsw
import pytest
from click.testing import CliRunner

from distribution_center.cli import main
from distribution_center.registry.tables import SCHEMA_VERSION
from media_network.holding import holding_folders

RUNNER = CliRunner()
ROWS = 4
"""An empty registry has three: how far each feed is, and what the catalogue comes to."""


@pytest.fixture
def settings(tmp_path):
    def write(name):
        state = tmp_path / name
        path = tmp_path / f"{name}.toml"
        path.write_text(f'name = "center"\naddress = "127.0.0.1"\nhome = "home"\nstate = "{state}"\n')
        return path

    return write


def ask(*words):
    return RUNNER.invoke(main, ["registry", *map(str, words)])


@pytest.fixture
def kept(settings, tmp_path):
    """A registry that was exported."""
    path = settings("one")
    file = tmp_path / "registry.gz"
    assert ask("export", "--settings", path, file).exit_code == 0
    apsw.Connection(str(tmp_path / "one" / "registry.sqlite")).execute("INSERT INTO feed VALUES (4711)").close()
    told = ask("export", "--settings", path, file, "--json")
    assert json.loads(told.stdout) == {"file": str(file), "rows": ROWS}
    return file


def test_what_was_exported_is_read_into_another(settings, kept, tmp_path):
    other = settings("other")
    told = ask("import", "--settings", other, kept)
    assert told.exit_code == 0, told.output
    assert told.stdout == f"{ROWS} rows were read from {kept}\n"
    assert ask("export", "--settings", other, tmp_path / "again").exit_code == 0
    assert gzip.decompress((tmp_path / "again").read_bytes()) == gzip.decompress(kept.read_bytes())
    assert sorted(path.name for path in tmp_path.glob("again*")) == ["again"]


DAMAGES = {
    "it does not begin as a registry does": lambda octets: b"{}\n",
    "it is of version 99": lambda octets: octets.replace(b'{"registry":%d' % SCHEMA_VERSION, b'{"registry":99', 1),
    "its end is missing": lambda octets: octets[: octets.rindex(b'{"rows"')],
    "it was changed since it was written": lambda octets: octets.replace(b"4711", b"4712"),
    "row 1 makes no sense": lambda octets: octets.replace(b'["feed"', b'["food"', 1),
    "row 2 has other columns": lambda octets: octets.replace(b"4711", b"4711,4711"),
}


@pytest.mark.parametrize(("reason", "damage"), DAMAGES.items(), ids=DAMAGES)
def test_what_is_no_registry_is_refused_and_nothing_of_it_is_kept(settings, kept, tmp_path, reason, damage):
    other = settings("other")
    wrong = tmp_path / "wrong.gz"
    wrong.write_bytes(gzip.compress(damage(gzip.decompress(kept.read_bytes()))))
    told = ask("import", "--settings", other, wrong)
    assert told.exit_code == 1
    assert f"{wrong} is no registry: {reason}" in told.stderr
    assert "Hint: Export it once more" in told.stderr
    assert ask("import", "--settings", other, kept).exit_code == 0


@pytest.mark.parametrize("damage", [lambda octets: b"what?", lambda octets: octets[:-30], lambda octets: octets[:40]])
def test_what_is_no_file_of_ours_is_refused_in_a_sentence(settings, kept, tmp_path, damage):
    wrong = tmp_path / "wrong.gz"
    wrong.write_bytes(damage(kept.read_bytes()))
    told = ask("import", "--settings", settings("other"), wrong)
    assert told.exit_code == 1
    assert f"{wrong} is no registry: it is not what gzip has written, or not all of it" in told.stderr
    assert isinstance(told.exception, SystemExit)


def test_after_an_import_stations_are_to_report_anew(settings, kept, tmp_path):
    """What they hold has changed since it was exported: nothing is deleted on the strength of it."""
    database = tmp_path / "one" / "registry.sqlite"
    station = "INSERT INTO stations VALUES ('north', 1, '127.1.1.1:81', '127.1.1.1:80', 3, 5, 3, 5)"
    apsw.Connection(str(database)).execute(station).close()
    assert ask("export", "--settings", settings("one"), kept).exit_code == 0
    assert ask("import", "--settings", settings("other"), kept).exit_code == 0
    connection = apsw.Connection(str(tmp_path / "other" / "registry.sqlite"))
    assert connection.execute("SELECT epoch, generation, inventory_epoch FROM stations").fetchall() == [(3, 0, -1)]
    connection.close()


def test_a_registry_that_a_center_has_is_left_alone(settings, kept, tmp_path):
    async def story():
        async with holding_folders(tmp_path / "one"):
            return await asyncio.to_thread(ask, "export", "--settings", settings("one"), tmp_path / "new")

    told = asyncio.run(story())
    assert told.exit_code == 1
    assert "is in use by process" in told.stderr
    assert "Hint: End the center first" in told.stderr
    assert not (tmp_path / "new").exists()
