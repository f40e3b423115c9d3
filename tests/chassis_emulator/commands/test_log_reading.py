"""Logs of many processes as one: in the order of time, whole lines, tracebacks with their line, over a new file."""

import threading

import pytest
from click.testing import CliRunner

from chassis_emulator.commands.cli import main
from chassis_emulator.commands.log_reading import LogReader, in_order
from chassis_emulator.commands.logs import process_of
from chassis_emulator.network.state_folder import StateFolder
from tests.patience import wait_until


def line(second, text):
    return f"2026-12-24 20:00:{second:02},000 INFO somebody: {text}\n"


def texts(entries):
    return [text.rpartition(": ")[2] for entry in entries for text in entry.lines]


def two_logs(tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "north.1.log").write_text(line(1, "a") + line(5, "d") + "  below d\n" + line(7, "f"))
    (logs / "north.2.log").write_text("undated\n" + line(3, "b") + line(3, "c") + line(6, "e"))
    return logs


def test_they_are_merged_by_time_and_what_has_no_time_stays_with_its_line(tmp_path):
    logs = two_logs(tmp_path)
    readers = [LogReader(path.stem, path) for path in sorted(logs.iterdir())]
    merged = list(in_order(entry for reader in readers for entry in reader.last(100)))
    assert texts(merged) == ["undated", "a", "b", "c", "d", "  below d", "e", "f"]


def test_the_last_lines_of_each(tmp_path):
    logs = two_logs(tmp_path)
    assert texts(LogReader("1", logs / "north.1.log").last(2)) == ["  below d", "f"]
    assert texts(LogReader("1", logs / "north.1.log").last(0)) == []


def test_a_line_that_is_being_written_comes_when_it_is_whole(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(line(1, "a")[:-3])
    reader = LogReader("a", log)
    assert reader.new() == []
    with log.open("a") as more:
        more.write(" a\n")
    assert texts(reader.new()) == ["a"]


def test_another_file_in_its_place_is_read_from_its_beginning(tmp_path):
    log = tmp_path / "a.log"
    log.write_text(line(1, "a"))
    reader = LogReader("a", log)
    assert texts(reader.last(9)) == ["a"]
    log.rename(tmp_path / "a.log.1")
    log.write_text(line(2, "b"))
    assert texts(reader.new()) == ["b"]
    log.write_text("")
    assert texts(reader.new()) == []
    log.write_text(line(3, "c"))
    assert texts(reader.new()) == ["c"]


def test_logs_prints_all_of_them_as_one(tmp_path):
    two_logs(tmp_path)
    printed = CliRunner().invoke(main, ["logs", "--state-dir", str(tmp_path)]).stdout.splitlines()
    order = "north/2 north/1 north/2 north/2 north/1 north/1 north/2 north/1"
    assert [row.split(" | ")[0] for row in printed] == order.split()
    assert printed[1].endswith(": a")


def test_follow_shows_what_comes_and_logs_that_are_new(tmp_path, monkeypatch):
    logs = two_logs(tmp_path)
    shown = []
    enough = threading.Event()

    def pause(_):
        if enough.is_set():
            raise KeyboardInterrupt

    monkeypatch.setattr("chassis_emulator.commands.logs.time.sleep", pause)
    monkeypatch.setattr("chassis_emulator.commands.logs.click.echo", shown.append)
    following = threading.Thread(target=CliRunner().invoke, args=(main, ["logs", "-f", "--state-dir", str(tmp_path)]))
    following.start()
    try:
        wait_until(lambda: len(shown) == 8)
        (logs / "center.log").write_text(line(8, "g"))
        wait_until(lambda: len(shown) == 9)
        with (logs / "north.1.log").open("a") as log:
            log.write(line(9, "h"))
        wait_until(lambda: len(shown) == 10)
    finally:
        enough.set()
        following.join()
    assert [row.rpartition(": ")[2] for row in shown[-2:]] == ["g", "h"]


@pytest.mark.parametrize("name", ["center", "north/1", "north/manager", "mam", "east/center", "east.north/12"])
def test_a_log_is_named_after_its_process(tmp_path, name):
    assert process_of(StateFolder(tmp_path).log(name)) == name
