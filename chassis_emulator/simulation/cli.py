"""`python -m chassis_emulator.simulation`: the story under one seed, or under many."""

import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children
from pathlib import Path

import click

from chassis_emulator.faults.targets import BadTarget
from chassis_emulator.processes.child import die_with
from chassis_emulator.scenario.reader import ScenarioError, find_scenario, read_scenario
from chassis_emulator.scenario.steps import Scenario
from chassis_emulator.simulation.errors import SimulationError
from chassis_emulator.simulation.scenario import faults_of, unplayed
from chassis_emulator.simulation.story import TOPOLOGY, StoryOutcome, repeat_command, tell
from chassis_emulator.topology.plan import plan_network
from media_network.cli import UserError, WholeRange, echo_json, json_option


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=1, show_default=True, help="The (first) seed.")
@click.option("--seeds", default=1, show_default=True, type=WholeRange(min=1), help="How many, from that one on.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=WholeRange(min=1), help="At a time.")
@click.option("--scenario", "scenario_name", help="Play this instead: a YAML file, or an example's name.")
@json_option("a list of objects, one a seed")
def main(*, seed: int, seeds: int, jobs: int, scenario_name: str | None, as_json: bool) -> None:
    """Play the demo's story in virtual time, with faults drawn from a seed, and check what must hold.

    The same seed gives the same trace hash. Ends with exit code 1 at a run in which something did not hold.

    \b
    Example:
      python -m chassis_emulator.simulation --seed 7 --seeds 20
    """
    chosen, jobs = range(seed, seed + seeds), min(jobs, seeds)
    scenario = _read(scenario_name) if scenario_name else None
    told: list[StoryOutcome] = []
    failed: list[str] = []
    with (
        _processes(jobs) as pool,
        click.progressbar(length=seeds, label="seeds", file=sys.stderr) as bar,
    ):
        for outcome in _outcomes(pool, chosen, scenario, 2 * jobs):
            bar.update(1)
            (told if isinstance(outcome, StoryOutcome) else failed).append(outcome)  # type: ignore[arg-type] # each its own list
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


def _read(name: str) -> Scenario:
    """A scenario whose targets the story has."""
    try:
        scenario = read_scenario(find_scenario(name))
        faults_of(scenario, plan_network(TOPOLOGY, Path()), 0.0)
    except (ScenarioError, BadTarget) as error:
        raise UserError(str(error), ScenarioError.hint) from error
    for step in unplayed(scenario):
        click.echo(f"not simulated: {step}", err=True)
    return scenario


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes to play seeds in; when this one is told to end, so do they."""
    pool = ProcessPoolExecutor(count, initializer=_begin_to_tell, initargs=(os.getpid(),))
    try:
        yield pool
    except BaseException:
        # A seed takes its time, and each has another one waiting for it.
        for process in active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _outcomes(
    pool: ProcessPoolExecutor, seeds: range, scenario: Scenario | None, at_a_time: int
) -> Iterator[StoryOutcome | str]:
    """Each seed's outcome, in the order of the seeds; so many are handed out at a time, however many there are."""
    told = 0
    handed_out: deque[Future[StoryOutcome | str]] = deque()
    try:
        for seed in seeds:
            handed_out.append(pool.submit(_tell, seed, scenario))
            if len(handed_out) == at_a_time:
                yield handed_out.popleft().result()
                told += 1
        while handed_out:
            yield handed_out.popleft().result()
            told += 1
    except BrokenProcessPool as error:
        raise UserError(
            f"a process that played seeds was killed; {told} of {len(seeds)} had been told",
            f"go on with --seed {seeds[told]}; where memory is short, with --jobs 1",
        ) from error


def _tell(seed: int, scenario: Scenario | None = None) -> StoryOutcome | str:
    """One run in a process of its own; what does not hold as a sentence, with the command that repeats it."""
    try:
        return tell(seed, scenario)
    except (SimulationError, ExceptionGroup) as error:
        notes = "\n".join(getattr(error, "__notes__", []))
        return f"seed {seed}: {_innermost(error)}\n{notes}\nTo repeat it: {repeat_command(seed)}"


def _innermost(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _sentence(run: StoryOutcome) -> str:
    return (
        f"seed {run.seed}: {run.trace_hash}  {run.virtual_s:.0f} s, {run.faults} faults, {run.hand_overs} hand-overs, "
        f"{run.receptions} consoles whole, {run.broken} broken off, "
        f"{run.drained} blades drained, {run.skipped} packets skipped, {run.jumps} times back, "
        f"{run.speeds} times faster or backwards"
    )


def _begin_to_tell(parent: int) -> None:
    """Be one of the processes: end with the first, leave Ctrl-C to it, and do not log what agents see in a storm."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
