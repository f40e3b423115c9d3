"""`python -m chassis_emulator.simulation`: the story under one seed, or under many."""

import logging
import os
import sys
from concurrent.futures import ProcessPoolExecutor

import click

from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.story import Told, repeat_command, tell
from media_network.cli import echo_json, json_option


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=1, show_default=True, help="The (first) seed.")
@click.option("--seeds", default=1, show_default=True, type=click.IntRange(min=1), help="How many, from that one on.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(min=1), help="At a time.")
@json_option("a list of objects, one a seed")
def main(*, seed: int, seeds: int, jobs: int, as_json: bool) -> None:
    """Play the demo's story in virtual time, with faults drawn from a seed, and check what must hold.

    The same seed gives the same trace hash. Ends with exit code 1 at a run in which something did not hold.

    \b
    Example:
      python -m chassis_emulator.simulation --seed 7 --seeds 20
    """
    chosen = range(seed, seed + seeds)
    told: list[Told] = []
    failed: list[str] = []
    with (
        ProcessPoolExecutor(min(jobs, seeds), initializer=_hush) as pool,
        click.progressbar(length=seeds, label="seeds", file=sys.stderr) as bar,
    ):
        for outcome in pool.map(_tell, chosen):
            bar.update(1)
            (told if isinstance(outcome, Told) else failed).append(outcome)  # type: ignore[arg-type] # each its own list
    if as_json:
        echo_json(told)
    else:
        for run in told if seeds <= _SHOWN_MAX else []:
            click.echo(_sentence(run))
        click.echo(f"{len(told)} of {seeds} seeds hold")
    for sentence in failed:
        click.echo(sentence, err=True)
    if failed:
        sys.exit(1)


_SHOWN_MAX = 20


def _tell(seed: int) -> Told | str:
    """One run in a process of its own; what does not hold as a sentence, with the command that repeats it."""
    try:
        return tell(seed)
    except (SimulationError, ExceptionGroup) as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        return f"seed {seed}: {_innermost(error)}\n{notes}\nTo repeat it: {repeat_command(seed)}"


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _sentence(run: Told) -> str:
    return (
        f"seed {run.seed}: {run.trace_hash}  {run.virtual_s:.0f} s, {run.faults} faults, {run.hand_overs} hand-overs, "
        f"{run.receptions} consoles whole, {run.broken} broken off, {run.skipped} packets skipped"
    )


def _hush() -> None:
    """What agents log in a storm is not for whoever counts seeds."""
    logging.disable(logging.CRITICAL)
