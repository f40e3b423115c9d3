"""`python -m chassis_emulator.campaign`: rounds under a seed, and what failed as one story."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import click

from chassis_emulator.campaign.account import Account
from chassis_emulator.campaign.campaign import Campaign, RoundOutcome, campaigning, topology_of
from chassis_emulator.campaign.errors import CampaignFailed
from chassis_emulator.commands.progress_line import ProgressLine
from chassis_emulator.errors import EmulatorError
from chassis_emulator.network.errors import AddressInUse, StartRefused
from chassis_emulator.network.state_folder import StateFolder
from media_network.cli import FiniteRange, UserError, WholeRange, echo_json, json_option

_NETWORK = 90
_NEVER_CAME_UP = (AddressInUse, StartRefused)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=1, show_default=True, help="Of the blows, their moments, the orders and the viewers.")
@click.option("--rounds", default=5, show_default=True, type=WholeRange(min=1), help="How many.")
@click.option("--first", default=1, show_default=True, type=WholeRange(min=1), help="Number of the first round.")
@click.option(
    "--network", default=_NETWORK, show_default=True, type=WholeRange(1, 254), help="Addresses: 127.NETWORK.x.y."
)
@click.option(
    "--patience",
    "patience_s",
    default=120.0,
    show_default=True,
    type=FiniteRange(min=1),
    help="Seconds after which all must be well again.",
)
@click.option("--story", "tells", is_flag=True, help="Tell on the error output what happens, as it happens.")
@json_option("a list of objects, one a round")
def main(*, seed: int, rounds: int, first: int, network: int, patience_s: float, tells: bool, as_json: bool) -> None:
    """Beat a network of real processes, and see that nothing is lost.

    In a round consoles play and an operator gives orders, while blades, directors, chassis managers and the center are
    killed, stopped, terminated and pulled, at moments drawn from the seed. Then all is mended, and registry,
    inventories and disks must agree location by location, every order must have ended, everybody must be back, and
    programs must play exactly. Where something does not hold, it ends with exit code 1, the story of the round and the
    command that repeats it.

    \b
    Example:
      python -m chassis_emulator.campaign --rounds 3 --seed 7
    """
    progress = ProgressLine(sys.stderr)
    told: list[RoundOutcome] = []

    def show(line: str) -> None:
        if tells:
            click.echo(line, err=True)
        else:
            progress.show(f"round {first + len(told)} ({len(told)} of {rounds} held)  {line.strip()}")

    folder = Path(tempfile.mkdtemp(prefix="media-station-campaign-"))
    account = Account(show)
    try:
        network_up = campaigning(StateFolder(folder), topology_of(network), seed, account, patience_s=patience_s)
        asyncio.run(_fight(network_up, range(first, first + rounds), told.append))
    except _NEVER_CAME_UP as error:
        shutil.rmtree(folder)
        raise UserError(str(error), "--network N takes other addresses.") from error
    except (CampaignFailed, EmulatorError) as error:
        progress.end()
        _tell(told, as_json=as_json)
        click.echo(story(error, account, seed, first + len(told), folder), err=True)
        sys.exit(1)
    except (asyncio.CancelledError, KeyboardInterrupt) as ended:
        shutil.rmtree(folder)
        sys.exit(128 + (signal.SIGINT if isinstance(ended, KeyboardInterrupt) else signal.SIGTERM))
    finally:
        progress.end()
    shutil.rmtree(folder)
    _tell(told, as_json=as_json)


async def _fight(
    network_up: AbstractAsyncContextManager[Campaign], rounds: range, hold: Callable[[RoundOutcome], None]
) -> None:
    """Play the rounds. Raises CampaignFailed, EmulatorError, and CancelledError when it is told to end."""
    task = asyncio.current_task()
    if task:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with network_up as campaign:
        await campaign.prepare()
        for number in rounds:
            hold(await campaign.fight(number))


def _tell(told: list[RoundOutcome], *, as_json: bool) -> None:
    if as_json:
        echo_json(told)
        return
    for outcome in told:
        click.echo(_sentence(outcome))


def _sentence(outcome: RoundOutcome) -> str:
    blows = ", ".join(f"{count} {blow}" for blow, count in outcome.blows.items() if count)
    plays = outcome.plays
    return (
        f"round {outcome.round}: {blows}; {outcome.orders} orders; consoles: {plays.whole} whole, {plays.broken} broken"
        f" off, {plays.calm} in the calm, exact; well {outcome.calm_after_s:g} s after, {outcome.locations} locations"
    )


def story(error: Exception, account: Account, seed: int, number: int, folder: Path) -> str:
    """What a person is told of a round that did not end as it must."""
    return (
        f"Round {number} of seed {seed} did not end as it must: {error}\n"
        f"{account.text}\n"
        f"State and logs are in {folder}.\n"
        f"To repeat it: {repeat_command(seed, number)}"
    )


def repeat_command(seed: int, number: int) -> str:
    """What repeats a round: the same blows, orders and viewers, on a network that is new."""
    return f"python -m chassis_emulator.campaign --seed {seed} --first {number} --rounds 1"
