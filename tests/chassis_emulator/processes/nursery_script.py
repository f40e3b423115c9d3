"""A nursery with stand-ins, on the socket whose descriptor is the first argument."""

import asyncio
import json
import os
import random
import socket
import sys
from contextlib import suppress
from pathlib import Path

import msgspec

from chassis_emulator.processes.nursery import freeze, tend
from chassis_emulator.processes.parts import ProcessPart


class Told(msgspec.Struct):
    folder: str


class Other(msgspec.Struct):
    number: int


async def wait(told: Told, rng: random.Random) -> None:
    name = tell(told, rng)
    try:
        await asyncio.Event().wait()
    finally:
        os.close(os.open(f"{told.folder}/{name}.cleaned", os.O_CREAT))


def tell(told: Told, rng: random.Random) -> str:
    """Print a word, and write down what this process is."""
    name = Path("/proc/self/comm").read_text().strip()
    print(f"hello from {name}")
    fact = {
        "pid": os.getpid(),
        "session": os.getsid(0),
        "group": os.getpgrp(),
        "random": rng.random(),
        "module_random": random.random(),
        "descriptors": open_descriptors(),
        "handed_down": HANDED_DOWN,
        "log": os.readlink("/proc/self/fd/1"),
    }
    unfinished = Path(told.folder, f"{name}.new")
    unfinished.write_text(json.dumps(fact))
    unfinished.rename(Path(told.folder, f"{name}.json"))
    return name


def open_descriptors() -> list[str]:
    links = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the one that listed the folder
            links.append(os.readlink(f"/proc/self/fd/{number}"))
    return links


async def leave(told: Told, rng: random.Random) -> None:
    return


async def fail(told: Told, rng: random.Random) -> None:
    raise RuntimeError("as told")


async def quit_at_once(told: Told, rng: random.Random) -> None:
    os._exit(3)


async def misread(told: Other, rng: random.Random) -> None:
    return


PARTS: dict[str, ProcessPart] = {
    "waiter": ProcessPart(Told, wait),
    "leaver": ProcessPart(Told, leave),
    "failer": ProcessPart(Told, fail),
    "quitter": ProcessPart(Told, quit_at_once),
    "misread": ProcessPart(Other, misread),
}

if __name__ == "__main__":
    requests = socket.socket(fileno=int(sys.argv[1]))
    HANDED_DOWN = os.readlink(f"/proc/self/fd/{requests.fileno()}")
    freeze()
    tend(requests, PARTS)
