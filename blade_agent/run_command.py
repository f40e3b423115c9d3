"""Commands of an operator's, from the settings: what a board or a network does that no standard says."""

import asyncio
import logging
from subprocess import DEVNULL

logger = logging.getLogger(__name__)


async def run_command(command: tuple[str, ...], *, within_s: float) -> None:
    """Run a program with its arguments to its end, if there is one; what goes wrong is said in the log.

    One that takes longer, or is not waited for any more, is killed: it must not act after the next one.
    """
    if not command:
        return
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL)
    except OSError as error:
        logger.warning("%s cannot be run: %s", command[0], error.strerror or error)
        return
    try:
        async with asyncio.timeout(within_s):
            status = await process.wait()
        if status:
            logger.warning("%s ended with exit code %d", command[0], status)
    except TimeoutError:
        logger.warning("%s has not ended within %g s", command[0], within_s)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
