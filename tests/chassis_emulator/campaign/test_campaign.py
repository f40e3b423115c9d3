"""The short form of the kill campaign; `make soak` has the full one."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.campaign import campaigning, topology_of
from chassis_emulator.campaign.cli import main, story
from chassis_emulator.campaign.errors import NoCalm
from chassis_emulator.network.state_folder import StateFolder
from media_network.callback import do_nothing
from tests.addresses import network_number
from tests.patience import PATIENCE_S

SOAK = os.environ.get("SOAK") == "1"
SEED = int(os.environ.get("SEED", "2"))
ROUNDS = 60 if SOAK else 1
COMMAND = (sys.executable, "-m", "chassis_emulator.campaign")


def campaign(tmp_path, *arguments):
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_in(folder):
    """Those that were started for a network below a folder: the folder is their argument."""
    told = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return [words for words in told if any(word.startswith(str(folder)) for word in words)]


def test_nothing_is_lost_whoever_is_killed(tmp_path):
    process = campaign(tmp_path, "--seed", SEED, "--rounds", ROUNDS, "--network", network_number(), "--json")
    output, complaints = process.communicate()
    assert process.returncode == 0, complaints
    rounds = json.loads(output)
    assert [each["round"] for each in rounds] == list(range(1, ROUNDS + 1))
    for each in rounds:
        assert sum(each["blows"].values()) >= 4
        assert each["plays"]["calm"] >= 2
        assert each["locations"] > 0
    assert list(tmp_path.iterdir()) == []  # what held leaves nothing behind


def test_what_is_lost_is_named_in_the_calm(tmp_path):
    """A segment's file is taken away under its engine, which believes in it: no book may be believed alone."""

    async def story():
        account = Account(do_nothing)
        topology = topology_of(network_number())
        async with campaigning(StateFolder(tmp_path), topology, SEED, account, patience_s=2.0) as beaten:
            await beaten.prepare()
            taken = next(tmp_path.glob("stations/north/*/channel-*/*/3.*.ts"))
            taken.unlink()
            with pytest.raises(NoCalm, match=r"segments at .* whose disks hold") as caught:
                await beaten.come_to_rest()
        return str(caught.value)

    assert "2 s after all was mended" in asyncio.run(story())


def test_a_failure_is_one_story_and_the_command_that_repeats_it(tmp_path):
    account = Account(do_nothing)
    account.begin(4)
    account.tell("kill -9 north/2 (process 17), mended after 2 s")
    amiss = NoCalm(5.0, ["north/2 is crashed"])
    sentence, begin, blow, where, again = story(amiss, account, 7, 4, tmp_path).splitlines()
    assert sentence.endswith(
        "did not end as it must: 5 s after all was mended this was still amiss: north/2 is crashed"
    )
    assert begin.endswith("round 4 begins")
    assert blow.endswith("kill -9 north/2 (process 17), mended after 2 s")
    assert str(tmp_path) in where
    command = again.partition("python -m chassis_emulator.campaign ")[2].split()
    read = main.make_context("campaign", command).params
    assert (read["seed"], read["first"], read["rounds"]) == (7, 4, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_whoever_ends_it_ends_its_network(tmp_path, number):
    process = campaign(tmp_path, "--network", network_number(), "--story")
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "ingest film-0.mp4" in line
    assert processes_in(tmp_path)
    process.send_signal(number)
    output, complaints = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + number
    assert "Traceback" not in output + complaints
    assert not processes_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_cannot_come_up_is_a_sentence_and_a_hint(tmp_path):
    network = network_number()
    with socket.socket() as other:
        other.bind((f"127.{network}.0.1", 8081))
        other.listen()
        process = campaign(tmp_path, "--network", network)
        _, complaints = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "Error: center cannot listen at" in complaints
    assert "Hint: --network N takes other addresses." in complaints
    assert not list(Path(tmp_path).iterdir())
