"""What a fork of the nursery does between its birth and its death: it becomes a process of its own."""

import asyncio
import ctypes
import gc
import io
import logging
import os
import random
import resource
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, NoReturn

from chassis_emulator.processes.parts import ProcessPart
from media_network.operators_log import begin_logging

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_LOG_BYTES_MAX = 4 * 1024 * 1024

_libc = ctypes.CDLL(None, use_errno=True)


def live(part: ProcessPart[Any], *, name: str, settings: bytes, log: str, parent: int) -> NoReturn:
    """Be `part` until it ends or SIGTERM comes; never returns. Exit code 0 for an orderly end, 1 for any other."""
    code = 1
    try:
        os.setsid()
        die_with(parent)
        _libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
        _leave_the_nursery(Path(log))
        asyncio.run(_until_terminated(part, settings))
        code = 0
    except asyncio.CancelledError:
        code = 0
    except BaseException:  # noqa: BLE001 -- the top of a process: whatever it was belongs into its log
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent dies (prctl(2), PR_SET_PDEATHSIG)."""
    _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _leave_the_nursery(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_BYTES_MAX:
        log.replace(log.with_suffix(".log.1"))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    # The nursery froze what it shares; what is made from here on is this process's own to collect.
    gc.enable()
    begin_logging(sys.stderr, dated=True)


async def _until_terminated(part: ProcessPart[Any], settings: bytes) -> None:
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    # Keys, tickets and session ids come from it: the kernel's randomness, nothing that the nursery left.
    await part.start(settings, random.SystemRandom())
